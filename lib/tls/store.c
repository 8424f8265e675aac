/* SPDX-License-Identifier: MIT */
#include "tls/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tls/certs.h"

#define NO_ANCHOR UINT32_MAX
#define CAP_MIN 8 /* a power of two */

/* The end of a signature tells certificates apart. */
#define TAIL_LEN 16

static void
done_anchor(struct stls_anchor *anchor)
{
	gnutls_x509_crt_t crt = atomic_load(&anchor->crt);

	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
}

void
stls_origin_done(struct stls_origin *origin)
{
	free(origin->name);
	free(origin->der);
	memset(origin, 0, sizeof(*origin));
}

void
stls_store_done(struct stls_store *store)
{
	size_t i;

	for (i = 0; i < store->count; i++)
		done_anchor(&store->anchor[i]);
	for (i = 0; i < store->origins; i++)
		stls_origin_done(&store->origin[i]);
	free(store->anchor);
	free(store->origin);
	free(store->bucket);
	memset(store, 0, sizeof(*store));
}

static const unsigned char *
der_of(const struct stls_store *store, const struct stls_anchor *anchor)
{
	return store->origin[anchor->origin].der + anchor->at;
}

/* FNV-1a. */
static uint32_t
hash_bytes(const unsigned char *data, size_t len)
{
	uint32_t hash = 2166136261U;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ data[i]) * 16777619U;
	return hash;
}

uint32_t
stls_store_hash(const gnutls_datum_t *name)
{
	return hash_bytes(name->data, name->size);
}

bool
stls_store_is_named(const struct stls_store *store, size_t index,
    const gnutls_datum_t *name, uint32_t hash)
{
	const struct stls_anchor *anchor = &store->anchor[index];

	return anchor->subject_hash == hash &&
	    anchor->subject_len == name->size &&
	    memcmp(der_of(store, anchor) + anchor->subject_at, name->data,
		name->size) == 0;
}

/* Where in the table of duplicates an anchor is. */
static uint32_t *
bucket_of(const struct stls_store *store, const struct stls_anchor *anchor)
{
	const unsigned char *der = der_of(store, anchor);
	size_t len = anchor->len < TAIL_LEN ? anchor->len : TAIL_LEN;

	return &store->bucket[hash_bytes(der + anchor->len - len, len) &
	    (store->buckets - 1)];
}

static void
link_anchor(struct stls_store *store, size_t index)
{
	uint32_t *bucket = bucket_of(store, &store->anchor[index]);

	store->anchor[index].next = *bucket;
	*bucket = (uint32_t)index;
}

static void
fill_buckets(struct stls_store *store)
{
	size_t i;

	for (i = 0; i < store->buckets; i++)
		store->bucket[i] = NO_ANCHOR;
	for (i = 0; i < store->count; i++)
		link_anchor(store, i);
}

struct stls_anchor *
stls_store_next(struct stls_store *store, struct stls_err *err)
{
	struct stls_anchor *anchor;
	uint32_t *bucket;
	size_t cap;

	if (store->count < store->cap)
		return &store->anchor[store->count];
	cap = store->cap > 0 ? store->cap * 2 : CAP_MIN;
	anchor = stls_realloc(store->anchor, cap * sizeof(*anchor));
	if (anchor != NULL)
		store->anchor = anchor;
	bucket = stls_realloc(store->bucket, cap * sizeof(*bucket));
	if (bucket != NULL)
		store->bucket = bucket;
	if (anchor == NULL || bucket == NULL) {
		stls_err_nomem(err);
		return NULL;
	}
	store->cap = store->buckets = cap;
	fill_buckets(store);
	return &store->anchor[store->count];
}

static bool
is_known(const struct stls_store *store, const struct stls_anchor *anchor)
{
	const unsigned char *der = der_of(store, anchor);
	const struct stls_anchor *other;
	uint32_t i;

	for (i = *bucket_of(store, anchor); i != NO_ANCHOR; i = other->next) {
		other = &store->anchor[i];
		if (other->len == anchor->len &&
		    memcmp(der_of(store, other), der, anchor->len) == 0)
			return true;
	}
	return false;
}

bool
stls_store_keep_next(struct stls_store *store)
{
	if (is_known(store, &store->anchor[store->count]))
		return false;
	link_anchor(store, store->count++);
	return true;
}

/* What stls_source_fail() wants to know of an anchor. */
static int
fail_at(const struct stls_store *store, struct stls_err *err, int code,
    const struct stls_anchor *anchor, int r)
{
	const struct stls_origin *origin = &store->origin[anchor->origin];
	struct stls_source source = { .name = origin->name };
	struct stls_block block = { .label = origin->is_pem ? "" : NULL,
		.line = anchor->line };

	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	stls_source_fail(&source, err, &block, "no valid certificate: %s",
	    gnutls_strerror(r));
	err->code = code;
	return code;
}

static int
import(const struct stls_store *store, struct stls_err *err, int code,
    const struct stls_anchor *anchor, gnutls_x509_crt_t *out_crt)
{
	gnutls_datum_t der = { (unsigned char *)der_of(store, anchor),
		anchor->len };
	gnutls_x509_crt_t crt;
	int r;

	r = gnutls_x509_crt_init(&crt);
	if (r < 0)
		return stls_err_nomem(err);
	r = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
	if (r < 0) {
		gnutls_x509_crt_deinit(crt);
		return fail_at(store, err, code, anchor, r);
	}
	*out_crt = crt;
	return SMTPTLS_OK;
}

int
stls_store_parse(const struct stls_store *store, struct stls_err *err, int code,
    size_t index, gnutls_x509_crt_t *out_crt)
{
	struct stls_anchor *anchor = &store->anchor[index];
	gnutls_x509_crt_t crt = NULL, first = atomic_load(&anchor->crt);
	int r;

	if (first == NULL) {
		r = import(store, err, code, anchor, &crt);
		if (r < 0)
			return r;
		if (atomic_compare_exchange_strong(&anchor->crt, &first, crt))
			first = crt;
		else
			gnutls_x509_crt_deinit(crt);
	}
	*out_crt = first;
	return SMTPTLS_OK;
}

int
stls_store_copy(const struct stls_store *store, struct stls_err *err,
    size_t origins, struct stls_certs *out_certs)
{
	gnutls_x509_crt_t crt;
	size_t i;
	int r;

	for (i = 0; i < store->count; i++) {
		if (store->anchor[i].origin < origins)
			continue;
		r = import(
		    store, err, SMTPTLS_E_INVALID, &store->anchor[i], &crt);
		if (r < 0)
			return r;
		if (stls_certs_add(out_certs, crt) < 0)
			return stls_err_nomem(err);
	}
	return SMTPTLS_OK;
}

void
stls_store_cut(struct stls_store *store, size_t origins)
{
	while (store->count > 0 &&
	    store->anchor[store->count - 1].origin >= origins)
		done_anchor(&store->anchor[--store->count]);
	while (store->origins > origins)
		stls_origin_done(&store->origin[--store->origins]);
	fill_buckets(store);
}
