/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_SECRET_H
#define STLS_BASE_SECRET_H

#include <stddef.h>

/* Overwrite memory in a way the compiler does not optimise away. */
void stls_wipe(void *data, size_t len);

/* free(3) for a string that held a secret; NULL is fine. */
void stls_free_secret_string(char *s);

/*
 * A secret: a password, a token, a SASL response. It is a type of its own so
 * that nobody prints it by mistake; it is wiped when it goes. It has a NUL
 * behind its last byte, for the functions of others that want a C string.
 */
struct stls_secret {
	char *data; /* NULL: not set */
	size_t len;
};

/* Replace the content by a copy. SMTPTLS_E_NOMEM leaves it unchanged. */
int stls_secret_set(struct stls_secret *secret, const char *data, size_t len);

/* Keep the first `len` bytes, wipe the others. */
void stls_secret_shorten(struct stls_secret *secret, size_t len);

/* Wipe and free; copes with a zeroed struct; usable with CLEANUP. */
void stls_secret_done(struct stls_secret *secret);

#endif
