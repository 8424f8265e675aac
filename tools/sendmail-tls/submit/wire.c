/* SPDX-License-Identifier: MIT */
#include "submit/wire.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#define COUNT_LEN 2

static size_t
number_of(const unsigned char *octets, size_t len)
{
	size_t number = 0, i;

	for (i = 0; i < len; i++)
		number = number << 8 | octets[i];
	return number;
}

void
submit_decoder_init(struct submit_decoder *decoder)
{
	memset(decoder, 0, sizeof(*decoder));
	stls_buf_init(&decoder->arguments, SUBMIT_ARGUMENTS_LEN_MAX);
}

void
submit_decoder_done(struct submit_decoder *decoder)
{
	stls_buf_done(&decoder->arguments);
	memset(decoder, 0, sizeof(*decoder));
}

/* Gather what has a fixed length; true when it is complete. */
static bool
gather(struct submit_decoder *decoder, size_t wanted, const void *data,
    size_t len, size_t *out_used)
{
	size_t missing = wanted - decoder->number_len;
	size_t n = len < missing ? len : missing;

	memcpy(decoder->number + decoder->number_len, data, n);
	decoder->number_len += n;
	*out_used = n;
	if (decoder->number_len < wanted)
		return false;
	decoder->number_len = 0;
	return true;
}

static void
next_argument(struct submit_decoder *decoder)
{
	decoder->state = decoder->arguments_left > 0 ? SUBMIT_IN_LENGTH
						     : SUBMIT_IN_CHUNK_LENGTH;
}

static int
see_magic(struct stls_err *err, struct submit_decoder *decoder)
{
	if (memcmp(decoder->number, SUBMIT_MAGIC, SUBMIT_MAGIC_LEN) != 0)
		return stls_err_set(err, EX_PROTOCOL,
		    "what is handed over is not what sendmail-tls of this "
		    "version hands over");
	decoder->state = SUBMIT_IN_COUNT;
	return 0;
}

static int
see_count(struct stls_err *err, struct submit_decoder *decoder)
{
	size_t count = number_of(decoder->number, COUNT_LEN);

	if (count > SUBMIT_ARGUMENT_COUNT_MAX)
		return stls_err_set(err, EX_PROTOCOL,
		    "%zu arguments are handed over, and %d are allowed", count,
		    SUBMIT_ARGUMENT_COUNT_MAX);
	decoder->argument_count = decoder->arguments_left = count;
	next_argument(decoder);
	return 0;
}

static int
arguments_too_long(struct stls_err *err, int code)
{
	return stls_err_set(err, code,
	    "arguments of more than %d bytes cannot be handed over",
	    SUBMIT_ARGUMENTS_LEN_MAX);
}

static int
end_argument(struct stls_err *err, struct submit_decoder *decoder)
{
	if (stls_buf_append(&decoder->arguments, "", 1) < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	decoder->arguments_left--;
	next_argument(decoder);
	return 0;
}

static int
see_length(struct stls_err *err, struct submit_decoder *decoder)
{
	decoder->left = number_of(decoder->number, SUBMIT_NUMBER_LEN);
	if (decoder->left >= stls_buf_room(&decoder->arguments))
		return arguments_too_long(err, EX_PROTOCOL);
	if (decoder->left == 0)
		return end_argument(err, decoder);
	decoder->state = SUBMIT_IN_ARGUMENT;
	return 0;
}

static int
see_chunk_length(struct stls_err *err, struct submit_decoder *decoder)
{
	decoder->left = number_of(decoder->number, SUBMIT_NUMBER_LEN);
	if (decoder->left > SUBMIT_CHUNK_LEN_MAX)
		return stls_err_set(err, EX_PROTOCOL,
		    "a piece of %zu bytes is handed over, and %d are allowed",
		    decoder->left, SUBMIT_CHUNK_LEN_MAX);
	decoder->state = decoder->left > 0 ? SUBMIT_IN_CHUNK : SUBMIT_AT_END;
	return 0;
}

static int
take_argument(struct stls_err *err, struct submit_decoder *decoder,
    const void *data, size_t len, size_t *out_used)
{
	size_t n = len < decoder->left ? len : decoder->left;

	if (memchr(data, '\0', n) != NULL)
		return stls_err_set(
		    err, EX_PROTOCOL, "an argument has a NUL in it");
	if (stls_buf_append(&decoder->arguments, data, n) < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	*out_used = n;
	decoder->left -= n;
	return decoder->left == 0 ? end_argument(err, decoder) : 0;
}

static void
take_content(struct submit_decoder *decoder, const void *data, size_t len,
    struct submit_piece *out_piece)
{
	size_t n = len < decoder->left ? len : decoder->left;

	out_piece->used = n;
	out_piece->content = data;
	out_piece->content_len = n;
	decoder->left -= n;
	if (decoder->left == 0)
		decoder->state = SUBMIT_IN_CHUNK_LENGTH;
}

/* What has a fixed length, and what is done when it is there. */
static const struct {
	size_t len;
	int (*see)(struct stls_err *err, struct submit_decoder *decoder);
} fixed[] = {
	[SUBMIT_IN_MAGIC] = { SUBMIT_MAGIC_LEN, see_magic },
	[SUBMIT_IN_COUNT] = { COUNT_LEN, see_count },
	[SUBMIT_IN_LENGTH] = { SUBMIT_NUMBER_LEN, see_length },
	[SUBMIT_IN_ARGUMENT] = { 0, NULL },
	[SUBMIT_IN_CHUNK_LENGTH] = { SUBMIT_NUMBER_LEN, see_chunk_length },
	[SUBMIT_IN_CHUNK] = { 0, NULL },
	[SUBMIT_AT_END] = { 0, NULL },
};

int
submit_decode(struct stls_err *err, struct submit_decoder *decoder,
    const void *data, size_t len, struct submit_piece *out_piece)
{
	struct submit_piece piece = { 0, NULL, 0 };
	enum submit_state state = decoder->state;
	int r = 0;

	if (fixed[state].see != NULL) {
		if (gather(decoder, fixed[state].len, data, len, &piece.used))
			r = fixed[state].see(err, decoder);
	} else if (state == SUBMIT_IN_ARGUMENT) {
		r = take_argument(err, decoder, data, len, &piece.used);
	} else if (state == SUBMIT_IN_CHUNK) {
		take_content(decoder, data, len, &piece);
	}
	if (r == 0)
		*out_piece = piece;
	return r;
}

void
submit_decoder_get_arguments(const struct submit_decoder *decoder, char **argv)
{
	char *text = (char *)stls_buf_data(&decoder->arguments);
	size_t i;

	assert(decoder->arguments_left == 0);
	for (i = 0; i < decoder->argument_count; i++) {
		argv[i] = text;
		text += strlen(text) + 1;
	}
}

void
submit_format_number(unsigned char out[SUBMIT_NUMBER_LEN], uint32_t number)
{
	out[0] = (unsigned char)(number >> 24);
	out[1] = (unsigned char)(number >> 16);
	out[2] = (unsigned char)(number >> 8);
	out[3] = (unsigned char)number;
}

static int
append(struct stls_err *err, struct stls_buf *out, const void *data, size_t len)
{
	if (stls_buf_append(out, data, len) < 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return 0;
}

static int
append_argument(
    struct stls_err *err, struct stls_buf *out, const char *argument)
{
	unsigned char number[SUBMIT_NUMBER_LEN];
	size_t len = strlen(argument);
	int r;

	submit_format_number(number, (uint32_t)len);
	r = append(err, out, number, sizeof(number));
	return r == 0 ? append(err, out, argument, len) : r;
}

int
submit_append_arguments(struct stls_err *err, struct stls_buf *out,
    size_t count, const char *const *arguments)
{
	unsigned char number[SUBMIT_NUMBER_LEN];
	size_t i, sum = 0;
	int r;

	if (count > SUBMIT_ARGUMENT_COUNT_MAX)
		return stls_err_set(err, EX_USAGE,
		    "%zu arguments cannot be handed over, %d can", count,
		    SUBMIT_ARGUMENT_COUNT_MAX);
	for (i = 0; i < count; i++)
		sum += strlen(arguments[i]) + 1;
	if (sum > SUBMIT_ARGUMENTS_LEN_MAX)
		return arguments_too_long(err, EX_USAGE);

	submit_format_number(number, (uint32_t)count);
	r = append(err, out, SUBMIT_MAGIC, SUBMIT_MAGIC_LEN);
	if (r == 0)
		r = append(err, out, number + SUBMIT_NUMBER_LEN - COUNT_LEN,
		    COUNT_LEN);
	for (i = 0; i < count && r == 0; i++)
		r = append_argument(err, out, arguments[i]);
	return r;
}

void
submit_format_answer(
    unsigned char out[SUBMIT_ANSWER_LEN], int status, size_t text_len)
{
	memcpy(out, SUBMIT_MAGIC, SUBMIT_MAGIC_LEN);
	out[SUBMIT_MAGIC_LEN] = (unsigned char)status;
	submit_format_number(out + SUBMIT_MAGIC_LEN + 1, (uint32_t)text_len);
}

int
submit_parse_answer(struct stls_err *err,
    const unsigned char answer[SUBMIT_ANSWER_LEN], int *out_status,
    size_t *out_text_len)
{
	int status = answer[SUBMIT_MAGIC_LEN];
	size_t len = number_of(
	    answer + SUBMIT_MAGIC_LEN + 1, SUBMIT_NUMBER_LEN);

	if (memcmp(answer, SUBMIT_MAGIC, SUBMIT_MAGIC_LEN) != 0 ||
	    (status != 0 && (status < EX__BASE || status > EX__MAX)) ||
	    len > SUBMIT_TEXT_LEN_MAX)
		return stls_err_set(err, EX_PROTOCOL,
		    "what the submit helper answers is not what sendmail-tls "
		    "of this version answers");
	*out_status = status;
	*out_text_len = len;
	return 0;
}
