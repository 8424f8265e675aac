/* SPDX-License-Identifier: MIT */
#include "mischief/reply.h"

#include <string.h>

#include "base/cleanup.h"

#include "conversation/misbehaviour.h"

/* The code and what follows it. */
#define CODE_LEN 3
#define FRONT_LEN 4

static const struct sink_misbehaviour *
row_of(const struct sink_smtp *smtp)
{
	return smtp->policy->mischief->row;
}

/* End when the output has left; what still comes is not looked at. */
static void
set_end(struct sink_smtp *smtp)
{
	smtp->mischief.end = row_of(smtp)->end;
	if (smtp->mischief.end != SINK_END_NONE)
		smtp->state = SINK_SMTP_CLOSING;
}

bool
sink_mischief_drop(struct sink_smtp *smtp, size_t mark)
{
	stls_buf_truncate(&smtp->out, mark);
	set_end(smtp);
	return true;
}

bool
sink_mischief_end_behind(struct sink_smtp *smtp, size_t mark)
{
	(void)mark;
	set_end(smtp);
	return true;
}

/* Put the text of the row into the output for a line of a reply. */
static void
append_rewritten(struct sink_smtp *smtp, const char *line, size_t len)
{
	const char *text = row_of(smtp)->text;
	size_t i;

	for (i = 0; i < row_of(smtp)->text_len; i++) {
		if (text[i] == '%')
			(void)stls_buf_append(&smtp->out, line, CODE_LEN);
		else if (text[i] == '~')
			(void)stls_buf_append(&smtp->out, line + CODE_LEN, 1);
		else if (text[i] == '*')
			(void)stls_buf_append(
			    &smtp->out, line + FRONT_LEN, len - FRONT_LEN);
		else
			(void)stls_buf_append(&smtp->out, &text[i], 1);
	}
}

bool
sink_mischief_rewrite(struct sink_smtp *smtp, size_t mark)
{
	CLEANUP(stls_buf_done) struct stls_buf reply;
	const char *line, *end;
	size_t len = stls_buf_len(&smtp->out) - mark;

	stls_buf_init(&reply, len);
	if (stls_buf_append(&reply, stls_buf_data(&smtp->out) + mark, len) < 0)
		return false;
	stls_buf_truncate(&smtp->out, mark);
	line = (const char *)stls_buf_data(&reply);
	for (; len >= FRONT_LEN; len -= (size_t)(end - line), line = end) {
		end = (const char *)memchr(line, '\n', len) + 1;
		append_rewritten(smtp, line, (size_t)(end - line) - 2);
	}
	set_end(smtp);
	return true;
}

/* So many of the text of the row, or for ever. */
static void
fill(struct sink_smtp *smtp, const char *text)
{
	uint64_t number = smtp->policy->mischief->number;

	smtp->mischief.filler.text = text;
	smtp->mischief.filler.left = number > 0 ? number : UINT64_MAX;
}

bool
sink_mischief_long_line(struct sink_smtp *smtp, size_t mark)
{
	/* "250 ", also where there were more lines, and then ever more text. */
	stls_buf_truncate(&smtp->out, mark + CODE_LEN);
	(void)stls_buf_append_str(&smtp->out, " ");
	fill(smtp, "x");
	smtp->mischief.filler.tail = "\r\n";
	return true;
}

bool
sink_mischief_many_lines(struct sink_smtp *smtp, size_t mark)
{
	static const char more[] = "000-more\r\n", end[] = "000 end\r\n";
	struct sink_filler *filler = &smtp->mischief.filler;
	const unsigned char *reply = stls_buf_data(&smtp->out) + mark;

	memcpy(filler->line, more, sizeof(more));
	memcpy(filler->line, reply, CODE_LEN);
	memcpy(filler->last, end, sizeof(end));
	memcpy(filler->last, reply, CODE_LEN);
	stls_buf_truncate(&smtp->out, mark);
	fill(smtp, filler->line);
	filler->tail = filler->last;
	return true;
}
