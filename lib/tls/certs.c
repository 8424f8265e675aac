/* SPDX-License-Identifier: MIT */
#include "tls/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tls/free.h"

int
stls_gnutls_error(struct stls_err *err, int r, const char *what)
{
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	return stls_err_set(
	    err, SMTPTLS_E_INVALID, "%s: %s", what, gnutls_strerror(r));
}

void
stls_certs_done(struct stls_certs *certs)
{
	size_t i;

	for (i = 0; i < certs->count; i++)
		gnutls_x509_crt_deinit(certs->crt[i]);
	free(certs->crt);
	memset(certs, 0, sizeof(*certs));
}

int
stls_certs_add(struct stls_certs *certs, gnutls_x509_crt_t crt)
{
	gnutls_x509_crt_t *grown;
	size_t cap;

	if (certs->count == certs->cap) {
		cap = certs->cap > 0 ? certs->cap * 2 : 8;
		grown = stls_realloc(certs->crt, cap * sizeof(*grown));
		if (grown == NULL) {
			gnutls_x509_crt_deinit(crt);
			return SMTPTLS_E_NOMEM;
		}
		certs->crt = grown;
		certs->cap = cap;
	}
	certs->crt[certs->count++] = crt;
	return SMTPTLS_OK;
}

int
stls_certs_add_trusted(struct stls_certs *certs, struct stls_err *err,
    gnutls_x509_trust_list_t list)
{
	gnutls_x509_trust_list_iter_t iter = NULL;
	gnutls_x509_crt_t crt = NULL;
	int r = SMTPTLS_OK;

	if (list == NULL)
		return SMTPTLS_OK;
	for (;;) {
		r = gnutls_x509_trust_list_iter_get_ca(list, &iter, &crt);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return SMTPTLS_OK;
		if (r < 0) {
			r = stls_gnutls_error(err, r, "the trusted CAs");
			break;
		}
		r = stls_certs_add(certs, crt);
		if (r < 0) {
			r = stls_err_nomem(err);
			break;
		}
	}
	gnutls_x509_trust_list_iter_deinit(iter);
	return r;
}

bool
stls_block_is_cert(const struct stls_block *block)
{
	/* The second is what the first was called once. */
	return block->label == NULL || stls_block_is(block, "CERTIFICATE") ||
	    stls_block_is(block, "X509 CERTIFICATE");
}

int
stls_certs_add_block(struct stls_certs *certs, struct stls_err *err,
    const struct stls_source *source, const struct stls_block *block)
{
	gnutls_x509_crt_t crt;
	int r;

	r = gnutls_x509_crt_init(&crt);
	if (r < 0)
		return stls_gnutls_error(err, r, "a certificate");
	r = gnutls_x509_crt_import(crt, &block->data, block->format);
	if (r < 0) {
		gnutls_x509_crt_deinit(crt);
		if (r == GNUTLS_E_MEMORY_ERROR)
			return stls_err_nomem(err);
		return stls_source_fail(source, err, block,
		    "no valid certificate: %s", gnutls_strerror(r));
	}
	if (stls_certs_add(certs, crt) < 0)
		return stls_err_nomem(err);
	return SMTPTLS_OK;
}

gnutls_x509_crt_t
stls_cert_copy(gnutls_x509_crt_t crt)
{
	CLEANUP(free_cert) gnutls_x509_crt_t copy = NULL;
	gnutls_datum_t der = { NULL, 0 };
	int r;

	r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);
	if (r >= 0)
		r = gnutls_x509_crt_init(&copy);
	if (r >= 0)
		r = gnutls_x509_crt_import(copy, &der, GNUTLS_X509_FMT_DER);
	gnutls_free(der.data);
	return r >= 0 ? TAKE(copy) : NULL;
}

bool
stls_cert_is_same(gnutls_x509_crt_t a, gnutls_x509_crt_t b)
{
	CLEANUP(free_datum) gnutls_datum_t der_a = { NULL, 0 };
	CLEANUP(free_datum) gnutls_datum_t der_b = { NULL, 0 };

	return gnutls_x509_crt_export2(a, GNUTLS_X509_FMT_DER, &der_a) >= 0 &&
	    gnutls_x509_crt_export2(b, GNUTLS_X509_FMT_DER, &der_b) >= 0 &&
	    der_a.size == der_b.size &&
	    memcmp(der_a.data, der_b.data, der_a.size) == 0;
}

bool
stls_cert_is_ca(gnutls_x509_crt_t crt)
{
	int version = gnutls_x509_crt_get_version(crt);

	if (version == 1)
		return gnutls_x509_crt_check_issuer(crt, crt) != 0;
	return gnutls_x509_crt_get_ca_status(crt, NULL) > 0;
}

static void
take_name(char *out, size_t cap, int r, gnutls_datum_t *name)
{
	if (r < 0 || name->size == 0)
		snprintf(out, cap, "(no name)");
	else
		snprintf(out, cap, "%s", (const char *)name->data);
	if (r >= 0)
		gnutls_free(name->data);
}

void
stls_cert_subject(char *out, size_t cap, gnutls_x509_crt_t crt)
{
	gnutls_datum_t name = { NULL, 0 };
	int r = gnutls_x509_crt_get_dn3(crt, &name, 0);

	take_name(out, cap, r, &name);
}

void
stls_cert_issuer(char *out, size_t cap, gnutls_x509_crt_t crt)
{
	gnutls_datum_t name = { NULL, 0 };
	int r = gnutls_x509_crt_get_issuer_dn3(crt, &name, 0);

	take_name(out, cap, r, &name);
}

void
stls_crl_issuer(char *out, size_t cap, gnutls_x509_crl_t crl)
{
	gnutls_datum_t name = { NULL, 0 };
	int r = gnutls_x509_crl_get_issuer_dn3(crl, &name, 0);

	take_name(out, cap, r, &name);
}

void
stls_format_date(char *out, size_t cap, time_t when)
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(out, cap, "%Y-%m-%d", &tm) == 0)
		snprintf(out, cap, "(no date)");
}
