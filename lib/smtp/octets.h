/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_OCTETS_H
#define STLS_SMTP_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The two loops through which every octet of a content goes, many at a time
 * where the processor has vectors. They look for what is special and leave it
 * to the caller; what they do not finish is little, and his as well.
 */

/* Below this length stls_octets_lines() is not worth a call. */
#define STLS_OCTETS_LINES_MIN 10

/*
 * Copy, from the start, what needs no care: lines that end in CRLF. With `lf`
 * also lines that end in LF, which becomes CRLF; with `dots` a dot behind a
 * line ending is doubled, but the one that is first of all. Returns how many
 * octets were taken, and moves *out behind what became of them. It stops in
 * front of any other CR or LF, a NUL, an octet above 127 if `seven`, and
 * somewhere close to the end. A place for twice the length is needed at *out;
 * it is also written behind what counts.
 */
size_t stls_octets_lines(unsigned char **out, const unsigned char *in,
    size_t len, bool seven, bool lf, bool dots);

/* What octets hold. */
struct stls_octets_sum {
	uint64_t bare; /* CR and LF outside CRLF */
	bool has_nul;
	bool has_8bit;
};

/*
 * Sum up. `before` is the octet in front of the first one, 0 for none. A CR is
 * counted with the octet behind it, so one at the end is not.
 */
void stls_octets_sum(struct stls_octets_sum *out_sum, const unsigned char *in,
    size_t len, unsigned char before);

#endif
