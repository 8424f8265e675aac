/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>

#include <smtptls/status.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
stls_base64_encode(char *out, const void *data, size_t len)
{
	const unsigned char *in = data;
	size_t i, n = 0;
	uint32_t bits;

	for (i = 0; i < len; i += 3) {
		bits = (uint32_t)in[i] << 16;
		if (i + 1 < len)
			bits |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			bits |= in[i + 2];
		out[n++] = alphabet[bits >> 18];
		out[n++] = alphabet[bits >> 12 & 63];
		out[n++] = i + 1 < len ? alphabet[bits >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? alphabet[bits & 63] : '=';
	}
	out[n] = '\0';
	return n;
}

/*
 * The six bits of a character of the alphabet, and a mark. It is above all the
 * bits of four characters, so that one look tells whether all had theirs.
 */
#define MARK (1ULL << 32)
#define D(bits) ((bits) | MARK)
#define ALL_MARKS (MARK << 18 | MARK << 12 | MARK << 6 | MARK)
static const uint64_t digits[256] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, D(62), 0, 0, 0, D(63), D(52), D(53), D(54), D(55), D(56),
	D(57), D(58), D(59), D(60), D(61), 0, 0, 0, 0, 0, 0, 0, D(0), D(1),
	D(2), D(3), D(4), D(5), D(6), D(7), D(8), D(9), D(10), D(11), D(12),
	D(13), D(14), D(15), D(16), D(17), D(18), D(19), D(20), D(21), D(22),
	D(23), D(24), D(25), 0, 0, 0, 0, 0, 0, D(26), D(27), D(28), D(29),
	D(30), D(31), D(32), D(33), D(34), D(35), D(36), D(37), D(38), D(39),
	D(40), D(41), D(42), D(43), D(44), D(45), D(46), D(47), D(48), D(49),
	D(50), D(51) };

static uint64_t
four_digits(const char *text)
{
	const unsigned char *in = (const unsigned char *)text;

	return ((digits[in[0]] << 6 | digits[in[1]]) << 6 | digits[in[2]])
	    << 6 |
	    digits[in[3]];
}

/* Decode the padded end; returns how many bytes that is, 0: not base64. */
static size_t
decode_padded(unsigned char *out, const char *text)
{
	char filled[4] = { text[0], text[1], text[2], 'A' };
	size_t n = text[2] == '=' ? 1 : 2;
	uint64_t bits;

	if (n == 1)
		filled[2] = 'A';
	bits = four_digits(filled);
	if ((bits & ALL_MARKS) != ALL_MARKS ||
	    (bits & (n == 1 ? 0xffff : 0xff)) != 0)
		return 0;
	out[0] = (unsigned char)(bits >> 16);
	if (n == 2)
		out[1] = (unsigned char)(bits >> 8);
	return n;
}

int
stls_base64_decode(void *out, const char *text, size_t len, size_t *out_len)
{
	bool padded = len > 0 && text[len - 1] == '=';
	const char *end;
	uint64_t bits, marks = ALL_MARKS;
	unsigned char *to = out;
	size_t n = 0;

	if (len % 4 != 0)
		return SMTPTLS_E_INVALID;
	end = text + len - (padded ? 4 : 0);
	for (; text < end; text += 4, to += 3) {
		bits = four_digits(text);
		marks &= bits;
		to[0] = (unsigned char)(bits >> 16);
		to[1] = (unsigned char)(bits >> 8);
		to[2] = (unsigned char)bits;
	}
	if ((marks & ALL_MARKS) != ALL_MARKS)
		return SMTPTLS_E_INVALID;
	if (padded)
		n = decode_padded(to, text);
	if (padded && n == 0)
		return SMTPTLS_E_INVALID;
	*out_len = (size_t)(to - (unsigned char *)out) + n;
	return SMTPTLS_OK;
}
