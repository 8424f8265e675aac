/* SPDX-License-Identifier: MIT */
#include "smtp/reply.h"

#include <string.h>

#include "base/utf8.h"

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

/* What is behind the code of a line without its CRLF. */
static const char *
text_of_line(const char *line, size_t len, size_t *out_len)
{
	size_t skip = len > CODE_LEN ? CODE_LEN + 1 : len;

	*out_len = len - skip;
	return line + skip;
}

/* Where a dot at `i` and the one to three digits behind it end, or 0. */
static size_t
skip_part(const char *text, size_t len, size_t i)
{
	size_t end = i + 1;

	if (i >= len || text[i] != '.')
		return 0;
	while (end < len && is_digit(text[end]))
		end++;
	return end > i + 1 && end <= i + 4 ? end : 0;
}

/*
 * Where in the text the enhanced status code ends (RFC 3463 section 2), 0
 * where there is none. One whose class contradicts the code is none.
 */
static size_t
enhanced_len(int code, const char *text, size_t len)
{
	size_t end;

	/* There is no class 3, so nothing can stand behind a 354. */
	if (len == 0 || text[0] != '0' + code / 100 || text[0] == '3')
		return 0;
	/* "2.1.5 ", as nearly all are. */
	if (len > 5 && text[1] == '.' && is_digit(text[2]) && text[3] == '.' &&
	    is_digit(text[4]) && text[5] == ' ')
		return 5;
	end = skip_part(text, len, 1);
	if (end > 0)
		end = skip_part(text, len, end);
	return end == len || (end > 0 && text[end] == ' ') ? end : 0;
}

static int
check_line(struct stls_err *err, struct stls_reply_parser *parser,
    const char *line, size_t len, bool is_plain, bool *out_last)
{
	char shown[80];
	int code;

	if (!is_plain &&
	    (memchr(line, '\r', len) != NULL ||
		memchr(line, '\0', len) != NULL))
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

/* Leave out the blanks in front. */
static void
skip_blanks(const char **text, size_t *len)
{
	while (*len > 0 && **text == ' ') {
		(*text)++;
		(*len)--;
	}
}

static void
finish(struct stls_reply_parser *parser, const char *data, size_t len,
    struct stls_reply *reply)
{
	size_t text_len = 0, n;
	const char *text;

	text = text_of_line(data, parser->first_end - 2, &text_len);
	n = enhanced_len(parser->code, text, text_len);
	memcpy(reply->enhanced, text, n);
	reply->enhanced[n] = '\0';
	text += n;
	text_len -= n;
	skip_blanks(&text, &text_len);
	reply->code = parser->code;
	reply->lines = data;
	reply->len = len;
	reply->text = text;
	reply->text_len = text_len;
	reply->rest = parser->first_end;
	reply->is_plain = !parser->is_not_plain;
	memset(parser, 0, sizeof(*parser));
}

/*
 * Where the CRLF of a line ends that is all printable ASCII in front of it, as
 * nearly all lines are, in one look. 0: it is not, or it is not complete.
 */
static size_t
find_plain_end(
    const struct stls_reply_parser *parser, const char *data, size_t len)
{
	size_t at = parser->line_start;

	/* What comes in pieces is not looked at again and again. */
	if (parser->scanned > at)
		return 0;
	at += stls_ascii_printable(data + at, len - at);
	return len - at >= 2 && data[at] == '\r' && data[at + 1] == '\n'
	    ? at + 2
	    : 0;
}

/* The same for any line, whatever is in it and in front of its LF. */
static size_t
find_end(const struct stls_reply_parser *parser, const char *data, size_t len)
{
	const char *lf;

	lf = memchr(data + parser->scanned, '\n', len - parser->scanned);
	return lf != NULL ? (size_t)(lf - data) + 1 : 0;
}

int
stls_reply_parse(struct stls_err *err, struct stls_reply_parser *parser,
    const char *data, size_t len, struct stls_reply *out_reply)
{
	size_t start, end;
	bool last, is_plain;
	int r;

	for (;;) {
		start = parser->line_start;
		end = find_plain_end(parser, data, len);
		is_plain = end > 0;
		if (!is_plain) {
			parser->is_not_plain = true;
			end = find_end(parser, data, len);
		}
		if (end == 0) {
			parser->scanned = len;
			r = check_limits(err, parser, len - start);
			return r < 0 ? r : SMTPTLS_AGAIN;
		}

		parser->line_count++;
		r = check_limits(err, parser, end - start);
		if (r < 0)
			return r;
		if (end - start < 2 || data[end - 2] != '\r')
			return stls_err_set(err, SMTPTLS_E_PROTOCOL,
			    "a reply line ends with a bare LF");
		r = check_line(err, parser, data + start, end - 2 - start,
		    is_plain, &last);
		if (r < 0)
			return r;
		if (start == 0)
			parser->first_end = end;
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

	if (*offset >= reply->len)
		return false;
	lf = memchr(line, '\n', reply->len - *offset);
	*offset = (size_t)(lf - reply->lines) + 1;
	*out_text = text_of_line(line, (size_t)(lf - line) - 1, out_len);
	return true;
}

/* As stls_escape(), which is not needed where everything is printable. */
static size_t
put_text(const struct stls_reply *reply, char *out, size_t cap,
    const char *text, size_t len)
{
	if (!reply->is_plain)
		return stls_escape(out, cap, text, len);
	if (len >= cap)
		len = cap - 1;
	memcpy(out, text, len);
	out[len] = '\0';
	return len;
}

char *
stls_reply_text(const struct stls_reply *reply, char *out, size_t cap)
{
	size_t offset = reply->rest, used, len, n;
	const char *text;

	used = put_text(reply, out, cap, reply->text, reply->text_len);
	/* Where a line was cut there is no room for a blank and the next. */
	while ((used == 0 || cap - used > ESCAPED_LEN_MAX + 1) &&
	    stls_reply_next_line(reply, &offset, &text, &len)) {
		n = enhanced_len(reply->code, text, len);
		text += n;
		len -= n;
		skip_blanks(&text, &len);
		if (used > 0 && len > 0)
			out[used++] = ' ';
		used += put_text(reply, out + used, cap - used, text, len);
	}
	return out;
}
