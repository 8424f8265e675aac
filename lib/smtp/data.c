/* SPDX-License-Identifier: MIT */
#include "smtp/data.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "smtp/octets.h"

/* octet is the CR or LF that stands alone, counted from 1. */
static int
bad_line_ending(struct stls_err *err, uint64_t octet)
{
	return stls_err_set(err, SMTPTLS_E_SOURCE,
	    "the content has a line ending that is not CRLF at octet %" PRIu64,
	    octet);
}

static int
has_nul(struct stls_err *err, uint64_t octet)
{
	return stls_err_set(err, SMTPTLS_E_SOURCE,
	    "the content has a NUL at octet %" PRIu64, octet);
}

static int
is_8bit(struct stls_err *err)
{
	return stls_err_set(err, SMTPTLS_E_UNSUPPORTED,
	    "the content is 8-bit and the server does not offer 8BITMIME");
}

static unsigned char *
put_crlf(struct stls_data *data, unsigned char *place)
{
	*place++ = '\r';
	*place++ = '\n';
	data->in_line = false;
	return place;
}

/*
 * Write what has become of one octet, the next one after octets_in; place has
 * room for two.
 */
static inline int
put_octet(struct stls_err *err, struct stls_data *data, unsigned char c,
    unsigned char **place)
{
	bool after_cr = data->after_cr;

	data->after_cr = c == '\r';
	if (after_cr && c == '\n')
		return SMTPTLS_OK;
	if (after_cr && data->reject_line_endings)
		return bad_line_ending(err, data->octets_in);
	if (c == '\0')
		return has_nul(err, data->octets_in + 1);
	if (c > 127 && data->refuse_8bit)
		return is_8bit(err);
	if (c == '\n' && data->reject_line_endings)
		return bad_line_ending(err, data->octets_in + 1);

	if (c == '\r' || c == '\n') {
		*place = put_crlf(data, *place);
		return SMTPTLS_OK;
	}
	if (c == '.' && !data->in_line && !data->is_chunk)
		*(*place)++ = '.';
	*(*place)++ = c;
	data->in_line = true;
	return SMTPTLS_OK;
}

/* Take what is simple; returns how many octets that were. */
static size_t
put_lines(struct stls_data *data, const unsigned char *text, size_t len,
    unsigned char **place)
{
	size_t n;

	if (len < STLS_OCTETS_LINES_MIN || data->after_cr ||
	    (*text == '.' && !data->in_line && !data->is_chunk))
		return 0;
	n = stls_octets_lines(place, text, len, data->refuse_8bit,
	    !data->reject_line_endings, !data->is_chunk);
	if (n > 0)
		data->in_line = text[n - 1] != '\n';
	return n;
}

/* The same in the middle of a line, for what is too short for that. */
static size_t
put_plain(struct stls_data *data, const unsigned char *text, size_t len,
    unsigned char **place)
{
	size_t n;

	if (!data->in_line || data->after_cr)
		return 0;
	for (n = 0; n < len && text[n] > '\r'; n++) {
		if (text[n] > 127 && data->refuse_8bit)
			break;
		(*place)[n] = text[n];
	}
	*place += n;
	return n;
}

int
stls_data_write(struct stls_err *err, struct stls_data *data, const char *text,
    size_t len, struct stls_buf *out)
{
	const unsigned char *in = (const unsigned char *)text, *end = in + len;
	unsigned char *start, *place;
	size_t n;
	int r;

	assert(len <= STLS_DATA_CHUNK_MAX);
	start = place = stls_buf_reserve(out, 2 * len + 3);
	if (start == NULL)
		return stls_err_nomem(err);

	while (in < end) {
		n = put_lines(data, in, (size_t)(end - in), &place);
		n += put_plain(data, in + n, (size_t)(end - in) - n, &place);
		in += n;
		data->octets_in += n;
		if (in == end)
			break;
		r = put_octet(err, data, *in, &place);
		if (r < 0)
			return r;
		in++;
		data->octets_in++;
	}
	stls_buf_commit(out, (size_t)(place - start));
	return SMTPTLS_OK;
}

int
stls_data_end(
    struct stls_err *err, struct stls_data *data, struct stls_buf *out)
{
	const char *end = data->in_line ? "\r\n.\r\n" : ".\r\n";

	if (data->after_cr && data->reject_line_endings)
		return bad_line_ending(err, data->octets_in);
	if (data->is_chunk)
		end = data->in_line ? "\r\n" : "";
	if (stls_buf_append_str(out, end) < 0)
		return stls_err_nomem(err);
	data->in_line = false;
	return SMTPTLS_OK;
}

int
stls_data_check(struct stls_err *err, const struct stls_data_facts *facts,
    bool reject_line_endings)
{
	uint64_t nul_at = facts->nul_at, ending_at = 0;

	if (reject_line_endings)
		ending_at = facts->bad_line_ending_at;
	if (nul_at != 0 && (ending_at == 0 || nul_at < ending_at))
		return has_nul(err, nul_at);
	return ending_at != 0 ? bad_line_ending(err, ending_at) : SMTPTLS_OK;
}

/* Which octet of a piece is the first bad line ending; there is one. */
static uint64_t
find_bad_line_ending(const struct stls_data_look *look, const char *text)
{
	char before = (char)look->last;
	uint64_t octet = look->octets_in;

	while ((*text == '\n') == (before == '\r')) {
		before = *text++;
		octet++;
	}
	/* What shows that a CR stands alone is the octet behind it. */
	return *text == '\n' ? octet + 1 : octet;
}

void
stls_data_look(struct stls_data_look *look, const char *text, size_t len)
{
	struct stls_data_facts *facts = &look->facts;
	struct stls_octets_sum sum;
	const char *nul;

	if (len == 0)
		return;
	stls_octets_sum(&sum, (const unsigned char *)text, len, look->last);
	facts->size += len + sum.bare;
	facts->has_8bit |= sum.has_8bit;
	if (sum.has_nul && facts->nul_at == 0) {
		nul = memchr(text, '\0', len);
		facts->nul_at = look->octets_in + (uint64_t)(nul - text) + 1;
	}
	if (sum.bare > 0 && facts->bad_line_ending_at == 0)
		facts->bad_line_ending_at = find_bad_line_ending(look, text);
	look->octets_in += len;
	look->last = (unsigned char)text[len - 1];
}

void
stls_data_look_end(struct stls_data_look *look)
{
	struct stls_data_facts *facts = &look->facts;

	if (look->octets_in == 0)
		return;
	if (look->last == '\r') {
		facts->size++;
		if (facts->bad_line_ending_at == 0)
			facts->bad_line_ending_at = look->octets_in;
	} else if (look->last != '\n') {
		facts->size += 2;
	}
}
