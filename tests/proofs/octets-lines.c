/* SPDX-License-Identifier: MIT */
/*
 * The loop that copies a content, as a machine without vectors has it: what it
 * takes becomes what one octet after the other becomes, it takes nothing that
 * needs care, and nothing outside of the two places is touched.
 *
 * bounds: every content of LEN octets with every flag; words of 8 octets. Below
 * 10 it takes nothing.
 * files: lib/smtp/octets.c
 * options: -DSTLS_OCTETS_LEVEL=0 --unwindset find_special_words.0:9
 * full: -DLEN=10 --unwind 22 --unwindset lines_of_words.0:2
 * full: -DLEN=11 --unwind 24 --unwindset lines_of_words.0:3
 * mutant: lib/smtp/octets-loops.h s/len - (BLOCK + 2)/len - (BLOCK + 1)/
 * mutant: lib/smtp/octets-loops.h s/\*in == dot/*in == dot + 1/
 * mutant: lib/smtp/octets.c s/return 2;/return 1;/
 */
#include "smtp/octets.h"

#include "proof.h"

/* The rules of the header, for the first `len` octets; returns the length. */
static size_t
transform(unsigned char *out, const unsigned char *in, size_t len, bool dots)
{
	size_t i, n = 0;

	for (i = 0; i < LEN; i++) {
		if (i >= len)
			break;
		if (in[i] == '\n' && (i == 0 || in[i - 1] != '\r'))
			out[n++] = '\r';
		if (dots && in[i] == '.' && i > 0 && in[i - 1] == '\n')
			out[n++] = '.';
		out[n++] = in[i];
	}
	return n;
}

static void
copy_lines(const unsigned char *in)
{
	bool seven = nondet_bool(), lf = nondet_bool(), dots = nondet_bool();
	unsigned char *out = any_octets(2 * LEN), *end = out;
	unsigned char expected[2 * LEN];
	size_t taken, n, i;

	taken = stls_octets_lines(&end, in, LEN, seven, lf, dots);
	prove(taken <= LEN, "no more is taken than there is");
	n = transform(expected, in, taken, dots);
	prove((size_t)(end - out) == n, "as much is written as it becomes");
	for (i = 0; i < 2 * LEN; i++)
		prove(i >= n || out[i] == expected[i], "it becomes that");
	for (i = 0; i < LEN; i++) {
		if (i >= taken)
			break;
		prove(in[i] != '\0', "no NUL is taken");
		prove(!seven || in[i] < 128, "no octet above 127 is taken");
		prove(in[i] != '\r' || (i + 1 < taken && in[i + 1] == '\n'),
		    "no CR is taken alone");
		prove(in[i] != '\n' || lf || (i > 0 && in[i - 1] == '\r'),
		    "no LF is taken alone where that is not allowed");
	}
	free(out);
}

int
main(void)
{
	unsigned char *in = any_octets(LEN);

	copy_lines(in);
	free(in);
	return 0;
}
