/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_LOAD_CERTS_H
#define STLS_TEST_LOAD_CERTS_H

#include <gnutls/x509.h>

/*
 * A CA and a server's certificate from it. The factory of the other tests is of
 * no use here: it asserts by Check, which wants to be in charge of the process.
 */
struct certs {
	gnutls_x509_privkey_t ca_key, key;
	gnutls_x509_crt_t ca, server;
	gnutls_datum_t ca_pem;
};

void certs_make(struct certs *certs, const char *host);
void certs_free(struct certs *certs);

#endif
