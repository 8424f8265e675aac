/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_TRUST_H
#define STLS_TLS_TRUST_H

#include <stddef.h>

#include <gnutls/x509.h>

#include <smtptls/context.h>

#include "base/err.h"

/*
 * What a context trusts: anchors and revocation lists. Loading fails closed:
 * what adds nothing, is not parsed or (a list) has expired is an error with
 * file and line, and nothing of it is added.
 */
struct stls_trust {
	gnutls_x509_trust_list_t list; /* NULL until something is loaded */
	size_t certs;
	size_t ca_certs;
	size_t crls;
};

void stls_trust_done(struct stls_trust *trust);

int stls_trust_load_file(
    struct stls_trust *trust, struct stls_err *err, const char *path);
int stls_trust_load_dir(
    struct stls_trust *trust, struct stls_err *err, const char *path);
int stls_trust_load_mem(struct stls_trust *trust, struct stls_err *err,
    const void *data, size_t len);
int stls_trust_load_system(struct stls_trust *trust, struct stls_err *err);
int stls_trust_load_crl_file(
    struct stls_trust *trust, struct stls_err *err, const char *path);
int stls_trust_load_crl_mem(struct stls_trust *trust, struct stls_err *err,
    const void *data, size_t len);

#endif
