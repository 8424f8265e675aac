/* SPDX-License-Identifier: MIT */
#include "tls/chain.h"

#include <string.h>

static int
import(struct stls_err *err, struct stls_chain *chain,
    const gnutls_datum_t *der, const char *peer)
{
	gnutls_x509_crt_t cert;
	int r;

	r = gnutls_x509_crt_init(&cert);
	if (r < 0)
		return stls_err_nomem(err);
	r = gnutls_x509_crt_import(cert, der, GNUTLS_X509_FMT_DER);
	if (r < 0) {
		gnutls_x509_crt_deinit(cert);
		if (r == GNUTLS_E_MEMORY_ERROR)
			return stls_err_nomem(err);
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "certificate %zu that %s sent cannot be read: %s",
		    chain->count + 1, peer, gnutls_strerror(r));
	}
	chain->cert[chain->count++] = cert;
	return SMTPTLS_OK;
}

int
stls_chain_init(struct stls_err *err, struct stls_chain *chain,
    gnutls_session_t session, const char *peer)
{
	const gnutls_datum_t *der;
	unsigned int count = 0, i;
	int r;

	memset(chain, 0, sizeof(*chain));
	if (gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) !=
	    GNUTLS_CRT_X509)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "%s sent no X.509 certificate", peer);
	der = gnutls_certificate_get_peers(session, &count);
	if (der == NULL || count == 0)
		return stls_err_set(
		    err, SMTPTLS_E_CERTIFICATE, "%s sent no certificate", peer);
	if (count > STLS_CHAIN_MAX)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "%s sent %u certificates, more than %d", peer, count,
		    STLS_CHAIN_MAX);
	for (i = 0; i < count; i++) {
		r = import(err, chain, &der[i], peer);
		if (r < 0) {
			stls_chain_done(chain);
			return r;
		}
	}
	return SMTPTLS_OK;
}

void
stls_chain_done(struct stls_chain *chain)
{
	while (chain->count > 0)
		gnutls_x509_crt_deinit(chain->cert[--chain->count]);
}
