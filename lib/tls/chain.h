/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_CHAIN_H
#define STLS_TLS_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/err.h"

/*
 * Real chains have two to four certificates; some servers add roots and
 * leftovers.
 */
#define STLS_CHAIN_MAX 16

/* The certificates a peer sent, in its order; 0 is its own. */
struct stls_chain {
	gnutls_x509_crt_t cert[STLS_CHAIN_MAX];
	size_t count;
};

/*
 * Read what the peer of a session sent, now or, where the session is resumed,
 * then. SMTPTLS_E_CERTIFICATE: nothing, too much, or no X.509.
 */
int stls_chain_init(struct stls_err *err, struct stls_chain *chain,
    gnutls_session_t session, const char *peer);

/* Copes with a zeroed struct; usable with CLEANUP. */
void stls_chain_done(struct stls_chain *chain);

#endif
