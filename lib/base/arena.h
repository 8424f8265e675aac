/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_ARENA_H
#define STLS_BASE_ARENA_H

#include <stddef.h>

struct stls_arena_block;

/*
 * Strings that are given back together, in few pieces of memory: the first
 * ones are in the arena itself, which must not be moved, and each block behind
 * it is twice as large as the one before. They stay where they are until
 * stls_arena_done(). Zero-initialised it is empty.
 */
struct stls_arena {
	struct stls_arena_block *last; /* the others hang on it; or NULL */
	size_t used;		       /* of the last one, or of `first` */
	char first[112];	       /* a sender and a recipient or two */
};

/*
 * Keep a copy of `len` octets and a NUL. NULL: memory ran out, and the arena
 * is unchanged.
 */
const char *stls_arena_copy(
    struct stls_arena *arena, const char *text, size_t len);

void stls_arena_done(struct stls_arena *arena);

#endif
