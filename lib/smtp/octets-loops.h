/* SPDX-License-Identifier: MIT */
/*
 * Included by octets.c, once for each kind of machine; no guard. The includer
 * defines NAME(), TARGET (an attribute), BLOCK (the octets that are copied at
 * once), BITS (a type with a bit for each of them) and FIRST(bits). Without
 * vectors it also defines the functions copy_block() and sum(); else
 * VEC (the type) and what is done to it:
 *   LOAD, STORE, SET; EQUAL, LESS (signed), XOR, OR, MIN, ADD (saturated),
 *   SUB; TOP (the top bits, as a HALF); TOTAL (of all octets of it).
 */
#ifdef VEC

#define LEN sizeof(VEC)
#define BOTH(a, b) ((BITS)(HALF)TOP(a) | (BITS)(HALF)TOP(b) << LEN)

/*
 * Copy a block, and get a bit for each octet up to CR, with `seven` also for
 * those above 127: as signed numbers they are below as well.
 */
TARGET static inline BITS
NAME(copy_block)(unsigned char *out, const unsigned char *in, bool seven)
{
	VEC a = LOAD(in), b = LOAD(in + LEN);

	STORE(out, a);
	STORE(out + LEN, b);
	if (seven)
		return BOTH(LESS(a, SET(SPECIAL_LAST + 1)),
		    LESS(b, SET(SPECIAL_LAST + 1)));
	/* Only what is greater gets, or has, its top bit. */
	return ~BOTH(
	    ADD(a, SET(127 - SPECIAL_LAST)), ADD(b, SET(127 - SPECIAL_LAST)));
}

/* Of four vectors each, so that no octet of their sum comes to 256. */
#define ROUNDS_MAX 63

/* All bits of an octet that is a CR or LF outside CRLF, by the one before. */
#define BARE(p) XOR(EQUAL(LOAD(p), SET('\n')), EQUAL(LOAD((p)-1), SET('\r')))

#define SUM_ONE(p)                                                             \
	do {                                                                   \
		VEC v = LOAD(p);                                               \
                                                                               \
		high = OR(high, v);                                            \
		low = MIN(low, v);                                             \
		/* All bits are -1. */                                         \
		bare = SUB(bare, BARE(p));                                     \
	} while (0)

/* Sum up at least one vector, which has an octet in front of it. */
TARGET static void
NAME(sum)(struct stls_octets_sum *sum, const unsigned char *in, size_t len)
{
	const unsigned char *p = in;
	VEC high = SET(0), low = SET(-1), bare;
	size_t left = len / (4 * LEN), rounds;
	uint64_t bits;

	while (left > 0) {
		rounds = left < ROUNDS_MAX ? left : ROUNDS_MAX;
		left -= rounds;
		bare = SET(0);
		for (; rounds > 0; rounds--) {
			SUM_ONE(p);
			SUM_ONE(p + LEN);
			SUM_ONE(p + 2 * LEN);
			SUM_ONE(p + 3 * LEN);
			p += 4 * LEN;
		}
		sum->bare += TOTAL(bare);
	}
	bare = SET(0);
	for (left = len / LEN % 4; left > 0; left--, p += LEN)
		SUM_ONE(p);
	sum->bare += TOTAL(bare);
	/* What is left, behind octets of the last vector that were counted. */
	p = in + len - LEN;
	high = OR(high, LOAD(p));
	low = MIN(low, LOAD(p));
	bits = (uint64_t)(HALF)TOP(BARE(p)) >> (LEN - len % LEN);
	for (; bits != 0; bits &= bits - 1)
		sum->bare++;
	sum->has_nul |= TOP(EQUAL(low, SET(0))) != 0;
	sum->has_8bit |= TOP(high) != 0;
}

#undef LEN
#undef BOTH
#undef ROUNDS_MAX
#undef BARE
#undef SUM_ONE

#endif

/*
 * The first octet of a block that `bits` says may be special and that is, BLOCK
 * where there is none: a pair is where `dot` is behind it. What is judged by
 * the octet in front of it has one from `start` on.
 */
TARGET static inline __attribute__((always_inline)) size_t
NAME(find_special)(BITS bits, const unsigned char *in,
    const unsigned char *start, bool seven, int dot)
{
	const unsigned char *p;

	while (bits != 0) {
		p = in + FIRST(bits);
		bits &= bits - 1;
		if (is_pair(p) && p[2] != dot)
			/* Both are done, if both are in this block. */
			bits &= bits - 1;
		else if (!is_plain(*p, seven) &&
		    /* What did not stop at the CR is a pair. */
		    !(p > start && is_pair(p - 1)))
			return (size_t)(p - in);
	}
	return BLOCK;
}

/* As stls_octets_lines(); one function for each value of `seven`. */
TARGET static inline __attribute__((always_inline)) size_t
NAME(lines_of)(unsigned char **out, const unsigned char *in, size_t len,
    bool seven, bool lf, int dot)
{
	/* What is special in a block is judged by two octets more. */
	const unsigned char *start = in, *limit = in + len - (BLOCK + 2);
	unsigned char *place = *out;
	size_t k, ending;
	BITS bits;

	while (in <= limit) {
		bits = NAME(copy_block)(place, in, seven);
		k = NAME(find_special)(bits, in, start, seven, dot);
		in += k;
		place += k;
		if (k == BLOCK)
			continue;
		ending = line_ending(in, lf);
		if (ending == 0) {
			*out = place;
			return (size_t)(in - start);
		}
		in += ending;
		*place++ = '\r';
		*place++ = '\n';
		if (*in == dot) {
			*place++ = '.';
			*place++ = *in++;
		}
	}
	/* Never between the two of a pair. */
	if (in > start && in[-1] == '\r')
		*place++ = *in++;
	*out = place;
	return (size_t)(in - start);
}

TARGET static size_t
NAME(lines)(unsigned char **out, const unsigned char *in, size_t len,
    bool seven, bool lf, int dot)
{
	if (len < BLOCK + 2)
		return 0;
	return seven ? NAME(lines_of)(out, in, len, true, lf, dot)
		     : NAME(lines_of)(out, in, len, false, lf, dot);
}

#undef NAME
#undef TARGET
#undef BLOCK
#undef BITS
#undef FIRST
#undef VEC
#undef HALF
#undef LOAD
#undef STORE
#undef SET
#undef EQUAL
#undef LESS
#undef XOR
#undef OR
#undef MIN
#undef ADD
#undef SUB
#undef TOP
#undef TOTAL
