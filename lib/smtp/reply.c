/* SPDX-License-Identifier: MIT */
#include "smtp/reply.h"

#include <string.h>

/* "250-" in front of the text; a line may also end right behind the code. */
#define CODE_LEN 3
/* What an octet or a character may become in a text that is escaped. */
#define ESCAPED_LEN_MAX 4

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * The code of a line without its CRLF, 0 where there is none. The second digit
 * may be anything: servers answer 571 and the like.
 */
static int
parse_code(const char *line, size_t len)
{
	if (len < CODE_LEN || line[0] < '2' || line[0] > '5' ||
	    !is_digit(line[1]) || !is_digit(line[2]))
		return 0;
	if (len > CODE_LEN && line[CODE_LEN] != ' ' && line[CODE_LEN] != '-')
		return 0;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/*
 * Where in the text the enhanced status code ends (RFC 3463 section 2), 0
 * where there is none. One whose class contradicts the code is none.
 */
static size_t
enhanced_len(int code, const char *text, size_t len)
{
	size_t i = 1, digits;
	int part;

	/* There is no class 3, so nothing can stand behind a 354. */
	if (len == 0 || text[0] != '0' + code / 100 || text[0] == '3')
		return 0;
	for (part = 0; part < 2; part++) {
		if (i >= len || text[i] != '.')
			return 0;
		i++;
		for (digits = 0; i < len && is_digit(text[i]); digits++)
			i++;
		if (digits < 1 || digits > 3)
			return 0;
	}
	return i == len || text[i] == ' ' ? i : 0;
}

static int
check_line(struct stls_err *err, struct stls_reply_parser *parser,
    const char *line, size_t len, bool *out_last)
{
	char shown[80];
	int code;

	if (memchr(line, '\r', len) != NULL || memchr(line, '\0', len) != NULL)
		return stls_err_set(err, SMTPTLS_E_PROTOCOL,
		    "a reply line has a NUL or a bare CR in it");
	code = parse_code(line, len);
	if (code == 0) {
		stls_escape(shown, sizeof(shown), line, len);
		return stls_err_set(err, SMTPTLS_E_PROTOCOL,
		    "not an SMTP reply: \"%s\"", shown);
	}
	if (parser->code != 0 && parser->code != code)
		return stls_err_set(err, SMTPTLS_E_PROTOCOL,
		    "a reply begins with %d and goes on with %d", parser->code,
		    code);
	parser->code = code;
	*out_last = len == CODE_LEN || line[CODE_LEN] == ' ';
	return SMTPTLS_OK;
}

static int
check_limits(struct stls_err *err, const struct stls_reply_parser *parser,
    size_t line_len)
{
	if (line_len > STLS_REPLY_LINE_MAX)
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "a reply line is longer than %d octets",
		    STLS_REPLY_LINE_MAX);
	if (parser->line_count > STLS_REPLY_LINES_MAX)
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "a reply has more than %d lines", STLS_REPLY_LINES_MAX);
	if (parser->line_start + line_len > STLS_REPLY_BYTES_MAX)
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "a reply is longer than %d octets", STLS_REPLY_BYTES_MAX);
	return SMTPTLS_OK;
}

static void
finish(struct stls_reply_parser *parser, const char *data, size_t len,
    struct stls_reply *reply)
{
	const char *text = "";
	size_t offset = 0, text_len = 0, n;

	reply->code = parser->code;
	reply->lines = data;
	reply->len = len;
	stls_reply_next_line(reply, &offset, &text, &text_len);
	n = enhanced_len(reply->code, text, text_len);
	memcpy(reply->enhanced, text, n);
	reply->enhanced[n] = '\0';
	memset(parser, 0, sizeof(*parser));
}

int
stls_reply_parse(struct stls_err *err, struct stls_reply_parser *parser,
    const char *data, size_t len, struct stls_reply *out_reply)
{
	const char *lf;
	size_t start, end;
	bool last;
	int r;

	for (;;) {
		start = parser->line_start;
		lf = memchr(
		    data + parser->scanned, '\n', len - parser->scanned);
		if (lf == NULL) {
			parser->scanned = len;
			r = check_limits(err, parser, len - start);
			return r < 0 ? r : SMTPTLS_AGAIN;
		}

		end = (size_t)(lf - data) + 1;
		parser->line_count++;
		r = check_limits(err, parser, end - start);
		if (r < 0)
			return r;
		if (end - start < 2 || data[end - 2] != '\r')
			return stls_err_set(err, SMTPTLS_E_PROTOCOL,
			    "a reply line ends with a bare LF");
		r = check_line(
		    err, parser, data + start, end - 2 - start, &last);
		if (r < 0)
			return r;
		parser->scanned = parser->line_start = end;
		if (last) {
			finish(parser, data, end, out_reply);
			return SMTPTLS_OK;
		}
	}
}

bool
stls_reply_next_line(const struct stls_reply *reply, size_t *offset,
    const char **out_text, size_t *out_len)
{
	const char *line = reply->lines + *offset, *lf;
	size_t len;

	if (*offset >= reply->len)
		return false;
	lf = memchr(line, '\n', reply->len - *offset);
	*offset = (size_t)(lf - reply->lines) + 1;
	len = (size_t)(lf - line) - 1;
	if (len > CODE_LEN) {
		*out_text = line + CODE_LEN + 1;
		*out_len = len - CODE_LEN - 1;
	} else {
		*out_text = line + len;
		*out_len = 0;
	}
	return true;
}

char *
stls_reply_text(const struct stls_reply *reply, char *out, size_t cap)
{
	size_t offset = 0, used = 0, len, n;
	bool is_first = true;
	const char *text;

	out[0] = '\0';
	/* Where a line was cut there is no room for a blank and the next. */
	while ((used == 0 || cap - used > ESCAPED_LEN_MAX + 1) &&
	    stls_reply_next_line(reply, &offset, &text, &len)) {
		/* That of the first line is known. */
		n = is_first ? strlen(reply->enhanced)
			     : enhanced_len(reply->code, text, len);
		is_first = false;
		text += n;
		len -= n;
		while (len > 0 && *text == ' ') {
			text++;
			len--;
		}
		if (used > 0 && len > 0)
			out[used++] = ' ';
		used += stls_escape(out + used, cap - used, text, len);
	}
	return out;
}
