/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_OCSP_H
#define STLS_TLS_OCSP_H

#include <time.h>

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "tls/chain.h"
#include "tls/path.h"
#include "tls/verify.h"

/*
 * Look at the OCSP responses a peer stapled to its certificates (RFC 6066
 * section 8, RFC 8446 section 4.4.2.1). What was sent must be readable, of
 * today, about the certificate, signed by its issuer or whom that appointed,
 * and say "good". A certificate that demands a staple (RFC 7633) must have
 * one. An anchor is trusted for itself: its staple is not looked at.
 * *until is put forward to the end of the first response that ends.
 */
int stls_ocsp_check(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session, const struct stls_path *path, time_t *until);

#endif
