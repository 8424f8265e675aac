/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_REPLY_H
#define STLS_SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * RFC 5321 section 4.5.3.1.5 gives a reply line 512 octets; servers are known
 * that send more, up to what their own line buffers hold.
 */
#define STLS_REPLY_LINE_MAX 8192
/* No RFC bounds these; the longest EHLO reply known has some 30 lines. */
#define STLS_REPLY_LINES_MAX 256
#define STLS_REPLY_BYTES_MAX 65536

/* "5.123.456" (RFC 3463 section 2) and the NUL. */
#define STLS_ENHANCED_CAP 10

/* A whole reply (RFC 5321 section 4.2): a view into the input. */
struct stls_reply {
	int code;
	char enhanced[STLS_ENHANCED_CAP]; /* "" where there is none */
	const char *lines;		  /* raw, with codes and CRLF */
	size_t len;
	const char *text; /* of the first line, behind its codes */
	size_t text_len;
	size_t rest;   /* where the second line begins */
	bool is_plain; /* each line is known to be printable ASCII */
};

/* How far an incomplete reply has been looked at. Zero it to start. */
struct stls_reply_parser {
	size_t scanned;	   /* in front of it no line ends */
	size_t line_start; /* of the line that is not complete */
	size_t first_end;  /* behind the first line */
	unsigned int line_count;
	int code; /* of the first line, 0 before it */
	bool is_not_plain;
};

/*
 * Look for a reply at the start of data.
 *
 * SMTPTLS_OK: out_reply->len bytes are a reply, and the parser is zeroed.
 * SMTPTLS_AGAIN: incomplete; call again with the same bytes and more. A line
 * without a code or with another code than the first, a NUL, a CR or LF that
 * is not part of a CRLF: SMTPTLS_E_PROTOCOL; too much: SMTPTLS_E_LIMIT.
 */
int stls_reply_parse(struct stls_err *err, struct stls_reply_parser *parser,
    const char *data, size_t len, struct stls_reply *out_reply);

/* Iterate over the text of the lines; *offset starts at 0. */
bool stls_reply_next_line(const struct stls_reply *reply, size_t *offset,
    const char **out_text, size_t *out_len);

/*
 * The text for people: without codes, lines joined by blanks, escaped, cut to
 * cap. Returns out.
 */
char *stls_reply_text(const struct stls_reply *reply, char *out, size_t cap);

#endif
