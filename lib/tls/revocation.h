/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_REVOCATION_H
#define STLS_TLS_REVOCATION_H

#include <stdbool.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "tls/trust.h"

/*
 * Check one certificate of a chain, below the anchor, against the lists that
 * are loaded: there must be one of its issuer, signed by that very
 * certificate, that is valid now and does not name it. For `trust->crls` > 0.
 * SMTPTLS_E_CERTIFICATE with a sentence: no list, an expired one, revoked;
 * SMTPTLS_E_NOMEM.
 */
int stls_revocation_check(const struct stls_trust *trust, struct stls_err *err,
    gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer);

/* What a list says of itself; for who loads it and for who checks. */

/* Whether it names a certificate as its issuer, which may be a namesake. */
bool stls_crl_is_of(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer);

/* What is wrong with its signature, GNUTLS_CERT_*; 0: it is the issuer's. */
unsigned int stls_crl_signature_status(
    gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer);

/* Whether it is valid now; if not, `code` with a sentence. */
int stls_crl_check_time(struct stls_err *err, int code, gnutls_x509_crl_t crl);

#endif
