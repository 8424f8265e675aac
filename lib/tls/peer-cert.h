/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_PEER_CERT_H
#define STLS_TLS_PEER_CERT_H

#include <stddef.h>

#include <gnutls/gnutls.h>

#include <smtptls/session.h>

#include "base/err.h"

/* A description that was asked for, kept as long as the session. */
struct stls_peer_cert {
	struct stls_peer_cert *next;
	size_t index;
	struct smtptls_cert_info info;
	char text[]; /* all the strings of info */
};

/* Describe a certificate. SMTPTLS_E_NOMEM, SMTPTLS_E_CERTIFICATE. */
int stls_peer_cert_new(struct stls_err *err, const gnutls_datum_t *der,
    struct stls_peer_cert **out_cert);

/* Free a list. */
void stls_peer_cert_free(struct stls_peer_cert *list);

#endif
