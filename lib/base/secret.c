/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"

/*
 * For what is larger glibc, and for what is known to be small the compiler,
 * takes an instruction that repeats itself octet by octet, or word by word. It
 * is not faster, and dear where instructions are counted.
 */
#define WIPED_AT_ONCE 2048

void
stls_wipe(void *data, size_t len)
{
	unsigned char *place = data;
	size_t n;

	for (; len > 0; place += n, len -= n) {
		n = len < WIPED_AT_ONCE ? len : WIPED_AT_ONCE;
		__asm__("" : "+r"(n));
		memset(place, 0, n);
		/* explicit_bzero(3) is not everywhere; gcc and clang are. */
		__asm__ __volatile__("" : : "r"(place) : "memory");
	}
}

void
stls_free_secret_string(char *s)
{
	if (s == NULL)
		return;
	stls_wipe(s, strlen(s));
	free(s);
}

int
stls_secret_set(struct stls_secret *secret, const char *data, size_t len)
{
	char *copy;

	copy = stls_strndup(data, len);
	if (copy == NULL)
		return SMTPTLS_E_NOMEM;
	stls_secret_done(secret);
	secret->data = copy;
	secret->len = len;
	return SMTPTLS_OK;
}

void
stls_secret_shorten(struct stls_secret *secret, size_t len)
{
	assert(len <= secret->len);
	if (secret->data == NULL)
		return;
	stls_wipe(secret->data + len, secret->len - len);
	secret->len = len;
}

void
stls_secret_done(struct stls_secret *secret)
{
	if (secret->data != NULL)
		stls_wipe(secret->data, secret->len);
	free(secret->data);
	secret->data = NULL;
	secret->len = 0;
}
