/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SUBMIT_WIRE_H
#define SENDMAIL_SUBMIT_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * What the command and the submit helper say to each other; no I/O. Numbers
 * are big-endian.
 *
 * Request: magic and version (8 octets), number of arguments (2), each
 * argument with its length (4) in front, the content in chunks with their
 * length (4) in front, and a chunk of length 0. Without that last one there is
 * no message, so a caller that dies makes none.
 *
 * Answer: magic and version (8), exit status (1), length of the text (4), text.
 */
#define SUBMIT_MAGIC "smtptls\1"
#define SUBMIT_MAGIC_LEN 8
#define SUBMIT_NUMBER_LEN 4
#define SUBMIT_ANSWER_LEN (SUBMIT_MAGIC_LEN + 1 + SUBMIT_NUMBER_LEN)

#define SUBMIT_ARGUMENT_COUNT_MAX 10000
#define SUBMIT_ARGUMENTS_LEN_MAX (1024 * 1024) /* all, with their NULs */
#define SUBMIT_CHUNK_LEN_MAX 65536
#define SUBMIT_TEXT_LEN_MAX 65536

enum submit_state {
	SUBMIT_IN_MAGIC,
	SUBMIT_IN_COUNT,
	SUBMIT_IN_LENGTH,
	SUBMIT_IN_ARGUMENT,
	SUBMIT_IN_CHUNK_LENGTH,
	SUBMIT_IN_CHUNK,
	SUBMIT_AT_END,
};

/* Reads a request that comes in pieces of any size. */
struct submit_decoder {
	enum submit_state state;
	unsigned char number[SUBMIT_MAGIC_LEN];
	size_t number_len;
	size_t left; /* of the argument or chunk */
	size_t argument_count;
	size_t arguments_left;
	struct stls_buf arguments; /* each with a NUL behind it */
};

/* What a step found. */
struct submit_piece {
	size_t used;		      /* octets of the input */
	const unsigned char *content; /* in the input */
	size_t content_len;
};

void submit_decoder_init(struct submit_decoder *decoder);
void submit_decoder_done(struct submit_decoder *decoder);

/*
 * Take some of the input, and go on with what is behind `used` until all is
 * taken or the end is reached. EX_PROTOCOL: it is no request, or more than the
 * limits allow; EX_OSERR.
 */
int submit_decode(struct stls_err *err, struct submit_decoder *decoder,
    const void *data, size_t len, struct submit_piece *out_piece);

/*
 * Write the arguments into `argv`, which has place for argument_count of them;
 * the decoder owns the strings. All of them must have come in.
 */
void submit_decoder_get_arguments(
    const struct submit_decoder *decoder, char **argv);

/* Append what stands before the content. EX_USAGE: a limit; EX_OSERR. */
int submit_append_arguments(struct stls_err *err, struct stls_buf *out,
    size_t count, const char *const *arguments);

void submit_format_number(
    unsigned char out[SUBMIT_NUMBER_LEN], uint32_t number);

/* Write what stands before the text of an answer. */
void submit_format_answer(
    unsigned char out[SUBMIT_ANSWER_LEN], int status, size_t text_len);

/* EX_PROTOCOL: it is no answer, or no exit status of this program. */
int submit_parse_answer(struct stls_err *err,
    const unsigned char answer[SUBMIT_ANSWER_LEN], int *out_status,
    size_t *out_text_len);

#endif
