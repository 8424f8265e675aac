/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_CERTS_H
#define STLS_TLS_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "tls/source.h"

/* Certificates in a row; all of them are freed with it. */
struct stls_certs {
	gnutls_x509_crt_t *crt;
	size_t count;
	size_t cap;
};

void stls_certs_done(struct stls_certs *certs);

/* Append; takes the certificate over, also when memory runs out. */
int stls_certs_add(struct stls_certs *certs, gnutls_x509_crt_t crt);

/* Append copies of all that a trust list holds; NULL holds none. */
int stls_certs_add_trusted(struct stls_certs *certs, struct stls_err *err,
    gnutls_x509_trust_list_t list);

/* Parse a block and append it; an error says where the block is. */
int stls_certs_add_block(struct stls_certs *certs, struct stls_err *err,
    const struct stls_source *source, const struct stls_block *block);

/* Whether a block of PEM says that it is a certificate; DER always may be. */
bool stls_block_is_cert(const struct stls_block *block);

/* Make a copy; NULL: memory ran out. */
gnutls_x509_crt_t stls_cert_copy(gnutls_x509_crt_t crt);

/*
 * Whether two are the same, to the last octet; not where memory runs out. As
 * gnutls_x509_crt_equals(), which formats the names of both before it looks,
 * and so costs as much as to parse one.
 */
bool stls_cert_is_same(gnutls_x509_crt_t a, gnutls_x509_crt_t b);

/* Whether it may sign certificates: a CA, or self-issued of version 1. */
bool stls_cert_is_ca(gnutls_x509_crt_t crt);

/* Set the error that a GnuTLS code stands for. */
int stls_gnutls_error(struct stls_err *err, int r, const char *what);

#define STLS_NAME_MAX 256

/* The subject or issuer, or "(no name)". */
void stls_cert_subject(char *out, size_t cap, gnutls_x509_crt_t crt);
void stls_cert_issuer(char *out, size_t cap, gnutls_x509_crt_t crt);
void stls_crl_issuer(char *out, size_t cap, gnutls_x509_crl_t crl);

#define STLS_DATE_MAX 32

/* 2026-02-01, in UTC. */
void stls_format_date(char *out, size_t cap, time_t when);

#endif
