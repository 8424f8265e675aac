/* SPDX-License-Identifier: MIT */
#include "tls/anchors.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tls/certs.h"

void
stls_names_done(struct stls_names *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		gnutls_free(names->name[i].data);
	free(names->name);
	memset(names, 0, sizeof(*names));
}

/* Take over a name that GnuTLS gave, or the error in its place. */
static int
add_name(struct stls_names *names, struct stls_err *err, int r,
    const gnutls_datum_t *name)
{
	gnutls_datum_t *grown;
	size_t cap;

	if (r < 0)
		return stls_gnutls_error(err, r, "the name of an issuer");
	if (names->count == names->cap) {
		cap = names->cap > 0 ? names->cap * 2 : 8;
		grown = stls_realloc(names->name, cap * sizeof(*grown));
		if (grown == NULL) {
			gnutls_free(name->data);
			return stls_err_nomem(err);
		}
		names->name = grown;
		names->cap = cap;
	}
	names->name[names->count++] = *name;
	return SMTPTLS_OK;
}

int
stls_names_add_cert(
    struct stls_names *names, struct stls_err *err, gnutls_x509_crt_t cert)
{
	gnutls_datum_t name = { NULL, 0 };
	int r;

	r = gnutls_x509_crt_get_raw_issuer_dn(cert, &name);
	r = add_name(names, err, r, &name);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_get_raw_dn(cert, &name);
	return add_name(names, err, r, &name);
}

int
stls_names_add_crl(
    struct stls_names *names, struct stls_err *err, gnutls_x509_crl_t crl)
{
	gnutls_datum_t name = { NULL, 0 };
	int r = gnutls_x509_crl_get_raw_issuer_dn(crl, &name);

	return add_name(names, err, r, &name);
}

static int
add_anchor(struct stls_anchors *anchors, struct stls_err *err, int code,
    const struct stls_store *store, size_t index)
{
	gnutls_x509_crt_t crt;
	int r;

	r = stls_store_parse(store, err, code, index, &crt);
	if (r < 0)
		return r;
	if (gnutls_x509_trust_list_add_cas(anchors->list, &crt, 1, 0) != 1)
		return stls_err_nomem(err);
	return SMTPTLS_OK;
}

static bool
is_named(const struct stls_store *store, size_t index,
    const struct stls_names *names, const uint32_t *hash)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		if (stls_store_is_named(store, index, &names->name[i], hash[i]))
			return true;
	}
	return false;
}

/* Add all that are named, in the order in which they were loaded. */
static int
add_named(struct stls_anchors *anchors, struct stls_err *err, int code,
    const struct stls_store *store, const struct stls_names *names)
{
	CLEANUP(free_ptr) uint32_t *hash = NULL;
	size_t i;
	int r;

	hash = stls_alloc_array(names->count, sizeof(*hash));
	if (hash == NULL)
		return stls_err_nomem(err);
	for (i = 0; i < names->count; i++)
		hash[i] = stls_store_hash(&names->name[i]);
	for (i = 0; i < store->count; i++) {
		if (!is_named(store, i, names, hash))
			continue;
		r = add_anchor(anchors, err, code, store, i);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

int
stls_anchors_init(struct stls_anchors *anchors, struct stls_err *err, int code,
    const struct stls_trust *trust, const struct stls_names *names)
{
	int r;

	anchors->list = trust->list;
	anchors->is_own = trust->list == NULL;
	if (!anchors->is_own)
		return SMTPTLS_OK;
	if (gnutls_x509_trust_list_init(&anchors->list, 0) < 0)
		return stls_err_nomem(err);
	r = add_named(anchors, err, code, &trust->store, names);
	if (r < 0)
		stls_anchors_done(anchors);
	return r;
}

int
stls_anchors_init_chain(struct stls_anchors *anchors, struct stls_err *err,
    const struct stls_trust *trust, const struct stls_chain *chain)
{
	CLEANUP(stls_names_done) struct stls_names names = { 0 };
	size_t i;
	int r;

	for (i = 0; trust->list == NULL && i < chain->count; i++) {
		r = stls_names_add_cert(&names, err, chain->cert[i]);
		if (r == SMTPTLS_E_INVALID)
			err->code = r = SMTPTLS_E_CERTIFICATE;
		if (r < 0)
			return r;
	}
	return stls_anchors_init(
	    anchors, err, SMTPTLS_E_CERTIFICATE, trust, &names);
}

void
stls_anchors_done(struct stls_anchors *anchors)
{
	if (anchors->is_own && anchors->list != NULL)
		gnutls_x509_trust_list_deinit(anchors->list, 0);
	memset(anchors, 0, sizeof(*anchors));
}
