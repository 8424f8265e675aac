/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_PATH_H
#define STLS_TLS_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "tls/anchors.h"
#include "tls/chain.h"
#include "tls/verify.h"

/* More CAs below an anchor than anybody has. */
#define STLS_PATH_MAX 8

/* How GnuTLS is asked about paths. Revocation lists are ours. */
#define STLS_PATH_VERIFY_FLAGS                                                 \
	(GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN |                           \
	    GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT |                        \
	    GNUTLS_VERIFY_DISABLE_CRL_CHECKS |                                 \
	    GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM))

/*
 * A way from the peer's certificate to an anchor of trust. Certificates are
 * lent by the chain, an anchor that the peer did not send by the anchors,
 * unless it is a copy.
 */
struct stls_path {
	gnutls_x509_crt_t cert[STLS_PATH_MAX + 1]; /* 0: the peer's own */
	size_t sent_as[STLS_PATH_MAX + 1]; /* below the anchor: its place */
	size_t count;			   /* the anchor, the last, included */
	gnutls_x509_crt_t anchor;	   /* the copy; or NULL */
};

/*
 * Find a path that GnuTLS, our rules and the revocation lists accept. Servers
 * send chains unordered, with certificates that do not belong to it, and with
 * cross-signed ones: any path that is good will do. SMTPTLS_E_CERTIFICATE
 * says what is wrong with the one that came farthest.
 */
int stls_path_find(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_anchors *anchors, const struct stls_chain *chain,
    struct stls_path *out_path);

/* Copes with a zeroed struct; usable with CLEANUP. */
void stls_path_done(struct stls_path *path);

#endif
