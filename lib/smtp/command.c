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

/* A line in pieces, which are written as they stand. */
struct line {
	struct {
		const char *text;
		size_t len;
	} pieces[8]; /* no line has more */
	size_t count;
	size_t len; /* of all of them */
};

static inline void
add(struct line *line, const char *text)
{
	size_t len = strlen(text);

	assert(line->count < sizeof(line->pieces) / sizeof(line->pieces[0]));
	line->pieces[line->count].text = text;
	line->pieces[line->count].len = len;
	line->count++;
	line->len += len;
}

/* Say which piece it is that no command may have. */
static int
refuse_unclean(struct stls_err *err, const struct line *line, bool utf8)
{
	size_t i = 0;

	while (i + 1 < line->count &&
	    is_clean(line->pieces[i].text, line->pieces[i].len, utf8))
		i++;
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "a character that no command may have: \"%s\"",
	    line->pieces[i].text);
}

/*
 * The one function that writes a line to a server. It looks at what it has
 * put together, and only then is that part of the output.
 */
static int
write_line(struct stls_err *err, struct stls_buf *out, size_t max, bool utf8,
    const struct line *line)
{
	size_t total = line->len + 2, i;
	unsigned char *start, *place;

	if (total > max || total > stls_buf_room(out))
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "a command would be longer than %zu octets", max);
	start = place = stls_buf_reserve(out, total);
	if (place == NULL)
		return stls_err_nomem(err);
	for (i = 0; i < line->count; i++) {
		memcpy(place, line->pieces[i].text, line->pieces[i].len);
		place += line->pieces[i].len;
	}
	if (!is_clean((const char *)start, line->len, utf8))
		return refuse_unclean(err, line, utf8);
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

int
stls_command_write(struct stls_err *err, struct stls_buf *out, const char *verb)
{
	struct line line = { .count = 0 };

	add(&line, verb);
	return write_line(err, out, STLS_COMMAND_LINE_MAX, false, &line);
}

int
stls_command_ehlo(struct stls_err *err, struct stls_buf *out, const char *verb,
    const char *name)
{
	struct line line = { .count = 0 };

	add(&line, verb);
	add(&line, " ");
	add(&line, name);
	return write_line(err, out, STLS_COMMAND_LINE_MAX, false, &line);
}

int
stls_command_mail(struct stls_err *err, struct stls_buf *out,
    const char *mailbox, const struct stls_mail_params *params)
{
	struct line line = { .count = 0 };
	char size[NUMBER_CAP], demands[STLS_MAIL_DEMANDS_CAP];

	add(&line, "MAIL FROM:<");
	add(&line, mailbox);
	add(&line, ">");
	if (params->has_size) {
		add(&line, " SIZE=");
		add(&line, format_number(size, params->size));
	}
	if (params->body_8bit)
		add(&line, " BODY=8BITMIME");
	if (params->smtputf8)
		add(&line, " SMTPUTF8");
	if (params->demands != NULL)
		add(&line, stls_demands_format_mail(params->demands, demands));
	return write_line(
	    err, out, STLS_COMMAND_LINE_MAX, params->smtputf8, &line);
}

int
stls_command_rcpt(
    struct stls_err *err, struct stls_buf *out, const char *mailbox, bool utf8)
{
	struct line line = { .count = 0 };

	add(&line, "RCPT TO:<");
	add(&line, mailbox);
	add(&line, ">");
	return write_line(err, out, STLS_COMMAND_LINE_MAX, utf8, &line);
}

int
stls_command_rcpt_with(struct stls_err *err, struct stls_buf *out,
    const char *mailbox, bool utf8, const struct stls_demands *demands,
    size_t index)
{
	char text[STLS_RCPT_DEMANDS_CAP];
	struct line line = { .count = 0 };

	add(&line, "RCPT TO:<");
	add(&line, mailbox);
	add(&line, ">");
	add(&line, stls_demands_format_rcpt(demands, index, text));
	return write_line(err, out, STLS_COMMAND_LINE_MAX, utf8, &line);
}

int
stls_command_bdat(
    struct stls_err *err, struct stls_buf *out, uint64_t size, bool is_last)
{
	struct line line = { .count = 0 };
	char number[NUMBER_CAP];

	add(&line, "BDAT ");
	add(&line, format_number(number, size));
	if (is_last)
		add(&line, " LAST");
	return write_line(err, out, STLS_COMMAND_LINE_MAX, false, &line);
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
	struct line line = { .count = 0 };

	add(&line, "AUTH ");
	add(&line, mechanism);
	if (initial != NULL) {
		text = initial->len > 0 ? encode(initial) : stls_strdup("=");
		if (text == NULL)
			return stls_err_nomem(err);
		add(&line, " ");
		add(&line, text);
	}
	return write_line(err, out, STLS_AUTH_COMMAND_MAX, false, &line);
}

int
stls_command_auth_response(struct stls_err *err, struct stls_buf *out,
    const struct stls_secret *response)
{
	CLEANUP(free_secret) char *text = encode(response);
	struct line line = { .count = 0 };

	if (text == NULL)
		return stls_err_nomem(err);
	add(&line, text);
	return write_line(err, out, STLS_AUTH_LINE_MAX, false, &line);
}
