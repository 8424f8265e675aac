/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <string.h>

/* RFC 5321 section 4.5.3.1.6, with its CRLF. */
#define TEXT_LINE_MAX 1000

#define HIGH_BITS UINT64_C(0x8080808080808080)

void
sink_content_init(
    struct sink_content *content, struct sink_mail *mail, uint64_t len_max)
{
	memset(content, 0, sizeof(*content));
	content->mail = mail;
	content->len_max = len_max;
	content->at_line_start = true;
}

/* Eight octets at a time: this looks at every octet of every message. */
static bool
has_high_bit(const char *data, size_t len)
{
	uint64_t word, seen = 0;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		seen |= word;
	}
	for (; len > 0; data++, len--)
		seen |= (unsigned char)*data;
	return (seen & HIGH_BITS) != 0;
}

static void
look_at_octets(struct sink_content *content, const char *data, size_t len)
{
	if (!content->has_eightbit)
		content->has_eightbit = has_high_bit(data, len);
	if (!content->has_nul)
		content->has_nul = memchr(data, '\0', len) != NULL;
}

/*
 * Take a piece of one line, up to and with its LF if it has one, as it is to
 * be kept. The piece is not empty.
 */
static void
take_piece(struct sink_content *content, const char *data, size_t len)
{
	bool has_lf = data[len - 1] == '\n';
	size_t before_lf = has_lf ? len - 1 : len;
	char last = before_lf > 0 ? data[before_lf - 1] : content->last;
	const char *cr;

	if (has_lf && last != '\r')
		content->has_bare_line_end = true;
	if (content->last == '\r' && data[0] != '\n')
		content->has_bare_line_end = true;
	cr = before_lf > 0 ? memchr(data, '\r', before_lf) : NULL;
	if (cr != NULL && cr != data + before_lf - 1)
		content->has_bare_line_end = true;

	content->line_len += len;
	if (content->line_len > TEXT_LINE_MAX)
		content->has_long_line = true;
	content->last = data[len - 1];
	/* Only CRLF ends a line: "\n.\r\n" is not the end of the message. */
	content->at_line_start = has_lf && last == '\r';
	if (has_lf)
		content->line_len = 0;
}

static size_t
piece_len(const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);

	return lf != NULL ? (size_t)(lf - data) + 1 : len;
}

static void
keep(struct sink_content *content, const char *data, size_t len)
{
	content->len += len;
	if (content->len > content->len_max)
		content->is_too_long = true;
	else
		sink_mail_write(content->mail, data, len);
}

void
sink_content_chunk(struct sink_content *content, const char *data, size_t len)
{
	size_t n;

	look_at_octets(content, data, len);
	keep(content, data, len);
	for (; len > 0; data += n, len -= n) {
		n = piece_len(data, len);
		take_piece(content, data, n);
	}
}

/* Whether what is there may become, or is, the line that ends the message. */
static bool
is_end(const char *data, size_t len)
{
	return memcmp(data, ".\r\n", len < 3 ? len : 3) == 0;
}

size_t
sink_content_data(
    struct sink_content *content, const char *data, size_t len, bool *out_ended)
{
	size_t pos = 0, kept = 0, n;

	*out_ended = false;
	while (pos < len) {
		if (content->at_line_start && data[pos] == '.') {
			if (is_end(data + pos, len - pos)) {
				*out_ended = len - pos >= 3;
				break;
			}
			keep(content, data + kept, pos - kept);
			kept = ++pos;
			content->at_line_start = false;
			continue;
		}
		n = piece_len(data + pos, len - pos);
		take_piece(content, data + pos, n);
		pos += n;
	}
	keep(content, data + kept, pos - kept);
	look_at_octets(content, data, pos);
	return *out_ended ? pos + 3 : pos;
}
