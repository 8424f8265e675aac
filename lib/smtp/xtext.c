/* SPDX-License-Identifier: MIT */
#include "smtp/xtext.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const char digits[] = "0123456789ABCDEF";

int
stls_xtext_encode(char *out, size_t cap, const char *text)
{
	size_t used = 0, n;
	unsigned char c;

	for (; *text != '\0'; text++) {
		c = (unsigned char)*text;
		if (c < ' ' || c > '~')
			return -1;
		n = c == ' ' || c == '+' || c == '=' ? 3 : 1;
		if (used + n >= cap)
			return -1;
		if (n == 1) {
			out[used++] = (char)c;
			continue;
		}
		out[used++] = '+';
		out[used++] = digits[c >> 4];
		out[used++] = digits[c & 15];
	}
	if (used >= cap)
		return -1;
	out[used] = '\0';
	return (int)used;
}

/* The value of an upper-case digit, which is what xtext has; -1: none. */
static int
digit_of(char c)
{
	const char *found = c != '\0' ? strchr(digits, c) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

int
stls_xtext_decode(char *out, size_t cap, const char *xtext)
{
	size_t used = 0;
	int c, high, low;

	for (; *xtext != '\0'; xtext++) {
		c = (unsigned char)*xtext;
		if (c <= ' ' || c == '=')
			return -1;
		if (c == '+') {
			high = digit_of(xtext[1]);
			low = high >= 0 ? digit_of(xtext[2]) : -1;
			if (low < 0)
				return -1;
			c = high * 16 + low;
			xtext += 2;
		}
		if (c < ' ' || c > '~' || used + 1 >= cap)
			return -1;
		out[used++] = (char)c;
	}
	if (used >= cap)
		return -1;
	out[used] = '\0';
	return (int)used;
}

int
stls_xtext_encode_utf8(char *out, size_t cap, const char *text)
{
	size_t len = strlen(text), used = 0, n;
	char escaped[16];
	uint32_t c;

	for (; len > 0; text += n, len -= n) {
		n = stls_utf8_decode(text, len, &c);
		if (n == 0 || stls_utf8_is_control(c))
			return -1;
		if (c > ' ' && c <= '~' && strchr("\\+=", (int)c) == NULL)
			snprintf(escaped, sizeof(escaped), "%c", (int)c);
		else
			snprintf(
			    escaped, sizeof(escaped), "\\x{%02" PRIX32 "}", c);
		if (used + strlen(escaped) >= cap)
			return -1;
		memcpy(out + used, escaped, strlen(escaped));
		used += strlen(escaped);
	}
	if (used >= cap)
		return -1;
	out[used] = '\0';
	return (int)used;
}
