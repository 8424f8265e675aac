/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_CREDENTIALS_H
#define STLS_TLS_CREDENTIALS_H

#include <gnutls/gnutls.h>

#include <smtptls/context.h>

#include "base/err.h"

/* Keeps the PIN of a token, which may want it again at every signature. */
struct stls_pin;

/* The own certificate. It is never asked to verify anything. */
struct stls_credentials {
	gnutls_certificate_credentials_t cert; /* empty without one */
	struct stls_pin *pin;
};

/* Make credentials without a certificate. */
int stls_credentials_init(
    struct stls_credentials *credentials, struct stls_err *err);

/* Wipe and free; copes with a zeroed struct. */
void stls_credentials_done(struct stls_credentials *credentials);

/*
 * Load a certificate chain and its key, from files in PEM or `pkcs11:` URIs,
 * in place of what is there. The key must be that of the certificate. GnuTLS
 * never asks for a PIN by itself, and the callback is not kept. On failure
 * nothing changes: SMTPTLS_E_INVALID, SMTPTLS_E_NOMEM.
 */
int stls_credentials_load(struct stls_credentials *credentials,
    struct stls_err *err, const char *certfile, const char *keyfile,
    smtptls_password_cb password, void *arg);

#endif
