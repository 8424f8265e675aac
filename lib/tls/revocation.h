/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_REVOCATION_H
#define STLS_TLS_REVOCATION_H

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

#endif
