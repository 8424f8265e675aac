/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_ANCHORS_H
#define STLS_TLS_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "tls/chain.h"
#include "tls/trust.h"

/* Raw names of those who may have issued something. */
struct stls_names {
	gnutls_datum_t *name;
	size_t count;
	size_t cap;
};

/* Copes with a zeroed struct; usable with CLEANUP. */
void stls_names_done(struct stls_names *names);

int stls_names_add_cert(
    struct stls_names *names, struct stls_err *err, gnutls_x509_crt_t cert);
int stls_names_add_crl(
    struct stls_names *names, struct stls_err *err, gnutls_x509_crl_t crl);

/*
 * The anchors that one verification can need, as a list for GnuTLS: of what is
 * kept in DER all whose subject is one of the names, in the order in which
 * they were loaded, or all that is trusted where that is parsed already.
 *
 * GnuTLS comes to the same decision with those as with all: it takes nothing
 * from a list but certificates whose subject is, octet for octet, the issuer of
 * one it looks at, or that have the same subject, too; and it never goes on
 * from one to the next, because an anchor ends the chain.
 */
struct stls_anchors {
	gnutls_x509_trust_list_t list;
	bool is_own; /* certificates are the store's, and stay */
};

/*
 * Find the anchors that are named. SMTPTLS_E_NOMEM; `code`: one of them cannot
 * be parsed, whatever it would have been good for.
 */
int stls_anchors_init(struct stls_anchors *anchors, struct stls_err *err,
    int code, const struct stls_trust *trust, const struct stls_names *names);

/* Find those who may have issued something of a chain that a peer sent. */
int stls_anchors_init_chain(struct stls_anchors *anchors, struct stls_err *err,
    const struct stls_trust *trust, const struct stls_chain *chain);

/* Copes with a zeroed struct; usable with CLEANUP. */
void stls_anchors_done(struct stls_anchors *anchors);

#endif
