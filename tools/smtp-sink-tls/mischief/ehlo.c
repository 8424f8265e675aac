/* SPDX-License-Identifier: MIT */
#include "mischief/ehlo.h"

#include <string.h>

#include "base/cleanup.h"

#include "conversation/extensions.h"
#include "conversation/misbehaviour.h"

/* "250-" */
#define FRONT_LEN 4

void
sink_mischief_hide_starttls(struct sink_smtp *smtp)
{
	smtp->mischief.hidden |= SINK_STARTTLS;
}

/* In the order of the words of its row. */
void
sink_mischief_only_before_tls(struct sink_smtp *smtp)
{
	static const unsigned int bits[] = { SINK_AUTH, SINK_SIZE,
		SINK_8BITMIME, SINK_SMTPUTF8, SINK_CHUNKING, SINK_PIPELINING,
		SINK_DSN, SINK_REQUIRETLS };
	unsigned int bit = bits[smtp->policy->mischief->word];

	if (smtp->is_tls)
		smtp->mischief.hidden |= bit;
	else
		smtp->mischief.shown |= bit;
}

/* Put a line into the output, as one that is followed by others. */
static void
append_line(struct sink_smtp *smtp, const char *text, size_t len)
{
	(void)stls_buf_append_str(&smtp->out, "250-");
	(void)stls_buf_append(&smtp->out, text, len);
	(void)stls_buf_append_str(&smtp->out, "\r\n");
}

/* Whether the keywords of two lines are the same. */
static bool
is_same_keyword(const char *line, size_t line_len, const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] != ' ' && text[n] != '=')
		n++;
	return n > 0 && line_len >= n && memcmp(line, text, n) == 0 &&
	    (line_len == n || line[n] == ' ' || line[n] == '\r');
}

/*
 * Say the reply again without the lines of the same keyword, and with these
 * lines, which have LF between.
 */
static bool
replace(struct sink_smtp *smtp, size_t mark, const char *text, size_t text_len)
{
	CLEANUP(stls_buf_done) struct stls_buf reply;
	size_t len = stls_buf_len(&smtp->out) - mark, n;
	const char *line, *end;

	stls_buf_init(&reply, len);
	if (stls_buf_append(&reply, stls_buf_data(&smtp->out) + mark, len) < 0)
		return false;
	line = (const char *)stls_buf_data(&reply);
	if (memcmp(line, "250", 3) != 0)
		return false;
	stls_buf_truncate(&smtp->out, mark);
	for (; len > FRONT_LEN; len -= (size_t)(end - line), line = end) {
		end = (const char *)memchr(line, '\n', len) + 1;
		n = (size_t)(end - line) - FRONT_LEN - 2;
		if (!is_same_keyword(line + FRONT_LEN, n, text, text_len))
			append_line(smtp, line + FRONT_LEN, n);
	}
	for (; text_len > 0; text += n, text_len -= n) {
		end = memchr(text, '\n', text_len);
		n = end != NULL ? (size_t)(end - text) : text_len;
		append_line(smtp, text, n);
		n += end != NULL;
	}
	(void)stls_buf_append_str(&smtp->out, "250 HELP\r\n");
	return true;
}

bool
sink_mischief_tiny_size(struct sink_smtp *smtp, size_t mark)
{
	static const char line[] = "SIZE 1";

	if (!smtp->is_tls && (smtp->mischief.shown & SINK_SIZE) != 0)
		return replace(smtp, mark, line, sizeof(line) - 1);
	return true;
}

bool
sink_mischief_offer_in_clear(struct sink_smtp *smtp, size_t mark)
{
	const char *text = smtp->policy->mischief->row->text;

	if (smtp->is_tls || text == NULL)
		return !smtp->is_tls;
	return replace(smtp, mark, text, strlen(text));
}

bool
sink_mischief_offer(struct sink_smtp *smtp, size_t mark)
{
	const char *text = smtp->policy->mischief->row->text;
	unsigned int word = smtp->policy->mischief->word;

	if (!smtp->is_tls || smtp->step != SINK_STEP_EHLO)
		return false;
	for (; word > 0; word--)
		text = strchr(text, '|') + 1;
	return replace(smtp, mark, text, strcspn(text, "|"));
}
