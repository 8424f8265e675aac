/* SPDX-License-Identifier: MIT */
/* The functions of libc that CBMC has no model of, or one that is dear. */
#include "proof.h"

/* C lets it read all that it was told of, so all of that has to be there. */
void *
memchr(const void *data, int c, size_t len)
{
	const unsigned char *in = data;
	size_t i;

	prove(len == 0 || __CPROVER_r_ok(data, len), "memchr may read it");
	for (i = 0; i < len; i++) {
		if (in[i] == (unsigned char)c)
			return (void *)(uintptr_t)(in + i);
	}
	return NULL;
}

void *
memcpy(void *to, const void *from, size_t len)
{
	const unsigned char *in = from;
	unsigned char *out = to;
	size_t i;

	prove(len == 0 || __CPROVER_r_ok(from, len), "memcpy may read it");
	prove(len == 0 || __CPROVER_w_ok(to, len), "memcpy may write it");
	for (i = 0; i < len; i++)
		out[i] = in[i];
	return to;
}
