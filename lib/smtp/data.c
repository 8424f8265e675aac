/* SPDX-License-Identifier: MIT */
#include "smtp/data.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/*
 * How many octets at the start of text are neither CR, LF nor NUL; *high gets
 * the eighth bit of any of them.
 */
static size_t
plain_span(const char *text, size_t len, unsigned char *high)
{
	unsigned char bits = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || c == '\r' || c == '\0')
			break;
		bits |= c;
	}
	*high = bits & 0x80;
	return i;
}

/* octet is the CR or LF that stands alone, counted from 1. */
static int
bad_line_ending(struct stls_err *err, uint64_t octet)
{
	return stls_err_set(err, SMTPTLS_E_SOURCE,
	    "the content has a line ending that is not CRLF at octet %" PRIu64,
	    octet);
}

/* Copy a piece of a line; place has room for it and a dot. */
static unsigned char *
put_plain(
    struct stls_data *data, unsigned char *place, const char *text, size_t len)
{
	if (!data->in_line && !data->is_chunk && *text == '.')
		*place++ = '.';
	memcpy(place, text, len);
	data->in_line = true;
	return place + len;
}

static unsigned char *
put_crlf(struct stls_data *data, unsigned char *place)
{
	*place++ = '\r';
	*place++ = '\n';
	data->in_line = false;
	return place;
}

int
stls_data_write(struct stls_err *err, struct stls_data *data, const char *text,
    size_t len, struct stls_buf *out)
{
	unsigned char *start, *place, high;
	size_t i = 0, n;

	assert(len <= STLS_DATA_CHUNK_MAX);
	start = place = stls_buf_reserve(out, 2 * len + 3);
	if (start == NULL)
		return stls_err_nomem(err);

	while (i < len) {
		if (data->after_cr) {
			data->after_cr = false;
			if (text[i] == '\n') {
				i++;
				continue;
			}
			if (data->reject_line_endings)
				return bad_line_ending(
				    err, data->octets_in + i);
		}

		n = plain_span(text + i, len - i, &high);
		if (high != 0 && data->refuse_8bit)
			return stls_err_set(err, SMTPTLS_E_UNSUPPORTED,
			    "the content is 8-bit and the server does not "
			    "offer 8BITMIME");
		if (n > 0)
			place = put_plain(data, place, text + i, n);
		i += n;
		if (i == len)
			break;

		if (text[i] == '\0')
			return stls_err_set(err, SMTPTLS_E_SOURCE,
			    "the content has a NUL at octet %" PRIu64,
			    data->octets_in + i + 1);
		if (text[i] == '\r')
			data->after_cr = true;
		else if (data->reject_line_endings)
			return bad_line_ending(err, data->octets_in + i + 1);
		place = put_crlf(data, place);
		i++;
	}
	data->octets_in += len;
	stls_buf_commit(out, (size_t)(place - start));
	return SMTPTLS_OK;
}

int
stls_data_end(
    struct stls_err *err, struct stls_data *data, struct stls_buf *out)
{
	int r;

	if (data->after_cr && data->reject_line_endings)
		return bad_line_ending(err, data->octets_in);
	r = SMTPTLS_OK;
	if (data->in_line)
		r = stls_buf_append_str(out, "\r\n");
	if (r == SMTPTLS_OK && !data->is_chunk)
		r = stls_buf_append_str(out, ".\r\n");
	if (r < 0)
		return stls_err_nomem(err);
	data->in_line = false;
	return SMTPTLS_OK;
}

void
stls_data_look(struct stls_data_look *look, const char *text, size_t len)
{
	unsigned char high;
	size_t i = 0, n;

	while (i < len) {
		if (look->after_cr && text[i] == '\n')
			i++;
		look->after_cr = false;
		n = plain_span(text + i, len - i, &high);
		look->facts.has_8bit |= high != 0;
		look->facts.size += n;
		look->in_line |= n > 0;
		i += n;
		if (i >= len)
			break;
		if (text[i] == '\0') {
			/* Refused later, when its place can be told. */
			look->facts.size++;
		} else {
			look->after_cr = text[i] == '\r';
			look->facts.size += 2;
			look->in_line = false;
		}
		i++;
	}
}

void
stls_data_look_end(struct stls_data_look *look)
{
	if (look->in_line)
		look->facts.size += 2;
	look->in_line = false;
}
