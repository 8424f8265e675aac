/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_CHANCE_H
#define STLS_TEST_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Numbers that look random and are the same for the same seed (splitmix64, in
 * the public domain). Each connection, message and thread has a stream of its
 * own, so that what happens to one does not hang on who came first.
 */
struct chance {
	uint64_t state;
};

static inline uint64_t
chance_next(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A stream: number n of a kind. */
static inline struct chance
chance_of(uint64_t seed, char kind, uint64_t n)
{
	struct chance chance = { seed ^ ((uint64_t)kind << 56) };

	chance.state = chance_next(&chance) + n;
	chance.state = chance_next(&chance);
	return chance;
}

/* From 0 to below n. */
static inline unsigned int
chance_below(struct chance *chance, unsigned int n)
{
	return (unsigned int)(chance_next(chance) >> 33) % n;
}

static inline bool
chance_one_in(struct chance *chance, unsigned int n)
{
	return chance_below(chance, n) == 0;
}

/* Any order of magnitude below 2^bits is as likely as the others. */
static inline unsigned int
chance_scale(struct chance *chance, unsigned int bits)
{
	return chance_below(chance, 1u << chance_below(chance, bits + 1));
}

#endif
