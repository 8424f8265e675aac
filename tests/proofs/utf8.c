/* SPDX-License-Identifier: MIT */
/*
 * What tells a character that may be sent or shown from one that may not:
 * UTF-8 is read as RFC 3629 has it, within its length, and the look at words
 * finds what a look at each octet finds.
 *
 * bounds: every text of up to LEN octets.
 * files: lib/base/utf8.c
 * short: -DLEN=10 --unwind 12
 * full: -DLEN=12 --unwind 14
 * mutant: lib/base/utf8.c s/len < need/len + 1 < need/
 * mutant: lib/base/utf8.c s/word + ALL(1)/word + ALL(2)/
 * mutant: lib/base/utf8.c s/c >= 0xd800/c > 0xd800/
 */
#include "base/utf8.h"

#include "proof.h"

/* Put a character back; returns how many octets it has. */
static size_t
encode(unsigned char out[4], uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
	static const unsigned char heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n - 1; i > 0; i--) {
		out[i] = (unsigned char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (unsigned char)(heads[n] | c);
	return n;
}

static void
decode(size_t len)
{
	char *text = any_octets(len);
	unsigned char again[4];
	uint32_t c;
	size_t n, i;

	n = stls_utf8_decode(text, len, &c);
	prove(n <= len && n <= 4, "a character is in the text");
	if (n > 0) {
		prove(c <= 0x10ffff && (c < 0xd800 || c > 0xdfff),
		    "a character is one of Unicode");
		prove(encode(again, c) == n, "no form is overlong");
		for (i = 0; i < n; i++)
			prove(again[i] == (unsigned char)text[i],
			    "a character is what was written");
	}
	free(text);
}

static void
look(size_t len)
{
	char *text = any_octets(len);
	size_t n, i;

	n = stls_ascii_printable(text, len);
	prove(n <= len, "what is printable is in the text");
	for (i = 0; i < len; i++) {
		if (i < n)
			prove(text[i] >= ' ' && text[i] <= '~',
			    "what is said to be printable is");
		else if (i == n)
			prove(text[i] < ' ' || text[i] > '~',
			    "all that is printable is said to be");
	}
	free(text);
}

int
main(void)
{
	uint32_t c = nondet_unsigned();
	size_t len, n;
	char *text;

	for (len = 0; len <= 5; len++)
		decode(len);
	for (len = 0; len <= LEN; len++)
		look(len);
	/* Whatever Unicode has can be read. */
	assume(c <= 0x10ffff && (c < 0xd800 || c > 0xdfff));
	text = any_octets(4);
	n = encode((unsigned char *)text, c);
	prove(stls_utf8_decode(text, n, &c) == n, "all of Unicode is read");
	free(text);
	return 0;
}
