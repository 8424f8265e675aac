/* SPDX-License-Identifier: MIT */
/*
 * The look at a content before it is sent, as a machine without vectors has it:
 * by words it counts what a look at each octet counts, and reads no other.
 *
 * bounds: every content of LEN octets; words of 8 octets.
 * files: lib/smtp/octets.c
 * options: -DSTLS_OCTETS_LEVEL=0
 * short: -DLEN=10 --unwind 12
 * full: -DLEN=18 --unwind 20
 * mutant: lib/smtp/octets.c s/load_word(in + i - 1)/load_word(in + i)/
 * mutant: lib/smtp/octets.c s/ALL(0x7f - limit)/ALL(0x7e - limit)/
 */
#include "smtp/octets.h"

#include "proof.h"

static void
sum_up(const unsigned char *in)
{
	unsigned char before = (unsigned char)nondet_char(), last = before;
	struct stls_octets_sum sum, expected = { 0 };
	size_t i;

	stls_octets_sum(&sum, in, LEN, before);
	for (i = 0; i < LEN; i++) {
		expected.bare += (in[i] == '\n') != (last == '\r');
		expected.has_nul |= in[i] == '\0';
		expected.has_8bit |= in[i] > 127;
		last = in[i];
	}
	prove(sum.bare == expected.bare, "what is bare is counted");
	prove(sum.has_nul == expected.has_nul, "a NUL is seen");
	prove(sum.has_8bit == expected.has_8bit, "what is 8-bit is seen");
}

int
main(void)
{
	unsigned char *in = any_octets(LEN);

	sum_up(in);
	free(in);
	return 0;
}
