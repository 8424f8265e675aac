/* SPDX-License-Identifier: MIT */
#ifndef STLS_CRYPTO_DIGEST_H
#define STLS_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/crypto.h>

/*
 * SHA-256 of several fields, none of which can pass for a part of another one:
 * each counts with its length. For what must be the same to be equal.
 */
#define STLS_DIGEST_LEN 32

struct stls_digest {
	gnutls_hash_hd_t hash;
	bool failed; /* for lack of memory: stays until the end */
};

void stls_digest_begin(struct stls_digest *digest);

/* Add a field; data NULL: one that is not there, which is not an empty one. */
void stls_digest_add(struct stls_digest *digest, const void *data, size_t len);
void stls_digest_add_str(struct stls_digest *digest, const char *s);

/* False: memory ran out, and *out is not written. */
bool stls_digest_end(
    struct stls_digest *digest, unsigned char out[STLS_DIGEST_LEN]);

#endif
