/* SPDX-License-Identifier: MIT */
#ifndef SINK_CERTIFICATES_MAKE_CERT_H
#define SINK_CERTIFICATES_MAKE_CERT_H

#include <gnutls/x509.h>

/* What may be wrong with a certificate. */
enum sink_flaw {
	SINK_FLAW_EXPIRED = 0,
	SINK_FLAW_NOT_YET,
	SINK_FLAW_OTHER_NAME,
	SINK_FLAW_SELF_SIGNED,
	SINK_FLAW_OTHER_CA,
	SINK_FLAW_COUNT,
	SINK_FLAW_NONE = SINK_FLAW_COUNT
};

struct sink_pair {
	gnutls_x509_crt_t cert;
	gnutls_x509_privkey_t key;
};

void sink_pair_done(struct sink_pair *pair);
void sink_cert_done(gnutls_x509_crt_t *cert);

/*
 * Make a CA, and a certificate of it for localhost, each with a new key. They
 * answer a code of GnuTLS; what is there on failure is freed as ever.
 */
int sink_pair_make_ca(struct sink_pair *ca);
int sink_pair_make_leaf(const struct sink_pair *ca, struct sink_pair *leaf);

/* The same with a flaw and for a key that is there. */
int sink_cert_make_flawed(const struct sink_pair *ca, gnutls_x509_privkey_t key,
    enum sink_flaw flaw, gnutls_x509_crt_t *out_cert);

#endif
