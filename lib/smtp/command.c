/* SPDX-License-Identifier: MIT */
#include "smtp/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/utf8.h"

/* Whether a piece may stand in a line: see the header. */
static bool
is_clean(const char *piece, bool utf8)
{
	size_t len = strlen(piece), n;
	uint32_t c;

	while (len > 0) {
		/* Nearly always all of it. */
		if (*piece >= ' ' && *piece <= '~') {
			piece++;
			len--;
			continue;
		}
		n = stls_utf8_decode(piece, len, &c);
		if (n == 0 || stls_utf8_is_control(c) || (c >= 0x80 && !utf8))
			return false;
		piece += n;
		len -= n;
	}
	return true;
}

/* The one function that writes a line to a server. */
static int
write_line(struct stls_err *err, struct stls_buf *out, size_t max, bool utf8,
    const char *const *pieces, size_t count)
{
	size_t before = stls_buf_len(out), total = 2, i;
	int r = SMTPTLS_OK;

	for (i = 0; i < count; i++) {
		if (!is_clean(pieces[i], utf8))
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "a character that no command may have: \"%s\"",
			    pieces[i]);
		total += strlen(pieces[i]);
	}
	if (total > max)
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "a command would be longer than %zu octets", max);

	for (i = 0; i < count && r == SMTPTLS_OK; i++)
		r = stls_buf_append_str(out, pieces[i]);
	if (r == SMTPTLS_OK)
		r = stls_buf_append_str(out, "\r\n");
	if (r < 0) {
		stls_buf_truncate(out, before);
		return stls_err_set(err, r, "%s", smtptls_strerror(r));
	}
	return SMTPTLS_OK;
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
	char size[32] = "";
	const char *pieces[] = { "MAIL FROM:<", mailbox, ">", size,
		params->body_8bit ? " BODY=8BITMIME" : "",
		params->smtputf8 ? " SMTPUTF8" : "" };

	if (params->has_size)
		snprintf(size, sizeof(size), " SIZE=%" PRIu64, params->size);
	return write_line(err, out, STLS_COMMAND_LINE_MAX, params->smtputf8,
	    pieces, COUNT(pieces));
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
stls_command_bdat(
    struct stls_err *err, struct stls_buf *out, uint64_t size, bool is_last)
{
	char number[24];
	const char *pieces[] = { "BDAT ", number, is_last ? " LAST" : "" };

	snprintf(number, sizeof(number), "%" PRIu64, size);
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
