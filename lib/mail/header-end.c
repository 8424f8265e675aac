/* SPDX-License-Identifier: MIT */
#include "mail/header-end.h"

#include <string.h>

#include "mail/header.h"
#include "mail/mbox.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Take in a line that is a field. Return-Path is what stores put in front; so
 * an mbox line may follow it.
 */
static bool
take_field(struct stls_header_end *end, const char *line, size_t len)
{
	struct stls_header_field field;
	size_t offset = 0;

	if (!stls_header_next(line, len, &offset, &field))
		return false;
	end->in_field = true;
	end->is_inside |= !stls_header_field_is(&field, "Return-Path");
	return true;
}

/* A whole line, without its line end. True: there is no header behind it. */
static bool
take_line(struct stls_header_end *end, const char *line, size_t len)
{
	bool starts = !end->is_inside && stls_mbox_starts_line(line, len);

	if (end->in_field && len > 0 && is_blank(line[0]))
		return false;
	if (!starts && !take_field(end, line, len))
		return true;
	end->after_from = false;
	if (starts) {
		end->in_field = false;
		end->after_from = !stls_mbox_has_time(line, len);
	}
	return false;
}

/*
 * Whether what there is of a line rules out that it is one of the header: the
 * whole body may be one line.
 */
static bool
is_out(const struct stls_header_end *end, const char *line, size_t len)
{
	size_t n = 0;

	if (len == 0 || (end->in_field && is_blank(line[0])))
		return false;
	while (n < len && line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
		n++;
	if (n == len)
		return false;
	/* That one waits for the whole line, and perhaps the next. */
	if (!end->is_inside && stls_mbox_starts_line(line, len))
		return false;
	if (n > 0) {
		while (n < len && is_blank(line[n]))
			n++;
	}
	/* A CR may be the first half of the line end of an empty line. */
	return n < len && line[n] != ':' && !(n == 0 && line[0] == '\r');
}

bool
stls_header_end_is_there(
    struct stls_header_end *end, const char *text, size_t len)
{
	const char *line_end;
	size_t line_len;

	for (;;) {
		line_end = memchr(
		    text + end->searched, '\n', len - end->searched);
		if (line_end == NULL)
			break;
		line_len = (size_t)(line_end - text) - end->line;
		if (take_line(end, text + end->line, line_len))
			return true;
		end->line = end->searched = (size_t)(line_end - text) + 1;
	}
	end->searched = len;
	return is_out(end, text + end->line, len - end->line);
}
