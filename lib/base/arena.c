/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct stls_arena_block {
	struct stls_arena_block *before;
	size_t cap;
	char data[];
};

static size_t
cap_of_last(const struct stls_arena *arena)
{
	return arena->last != NULL ? arena->last->cap : sizeof(arena->first);
}

/* Another block, with place for at least so much and a NUL. */
static bool
grow(struct stls_arena *arena, size_t len)
{
	size_t cap = 2 * cap_of_last(arena);
	struct stls_arena_block *block;

	if (len > SIZE_MAX / 2)
		return false;
	if (cap <= len)
		cap = len + 1;
	block = stls_alloc(sizeof(*block) + cap);
	if (block == NULL)
		return false;
	block->before = arena->last;
	block->cap = cap;
	arena->last = block;
	arena->used = 0;
	return true;
}

const char *
stls_arena_copy(struct stls_arena *arena, const char *text, size_t len)
{
	char *copy;

	if (len >= cap_of_last(arena) - arena->used && !grow(arena, len))
		return NULL;
	copy = arena->last != NULL ? arena->last->data : arena->first;
	copy += arena->used;
	memcpy(copy, text, len);
	copy[len] = '\0';
	arena->used += len + 1;
	return copy;
}

void
stls_arena_done(struct stls_arena *arena)
{
	struct stls_arena_block *block;

	while ((block = arena->last) != NULL) {
		arena->last = block->before;
		free(block);
	}
	arena->used = 0;
}
