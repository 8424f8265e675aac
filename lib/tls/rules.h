/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_RULES_H
#define STLS_TLS_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "tls/path.h"
#include "tls/verify.h"

/* A certificate as a sentence calls it. */
#define STLS_LABEL_MAX 300

/*
 * Look at every certificate of a path, the anchor included: one function per
 * rule, in a table. SMTPTLS_E_CERTIFICATE says which certificate breaks which
 * rule.
 */
int stls_rules_check(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_path *path);

/*
 * Look only at what could keep GnuTLS busy for long: the path need not be at
 * its end.
 */
int stls_rules_check_bounds(struct stls_err *err,
    const struct stls_verify *verify, const struct stls_path *path);

/*
 * Name a certificate: `certificate of mx.example.org`, `CA certificate
 * "CN=Test Root"`. Index 0 is the peer's own.
 */
void stls_rules_label(char *out, size_t cap, const struct stls_verify *verify,
    gnutls_x509_crt_t cert, size_t index);

/* Whether a signature algorithm is good enough for certificates. */
bool stls_rules_signature_is_weak(gnutls_sign_algorithm_t algorithm);

#endif
