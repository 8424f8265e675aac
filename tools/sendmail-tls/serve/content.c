/* SPDX-License-Identifier: MIT */
#include "serve/content.h"

#include <string.h>

/* The first CR or LF, or the end. */
static size_t
line_part(const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - data) : len;
	const char *cr = memchr(data, '\r', n);

	return cr != NULL ? (size_t)(cr - data) : n;
}

/* What a line end that is not of a CRLF is. */
static enum smtp_content_result
bare(char c)
{
	return c == '\n' ? SMTP_CONTENT_BARE_LF : SMTP_CONTENT_BARE_CR;
}

/* The octet behind a dot that began a line. The dot is no data. */
static enum smtp_content_result
after_dot(struct smtp_content *content, char c)
{
	if (c == '\n')
		return SMTP_CONTENT_BARE_LF;
	content->state = c == '\r' ? SMTP_CONTENT_DOT_CR : SMTP_CONTENT_IN_LINE;
	return SMTP_CONTENT_GOES_ON;
}

/* Lines, from a place where an octet is data: up to a dot that may be none. */
static enum smtp_content_result
take_lines(struct smtp_content *content, const char *data, size_t len,
    size_t *out_used)
{
	size_t at = 0;

	while (at < len) {
		switch (content->state) {
		case SMTP_CONTENT_CR:
			if (data[at] != '\n')
				return bare('\r');
			at++;
			content->state = SMTP_CONTENT_LINE_START;
			break;
		case SMTP_CONTENT_LINE_START:
			if (data[at] == '.') {
				*out_used = at;
				return SMTP_CONTENT_GOES_ON;
			}
			content->state = SMTP_CONTENT_IN_LINE;
			break;
		default:
			at += line_part(data + at, len - at);
			if (at == len)
				break;
			if (data[at] == '\n')
				return bare('\n');
			at++;
			content->state = SMTP_CONTENT_CR;
		}
	}
	*out_used = at;
	return SMTP_CONTENT_GOES_ON;
}

enum smtp_content_result
smtp_content_take(struct smtp_content *content, const char *data, size_t len,
    size_t *out_used, const char **out_text, size_t *out_len)
{
	enum smtp_content_result result = SMTP_CONTENT_GOES_ON;
	size_t at = 0;

	*out_text = data;
	*out_used = *out_len = 0;
	if (len == 0)
		return SMTP_CONTENT_GOES_ON;
	if (content->state == SMTP_CONTENT_LINE_START && data[at] == '.') {
		at++;
		content->state = SMTP_CONTENT_DOT;
	}
	if (content->state == SMTP_CONTENT_DOT && at < len) {
		result = after_dot(content, data[at]);
		/* A CR here may be of the end, all else is data. */
		at += content->state == SMTP_CONTENT_DOT_CR;
	}
	if (content->state == SMTP_CONTENT_DOT_CR && at < len) {
		*out_used = at + 1;
		return data[at] == '\n' ? SMTP_CONTENT_ENDED : bare('\r');
	}
	*out_text = data + at;
	if (result == SMTP_CONTENT_GOES_ON &&
	    content->state != SMTP_CONTENT_DOT &&
	    content->state != SMTP_CONTENT_DOT_CR)
		result = take_lines(content, data + at, len - at, out_len);
	*out_used = at + *out_len;
	return result;
}
