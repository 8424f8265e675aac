/* SPDX-License-Identifier: MIT */
#include "crypto/random.h"

#include <gnutls/crypto.h>

int
stls_random(struct stls_err *err, void *out, size_t len)
{
	int r;

	/* GnuTLS notices a fork: a child draws other bytes than its parent. */
	r = gnutls_rnd(GNUTLS_RND_NONCE, out, len);
	if (r < 0)
		return stls_err_set(err, SMTPTLS_E_TLS, "no random bytes: %s",
		    gnutls_strerror(r));
	return SMTPTLS_OK;
}
