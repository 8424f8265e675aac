/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

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

/* The six bits of a character, -1 where it is none of the alphabet. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return -1;
}

int
stls_base64_decode(void *out, const char *text, size_t len, size_t *out_len)
{
	unsigned char *to = out;
	size_t i, j, padding, n = 0;
	uint32_t bits;
	int value;

	if (len % 4 != 0)
		return SMTPTLS_E_INVALID;
	for (i = 0; i < len; i += 4) {
		padding = 0;
		if (i + 4 == len && text[i + 3] == '=')
			padding = text[i + 2] == '=' ? 2 : 1;
		bits = 0;
		for (j = 0; j < 4; j++) {
			value = j >= 4 - padding ? 0 : value_of(text[i + j]);
			if (value < 0)
				return SMTPTLS_E_INVALID;
			bits = bits << 6 | (uint32_t)value;
		}
		if ((padding == 1 && (bits & 0xff) != 0) ||
		    (padding == 2 && (bits & 0xffff) != 0))
			return SMTPTLS_E_INVALID;
		to[n++] = (unsigned char)(bits >> 16);
		if (padding < 2)
			to[n++] = (unsigned char)(bits >> 8);
		if (padding < 1)
			to[n++] = (unsigned char)bits;
	}
	*out_len = n;
	return SMTPTLS_OK;
}
