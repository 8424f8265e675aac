/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <endian.h>
#include <string.h>

size_t
stls_utf8_decode(const char *text, size_t len, uint32_t *out_char)
{
	/* The smallest character that needs a sequence of this length. */
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c;
	size_t need, i;

	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*out_char = s[0];
		return 1;
	}

	if ((s[0] & 0xe0) == 0xc0) {
		need = 2;
		c = s[0] & 0x1fu;
	} else if ((s[0] & 0xf0) == 0xe0) {
		need = 3;
		c = s[0] & 0x0fu;
	} else if ((s[0] & 0xf8) == 0xf0) {
		need = 4;
		c = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}

	if (c < smallest[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out_char = c;
	return need;
}

/* Each octet of a word. */
#define ALL(octet) (0x0101010101010101u * (uint64_t)(octet))

/*
 * How many octets in front of the first one of a word that is not printable,
 * sizeof(uint64_t) where all are. The top bit of an octet shows that it is
 * below the blank, DEL, or above 127; a borrow only comes from an octet in
 * front that is bad itself.
 */
static inline size_t
printable_in_word(const char *text)
{
	uint64_t word, bad;

	memcpy(&word, text, sizeof(word));
	word = le64toh(word);
	bad = ((word - ALL(' ')) | (word + ALL(1)) | word) & ALL(0x80);
	return bad != 0 ? (size_t)__builtin_ctzll(bad) / 8 : sizeof(word);
}

#define WORD sizeof(uint64_t)

size_t
stls_ascii_printable(const char *text, size_t len)
{
	size_t i, n = WORD;

	if (len < WORD) {
		for (i = 0; i < len && text[i] >= ' ' && text[i] <= '~';)
			i++;
		return i;
	}
	/* The last word ends where the text does, wherever it begins. */
	for (i = 0; n == WORD && i < len; i += n) {
		if (len - i < WORD)
			i = len - WORD;
		n = printable_in_word(text + i);
	}
	return i;
}

bool
stls_utf8_is_valid(const char *text, size_t len)
{
	uint32_t c;
	size_t n;

	while (len > 0) {
		n = stls_utf8_decode(text, len, &c);
		if (n == 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

bool
stls_ascii_only(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return false;
	}
	return true;
}

bool
stls_utf8_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
	    c == 0x2029;
}

bool
stls_utf8_has_control(const char *text, size_t len)
{
	uint32_t c;
	size_t n = stls_ascii_printable(text, len);

	for (text += n, len -= n; len > 0; text += n, len -= n) {
		n = stls_utf8_decode(text, len, &c);
		if (n == 0 || stls_utf8_is_control(c))
			return true;
	}
	return false;
}
