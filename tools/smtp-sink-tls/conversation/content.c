/* SPDX-License-Identifier: MIT */
#include "conversation/content.h"

#include <string.h>

/* RFC 5321 section 4.5.3.1.6, with its CRLF. */
#define TEXT_LINE_MAX 1000

void
sink_content_init(
    struct sink_content *content, struct sink_mail *mail, uint64_t len_max)
{
	memset(content, 0, sizeof(*content));
	content->mail = mail;
	content->len_max = len_max;
	content->at_line_start = true;
}

/*
 * One pass over all octets, without a branch, so that compilers make vectors of
 * it: this looks at every octet of every message.
 */
static void
look_at_octets(struct sink_content *content, const char *data, size_t len)
{
	unsigned char seen = (unsigned char)data[0], nul = data[0] == '\0';
	unsigned char bare = (data[0] == '\n') != (content->last == '\r');
	size_t i;

	for (i = 1; i < len; i++) {
		seen |= (unsigned char)data[i];
		nul |= data[i] == '\0';
		bare |= (data[i] == '\n') ^ (data[i - 1] == '\r');
	}
	content->has_eightbit |= (seen & 0x80) != 0;
	content->has_nul |= nul != 0;
	content->has_bare_line_end |= bare != 0;
}

/*
 * In steps as long as a line may be: what lies before the last LF of a step is
 * short enough.
 */
static void
measure_lines(struct sink_content *content, const char *data, size_t len)
{
	const char *lf;
	size_t n;

	for (; len > 0 && !content->has_long_line; data += n, len -= n) {
		n = TEXT_LINE_MAX - content->line_len;
		content->has_long_line = n == 0;
		if (n > len)
			n = len;
		lf = memrchr(data, '\n', n);
		if (lf == NULL) {
			content->line_len += n;
			continue;
		}
		n = (size_t)(lf - data) + 1;
		content->line_len = 0;
	}
}

/* Take octets as they are to be kept. */
static void
keep(struct sink_content *content, const char *data, size_t len)
{
	if (len == 0)
		return;
	look_at_octets(content, data, len);
	measure_lines(content, data, len);
	content->last = data[len - 1];
	content->len += len;
	if (content->len > content->len_max)
		content->is_too_long = true;
	else
		sink_mail_write(content->mail, data, len);
}

void
sink_content_chunk(struct sink_content *content, const char *data, size_t len)
{
	keep(content, data, len);
}

/* Whether what is there may become, or is, the line that ends the message. */
static bool
is_end(const char *data, size_t len)
{
	return memcmp(data, ".\r\n", len < 3 ? len : 3) == 0;
}

/* Whether the octet there is the first of a line; only CRLF ends one. */
static bool
begins_line(const struct sink_content *content, const char *data, size_t pos)
{
	if (pos == 0)
		return content->at_line_start;
	return data[pos - 1] == '\n' &&
	    (pos > 1 ? data[pos - 2] : content->last) == '\r';
}

size_t
sink_content_data(
    struct sink_content *content, const char *data, size_t len, bool *out_ended)
{
	size_t pos, kept = 0;
	const char *dot;
	bool at_line_start;

	*out_ended = false;
	for (pos = 0; pos < len; pos++) {
		dot = memchr(data + pos, '.', len - pos);
		pos = dot != NULL ? (size_t)(dot - data) : len;
		if (dot == NULL || !begins_line(content, data, pos))
			continue;
		if (is_end(dot, len - pos)) {
			*out_ended = len - pos >= 3;
			break;
		}
		keep(content, data + kept, pos - kept);
		kept = pos + 1;
	}
	if (pos > len)
		pos = len;
	at_line_start = begins_line(content, data, pos);
	keep(content, data + kept, pos - kept);
	content->at_line_start = at_line_start;
	return *out_ended ? pos + 3 : pos;
}
