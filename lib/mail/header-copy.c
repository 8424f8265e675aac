/* SPDX-License-Identifier: MIT */
#include "mail/header-copy.h"

#include <string.h>

#include "base/cleanup.h"
#include "mail/address.h"

int
stls_header_append_line(struct stls_buf *header, const char *line, size_t len)
{
	unsigned char *place;
	size_t i;

	if (len + 2 > stls_buf_room(header))
		return SMTPTLS_E_LIMIT;
	place = stls_buf_reserve(header, len + 2);
	if (place == NULL)
		return SMTPTLS_E_NOMEM;
	for (i = 0; i < len; i++)
		place[i] = (unsigned char)(line[i] == '\r' ? ' ' : line[i]);
	place[len] = '\r';
	place[len + 1] = '\n';
	stls_buf_commit(header, len + 2);
	return SMTPTLS_OK;
}

static int
copy_lines(struct stls_buf *header, const char *line, size_t left)
{
	const char *end;
	size_t len, n;
	int r;

	for (; left > 0; line += len, left -= len) {
		end = memchr(line, '\n', left);
		len = end != NULL ? (size_t)(end - line) + 1 : left;
		n = end != NULL ? len - 1 : len;
		while (n > 0 && line[n - 1] == '\r')
			n--;
		r = stls_header_append_line(header, line, n);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

static int
qualify(const struct stls_header_field *field, const char *domain,
    struct stls_buf *out)
{
	const char *value_end = field->value + field->value_len;
	const char *end = field->whole + field->whole_len;
	struct stls_err why = { 0 };
	int r;

	r = stls_buf_append(
	    out, field->whole, (size_t)(field->value - field->whole));
	if (r == SMTPTLS_OK)
		r = stls_address_field_qualify(
		    &why, field->value, field->value_len, domain, out);
	if (r == SMTPTLS_OK)
		r = stls_buf_append(out, value_end, (size_t)(end - value_end));
	return r;
}

int
stls_header_copy_field(struct stls_buf *header,
    const struct stls_header_field *field, const char *domain)
{
	CLEANUP(stls_buf_done) struct stls_buf whole = { 0 };
	int r = SMTPTLS_E_INVALID;

	if (domain != NULL) {
		/* What is above that is too long whatever copying drops. */
		stls_buf_init(&whole, stls_buf_room(header) + field->whole_len);
		r = qualify(field, domain, &whole);
	}
	if (r == SMTPTLS_E_INVALID)
		return copy_lines(header, field->whole, field->whole_len);
	if (r < 0)
		return r;
	return copy_lines(
	    header, (const char *)stls_buf_data(&whole), stls_buf_len(&whole));
}
