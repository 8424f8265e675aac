/* SPDX-License-Identifier: MIT */
#include "mail/header.h"

#include <string.h>

#include "base/ascii.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the line at `offset` ends, behind its line end. */
static size_t
next_line(const char *text, size_t len, size_t offset)
{
	const char *end = memchr(text + offset, '\n', len - offset);

	return end != NULL ? (size_t)(end - text) + 1 : len;
}

/* Length of a field name (RFC 5322 section 2.2), 0 where there is none. */
static size_t
name_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] > ' ' && text[n] < 0x7f && text[n] != ':')
		n++;
	return n;
}

static size_t
without_line_end(const char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	return len;
}

bool
stls_header_next(const char *text, size_t len, size_t *offset,
    struct stls_header_field *out_field)
{
	size_t start = *offset, end, colon;
	struct stls_header_field field = { .whole = text + start };

	if (start >= len)
		return false;
	end = next_line(text, len, start);
	field.name = text + start;
	field.name_len = name_len(field.name, end - start);
	colon = start + field.name_len;
	while (colon < end && is_blank(text[colon]))
		colon++;
	if (field.name_len == 0 || colon == end || text[colon] != ':')
		return false;

	while (end < len && is_blank(text[end]))
		end = next_line(text, len, end);
	field.whole_len = end - start;
	field.value = text + colon + 1;
	field.value_len = without_line_end(field.value, end - colon - 1);
	*offset = end;
	*out_field = field;
	return true;
}

bool
stls_header_field_is(const struct stls_header_field *field, const char *name)
{
	return stls_ascii_is(field->name, field->name_len, name);
}
