/* SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

#include <stdint.h>
#include <string.h>

void
stls_digest_begin(struct stls_digest *digest)
{
	digest->failed = gnutls_hash_init(&digest->hash, GNUTLS_DIG_SHA256) < 0;
}

void
stls_digest_add(struct stls_digest *digest, const void *data, size_t len)
{
	uint64_t head = data != NULL ? (uint64_t)len + 1 : 0;

	if (digest->failed)
		return;
	digest->failed = gnutls_hash(digest->hash, &head, sizeof(head)) < 0;
	if (!digest->failed && data != NULL && len > 0)
		digest->failed = gnutls_hash(digest->hash, data, len) < 0;
	if (digest->failed)
		gnutls_hash_deinit(digest->hash, NULL);
}

void
stls_digest_add_str(struct stls_digest *digest, const char *s)
{
	stls_digest_add(digest, s, s != NULL ? strlen(s) : 0);
}

bool
stls_digest_end(struct stls_digest *digest, unsigned char out[STLS_DIGEST_LEN])
{
	if (digest->failed)
		return false;
	gnutls_hash_deinit(digest->hash, out);
	return true;
}
