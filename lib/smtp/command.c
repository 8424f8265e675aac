/* SPDX-License-Identifier: MIT */
#include "smtp/command.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/utf8.h"

/* Whether a piece may stand in a line: see the header. */
static bool
is_clean(const char *piece, size_t len, bool utf8)
{
	size_t n = stls_ascii_printable(piece, len);
	uint32_t c;

	for (piece += n, len -= n; len > 0; piece += n, len -= n) {
		n = stls_utf8_decode(piece, len, &c);
		if (n == 0 || stls_utf8_is_control(c) || (c >= 0x80 && !utf8))
			return false;
	}
	return true;
}

/* No line has more pieces. */
#define PIECES_MAX 8

/* The one function that writes a line to a server. */
static int
write_line(struct stls_err *err, struct stls_buf *out, size_t max, bool utf8,
    const char *const *pieces, size_t count)
{
	size_t lens[PIECES_MAX], total = 2, i;
	unsigned char *place;

	assert(count <= PIECES_MAX);
	for (i = 0; i < count; i++) {
		lens[i] = strlen(pieces[i]);
		if (!is_clean(pieces[i], lens[i], utf8))
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "a character that no command may have: \"%s\"",
			    pieces[i]);
		total += lens[i];
	}
	if (total > max || total > stls_buf_room(out))
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "a command would be longer than %zu octets", max);
	place = stls_buf_reserve(out, total);
	if (place == NULL)
		return stls_err_nomem(err);
	for (i = 0; i < count; i++) {
		memcpy(place, pieces[i], lens[i]);
		place += lens[i];
	}
	memcpy(place, "\r\n", 2);
	stls_buf_commit(out, total);
	return SMTPTLS_OK;
}

/* Enough for 64 bits, and the NUL. */
#define NUMBER_CAP 21

/* The digits of a number, at the end of `buf`. */
static const char *
format_number(char buf[NUMBER_CAP], uint64_t number)
{
	char *place = buf + NUMBER_CAP - 1;

	*place = '\0';
	do
		*--place = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return place;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int
stls_command_write(struct stls_err *err, struct stls_buf *out, const char *verb)
{
	return write_line(err, out, STLS_COMMAND_LINE_MAX, false, &verb, 1);
}

int
stls_command_ehlo(struct stls_err *err, struct stls_buf *out, const char *verb,
    const char *name)
{
	const char *pieces[] = { verb, " ", name };

	return write_line(
	    err, out, STLS_COMMAND_LINE_MAX, false, pieces, COUNT(pieces));
}

int
stls_command_mail(struct stls_err *err, struct stls_buf *out,
    const char *mailbox, const struct stls_mail_params *params)
{
	char size[NUMBER_CAP], demands[STLS_MAIL_DEMANDS_CAP];
	const char *pieces[] = { "MAIL FROM:<", mailbox, ">",
		params->has_size ? " SIZE=" : "",
		params->has_size ? format_number(size, params->size) : "",
		params->body_8bit ? " BODY=8BITMIME" : "",
		params->smtputf8 ? " SMTPUTF8" : "", NULL };
	size_t count = COUNT(pieces) - 1;

	if (params->demands != NULL)
		pieces[count++] = stls_demands_format_mail(
		    params->demands, demands);
	return write_line(
	    err, out, STLS_COMMAND_LINE_MAX, params->smtputf8, pieces, count);
}

int
stls_command_rcpt(
    struct stls_err *err, struct stls_buf *out, const char *mailbox, bool utf8)
{
	const char *pieces[] = { "RCPT TO:<", mailbox, ">" };

	return write_line(
	    err, out, STLS_COMMAND_LINE_MAX, utf8, pieces, COUNT(pieces));
}

int
stls_command_rcpt_with(struct stls_err *err, struct stls_buf *out,
    const char *mailbox, bool utf8, const struct stls_demands *demands,
    size_t index)
{
	char text[STLS_RCPT_DEMANDS_CAP];
	const char *pieces[] = { "RCPT TO:<", mailbox, ">",
		stls_demands_format_rcpt(demands, index, text) };

	return write_line(
	    err, out, STLS_COMMAND_LINE_MAX, utf8, pieces, COUNT(pieces));
}

int
stls_command_bdat(
    struct stls_err *err, struct stls_buf *out, uint64_t size, bool is_last)
{
	char number[NUMBER_CAP];
	const char *pieces[] = { "BDAT ", format_number(number, size),
		is_last ? " LAST" : "" };

	return write_line(
	    err, out, STLS_COMMAND_LINE_MAX, false, pieces, COUNT(pieces));
}

static char *
encode(const struct stls_secret *secret)
{
	char *text;

	text = stls_alloc(STLS_BASE64_LEN(secret->len) + 1);
	if (text != NULL)
		stls_base64_encode(text, secret->data, secret->len);
	return text;
}

static void
free_secret(char **text)
{
	stls_free_secret_string(*text);
}

int
stls_command_auth(struct stls_err *err, struct stls_buf *out,
    const char *mechanism, const struct stls_secret *initial)
{
	CLEANUP(free_secret) char *text = NULL;
	const char *pieces[] = { "AUTH ", mechanism, " ", NULL };

	if (initial == NULL)
		return write_line(
		    err, out, STLS_AUTH_COMMAND_MAX, false, pieces, 2);
	text = initial->len > 0 ? encode(initial) : stls_strdup("=");
	if (text == NULL)
		return stls_err_nomem(err);
	pieces[3] = text;
	return write_line(
	    err, out, STLS_AUTH_COMMAND_MAX, false, pieces, COUNT(pieces));
}

int
stls_command_auth_response(struct stls_err *err, struct stls_buf *out,
    const struct stls_secret *response)
{
	CLEANUP(free_secret) char *text = encode(response);
	const char *piece = text;

	if (text == NULL)
		return stls_err_nomem(err);
	return write_line(err, out, STLS_AUTH_LINE_MAX, false, &piece, 1);
}
