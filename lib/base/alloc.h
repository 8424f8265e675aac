/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_ALLOC_H
#define STLS_BASE_ALLOC_H

#include <stddef.h>

/*
 * Every allocation of this library goes through these, so that a test can
 * make the n-th one fail (stls_alloc_fail_at, compiled into tests only).
 * Memory is given back with free(3).
 */
void *stls_alloc(size_t size);
void *stls_alloc_zero(size_t size);
void *stls_alloc_array(size_t count, size_t size);
void *stls_realloc(void *ptr, size_t size);
char *stls_strdup(const char *s);
char *stls_strndup(const char *s, size_t len);

#ifdef STLS_FAULTS
/* Fail the n-th allocation from now (1 is the next), 0 turns it off. */
void stls_alloc_fail_at(unsigned long n);
/* The same, and all behind it. */
void stls_alloc_fail_from(unsigned long n);
/* Whether the failure has happened since stls_alloc_fail_at(). */
int stls_alloc_has_failed(void);
#endif

#endif
