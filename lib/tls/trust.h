/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_TRUST_H
#define STLS_TLS_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/x509.h>

#include <smtptls/context.h>

#include "base/err.h"
#include "tls/store.h"

/*
 * What a context trusts: anchors and revocation lists. Loading fails closed:
 * what adds nothing, is not parsed or (a list) has expired is an error with
 * file and line, and nothing of it is added.
 *
 * Anchors are either all in `store`, where they are parsed one by one when a
 * verification needs them (tls/anchors.h), or all in `list`, parsed: those of a
 * server, which verifies many peers, and of whoever trusts the store of the
 * system through GnuTLS, which may be more than certificates (PKCS#11, distrust
 * entries).
 *
 * How gnutls_x509_trust_list_verify_crt2() treats a list, all of it tested:
 * - An intermediate CA in it is an anchor: the chain ends there, also where
 *   the server sends more, and whether its own issuer is trusted or not.
 * - A leaf in it is an anchor for itself, by comparison of the whole
 *   certificate, but only where it is verified alone: with its issuer behind
 *   it, it is not found. So a leaf is tried alone first.
 * - A leaf in it signs nothing (SIGNER_NOT_CA). A certificate of version 1
 *   has no basic constraints and is taken for a CA unless the flag
 *   GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT is given.
 * - An anchor that has expired, or is not valid yet, verifies nothing.
 * - GNUTLS_VERIFY_DO_NOT_ALLOW_SAME would undo what is said about leafs.
 * Revocation lists are not in it: GnuTLS takes a certificate without a list
 * for good, and a list that it cannot read to the end for empty. See
 * tls/revocation.h.
 */
struct stls_trust {
	bool is_eager; /* parse everything when it is loaded */
	bool is_live;  /* may look at what is not in memory: p11-kit */
	struct stls_store store;
	gnutls_x509_trust_list_t list; /* NULL as long as there is none */
	gnutls_x509_crl_t *crl;
	size_t crls;
	/* The CAs in DER, made when asked for; entries never move or go. */
	gnutls_datum_t *ca;
	size_t cas;
};

void stls_trust_done(struct stls_trust *trust);

int stls_trust_load_file(
    struct stls_trust *trust, struct stls_err *err, const char *path);
int stls_trust_load_dir(
    struct stls_trust *trust, struct stls_err *err, const char *path);
int stls_trust_load_mem(struct stls_trust *trust, struct stls_err *err,
    const void *data, size_t len);

/*
 * Trust the system: what GnuTLS's own loader gives, or the certificates of one
 * file where that is all that it would give; NULL, "": there is no such file.
 */
int stls_trust_load_system(
    struct stls_trust *trust, struct stls_err *err, const char *bundle);
int stls_trust_load_crl_file(
    struct stls_trust *trust, struct stls_err *err, const char *path);
int stls_trust_load_crl_mem(struct stls_trust *trust, struct stls_err *err,
    const void *data, size_t len);

bool stls_trust_is_empty(const struct stls_trust *trust);

int stls_trust_stats(const struct stls_trust *trust, struct stls_err *err,
    struct smtptls_cert_store_stats *out_stats);

/* Fill trust->ca with what is not there yet. */
int stls_trust_list_cas(struct stls_trust *trust, struct stls_err *err);

#endif
