/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef STLS_FAULTS
static unsigned long fail_at;
static int goes_on, has_failed;

void
stls_alloc_fail_at(unsigned long n)
{
	fail_at = n;
	goes_on = has_failed = 0;
}

void
stls_alloc_fail_from(unsigned long n)
{
	stls_alloc_fail_at(n);
	goes_on = 1;
}

int
stls_alloc_has_failed(void)
{
	return has_failed;
}

static int
must_fail(void)
{
	if (fail_at == 0 || --fail_at != 0)
		return 0;
	/* The next one is the first again. */
	fail_at = goes_on ? 1 : 0;
	has_failed = 1;
	return 1;
}
#else
static int
must_fail(void)
{
	return 0;
}
#endif

void *
stls_alloc(size_t size)
{
	if (must_fail())
		return NULL;
	/* malloc(0) may give NULL, which is no failure. */
	return malloc(size > 0 ? size : 1);
}

void *
stls_alloc_zero(size_t size)
{
	if (must_fail())
		return NULL;
	return calloc(1, size > 0 ? size : 1);
}

void *
stls_alloc_array(size_t count, size_t size)
{
	if (must_fail())
		return NULL;
	if (count == 0 || size == 0)
		count = size = 1;
	return calloc(count, size);
}

void *
stls_realloc(void *ptr, size_t size)
{
	if (must_fail())
		return NULL;
	return realloc(ptr, size > 0 ? size : 1);
}

char *
stls_strdup(const char *s)
{
	return stls_strndup(s, strlen(s));
}

char *
stls_strndup(const char *s, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		return NULL;
	copy = stls_alloc(len + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}
