/* SPDX-License-Identifier: MIT */
/*
 * The linker puts these in front of the library's allocations (--wrap). What
 * GnuTLS and libc allocate by themselves does not pass here.
 */
#include "heap.h"

#if __has_include(<malloc_np.h>)
#include <malloc_np.h>
#else
#include <malloc.h>
#endif
#include <stdint.h>
#include <stdlib.h>

/* An open hash of the pointers that are the library's; never full. */
#define SLOTS (1u << 18)

static void *slots[SLOTS];
static size_t own;

static void *gone = &gone; /* was there: look on behind it */

static size_t
slot_of(const void *ptr)
{
	return ((uintptr_t)ptr >> 4) * 2654435761u % SLOTS;
}

static void *
add(void *ptr)
{
	size_t i;

	if (ptr == NULL)
		return NULL;
	for (i = slot_of(ptr); slots[i] != NULL && slots[i] != gone;)
		i = (i + 1) % SLOTS;
	slots[i] = ptr;
	own += malloc_usable_size(ptr);
	return ptr;
}

static void
drop(void *ptr)
{
	size_t i;

	for (i = slot_of(ptr); slots[i] != NULL; i = (i + 1) % SLOTS) {
		if (slots[i] != ptr)
			continue;
		slots[i] = gone;
		own -= malloc_usable_size(ptr);
		return;
	}
}

size_t
bench_heap_own(void)
{
	return own;
}

#define WRAP(type, name, params, args)                                         \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		return add(__real_##name args);                                \
	}

WRAP(void *, stls_alloc, (size_t size), (size))
WRAP(void *, stls_alloc_zero, (size_t size), (size))
WRAP(void *, stls_alloc_array, (size_t count, size_t size), (count, size))
WRAP(char *, stls_strdup, (const char *s), (s))
WRAP(char *, stls_strndup, (const char *s, size_t len), (s, len))

void *__real_stls_realloc(void *ptr, size_t size);
void *__wrap_stls_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void __wrap_free(void *ptr);

void *
__wrap_stls_realloc(void *ptr, size_t size)
{
	if (ptr != NULL)
		drop(ptr);
	return add(__real_stls_realloc(ptr, size));
}

void
__wrap_free(void *ptr)
{
	if (ptr != NULL)
		drop(ptr);
	__real_free(ptr);
}
