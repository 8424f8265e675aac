/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_PROOF_H
#define STLS_TESTS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Values that may be any: to CBMC, what a function without a body returns. */
bool nondet_bool(void);
char nondet_char(void);
int nondet_int(void);
unsigned int nondet_unsigned(void);
size_t nondet_size(void);
uint64_t nondet_uint64(void);

#define assume(what) __CPROVER_assume(what)
#define prove(what, statement) __CPROVER_assert(what, statement)

static inline size_t
any_up_to(size_t max)
{
	size_t n = nondet_size();

	assume(n <= max);
	return n;
}

/*
 * Any octets, exactly as many as are said, so that a look at one more or one
 * less is found. Where the number is known when the loops are unwound, which is
 * why the harnesses count lengths up, that costs the solver the least.
 */
static inline void *
any_octets(size_t len)
{
	void *octets = malloc(len);

	assume(octets != NULL);
	return octets;
}

/* Any C string of at most so many octets, in memory that ends with its NUL. */
static inline char *
any_string(size_t len)
{
	char *text = any_octets(len + 1);

	text[len] = '\0';
	return text;
}

#endif
