/* SPDX-License-Identifier: MIT */
#include "tls/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tls/free.h"
#include "tls/plain.h"

/* What a block of a source becomes. */
struct found {
	unsigned char *der; /* in that of the origin */
	size_t len;
	gnutls_datum_t subject;	 /* in `der` */
	struct stls_certs certs; /* of GnuTLS: one, or none */
};

/*
 * Find the octets of the subject. The first that are the same are as good:
 * those of a root's issuer.
 */
static bool
find_subject(struct found *found, const gnutls_datum_t *name)
{
	size_t i;

	for (i = 0; i + name->size <= found->len; i++) {
		if (name->size > 0 &&
		    memcmp(found->der + i, name->data, name->size) != 0)
			continue;
		found->subject.data = found->der + i;
		found->subject.size = name->size;
		return true;
	}
	return false;
}

/* Copy the DER of what GnuTLS parsed; there is room for `cap` bytes. */
static int
copy_der(struct found *found, size_t cap)
{
	CLEANUP(free_datum) gnutls_datum_t der = { NULL, 0 };
	CLEANUP(free_datum) gnutls_datum_t name = { NULL, 0 };
	int r;

	r = gnutls_x509_crt_export2(
	    found->certs.crt[0], GNUTLS_X509_FMT_DER, &der);
	if (r >= 0)
		r = gnutls_x509_crt_get_raw_dn(found->certs.crt[0], &name);
	if (r < 0)
		return r;
	if (der.size > cap)
		return GNUTLS_E_INTERNAL_ERROR;
	memcpy(found->der, der.data, der.size);
	found->len = der.size;
	return find_subject(found, &name) ? 0 : GNUTLS_E_INTERNAL_ERROR;
}

/* Have GnuTLS parse what is not plain: its error is that of the file. */
static int
read_block(struct found *found, struct stls_err *err,
    const struct stls_source *source, const struct stls_block *block)
{
	int r;

	found->len = stls_block_decode(found->der, block);
	if (stls_plain_is_cert(found->der, found->len, &found->subject))
		return SMTPTLS_OK;
	r = stls_certs_add_block(&found->certs, err, source, block);
	if (r < 0)
		return r;
	/* Its DER is no longer than what it was decoded from. */
	r = copy_der(found, block->data.size);
	return r < 0 ? stls_gnutls_error(err, r, "a certificate") : SMTPTLS_OK;
}

/* Add what was found to the last origin, unless it is there already. */
static int
add_found(struct stls_store *store, struct stls_err *err, struct found *found,
    size_t line)
{
	struct stls_origin *origin = &store->origin[store->origins - 1];
	struct stls_anchor *anchor = stls_store_next(store, err);

	if (anchor == NULL)
		return SMTPTLS_E_NOMEM;
	anchor->origin = (uint32_t)(store->origins - 1);
	anchor->at = (uint32_t)origin->len;
	anchor->len = (uint32_t)found->len;
	anchor->subject_at = (uint32_t)(found->subject.data - found->der);
	anchor->subject_len = found->subject.size;
	anchor->subject_hash = stls_store_hash(&found->subject);
	anchor->line = (uint32_t)line;
	if (!stls_store_keep_next(store))
		return SMTPTLS_OK;
	atomic_init(
	    &anchor->crt, found->certs.count > 0 ? found->certs.crt[0] : NULL);
	found->certs.count = 0;
	origin->len += found->len;
	return SMTPTLS_OK;
}

static int
add_block(struct stls_store *store, struct stls_err *err,
    const struct stls_source *source, const struct stls_block *block)
{
	struct stls_origin *origin = &store->origin[store->origins - 1];
	struct found found = { .der = origin->der + origin->len };
	int r;

	origin->is_pem = block->label != NULL;
	r = read_block(&found, err, source, block);
	if (r == SMTPTLS_OK)
		r = add_found(store, err, &found, block->line);
	stls_certs_done(&found.certs);
	return r;
}

static int
add_blocks(struct stls_store *store, struct stls_err *err,
    struct stls_source *source, bool lenient)
{
	size_t certs = 0, others = 0;
	struct stls_block block;
	int r;

	for (;;) {
		r = stls_source_next(source, err, &block);
		if (r == SMTPTLS_AGAIN)
			break;
		if (r == SMTPTLS_OK && stls_block_is_cert(&block)) {
			certs++;
			r = add_block(store, err, source, &block);
		} else if (r == SMTPTLS_OK && lenient) {
			others++;
		} else if (r == SMTPTLS_OK) {
			r = stls_source_fail(source, err, &block,
			    "%.*s is not a certificate", (int)block.label_len,
			    block.label);
		}
		if (r < 0)
			return r;
	}
	if (certs == 0)
		return stls_source_fail(
		    source, err, NULL, "no certificate in it");
	source->is_public = others == 0;
	return SMTPTLS_OK;
}

/* Add an origin that has room for all that can be in a source. */
static int
add_origin(struct stls_store *store, struct stls_err *err,
    const struct stls_source *source)
{
	struct stls_origin origin = { .is_pem = true }, *grown;

	grown = stls_realloc(
	    store->origin, (store->origins + 1) * sizeof(*grown));
	if (grown == NULL)
		return stls_err_nomem(err);
	store->origin = grown;
	origin.der = stls_alloc(source->len);
	if (source->name != NULL)
		origin.name = stls_strdup(source->name);
	if (origin.der == NULL ||
	    (origin.name == NULL && source->name != NULL)) {
		stls_origin_done(&origin);
		return stls_err_nomem(err);
	}
	store->origin[store->origins++] = origin;
	return SMTPTLS_OK;
}

/* Give back what the decoded certificates do not need. */
static int
shrink(struct stls_origin *origin, struct stls_err *err)
{
	unsigned char *shrunk;

	shrunk = stls_realloc(origin->der, origin->len > 0 ? origin->len : 1);
	if (shrunk == NULL)
		return stls_err_nomem(err);
	origin->der = shrunk;
	return SMTPTLS_OK;
}

int
stls_store_load(struct stls_store *store, struct stls_err *err,
    struct stls_source *source, bool lenient)
{
	size_t origins = store->origins;
	int r;

	r = add_origin(store, err, source);
	if (r < 0)
		return r;
	r = add_blocks(store, err, source, lenient);
	if (r == SMTPTLS_OK)
		r = shrink(&store->origin[origins], err);
	if (r < 0)
		stls_store_cut(store, origins);
	return r;
}
