/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_FREE_H
#define STLS_TLS_FREE_H

#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

/* For CLEANUP: what GnuTLS gave; NULL is nothing. */
static inline void
free_cert(gnutls_x509_crt_t *cert)
{
	if (*cert != NULL)
		gnutls_x509_crt_deinit(*cert);
}

static inline void
free_datum(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
}

static inline void
free_names(gnutls_subject_alt_names_t *names)
{
	if (*names != NULL)
		gnutls_subject_alt_names_deinit(*names);
}

static inline void
free_features(gnutls_x509_tlsfeatures_t *features)
{
	if (*features != NULL)
		gnutls_x509_tlsfeatures_deinit(*features);
}

#endif
