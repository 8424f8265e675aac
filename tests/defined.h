/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_DEFINED_H
#define STLS_TEST_DEFINED_H

#include <stddef.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif

/*
 * Have Valgrind take memory for written, all of which is looked through for
 * what must not be in it; what was never written is not it.
 */
static inline void
take_for_written(const void *memory, size_t len)
{
#ifdef VALGRIND_MAKE_MEM_DEFINED
	(void)VALGRIND_MAKE_MEM_DEFINED(memory, len);
#else
	(void)memory;
	(void)len;
#endif
}

#endif
