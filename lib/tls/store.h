/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_STORE_H
#define STLS_TLS_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "tls/certs.h"
#include "tls/source.h"

/*
 * Anchors of trust that are kept in DER and parsed when they are needed: the
 * CAs of a system are 144, and a chain needs one. What is not plainly a
 * certificate (tls/plain.h) is given to GnuTLS while it is loaded, so that
 * what GnuTLS cannot parse is an error then and not later.
 */
struct stls_anchor {
	uint32_t origin;
	uint32_t at, len; /* its DER in that of the origin */
	uint32_t subject_at, subject_len;
	uint32_t subject_hash;
	uint32_t line; /* of DER: the offset; for sentences */
	uint32_t next; /* in the table of duplicates */
	/*
	 * NULL until it is needed. Sessions of several threads may need it at
	 * once, while nothing else of a context is written: the first one sets
	 * it, and it never changes again.
	 */
	_Atomic(gnutls_x509_crt_t) crt;
};

/* Where anchors come from. */
struct stls_origin {
	char *name; /* NULL: memory */
	bool is_pem;
	unsigned char *der; /* of all its anchors */
	size_t len;
};

struct stls_store {
	struct stls_anchor *anchor; /* in the order of loading */
	size_t count, cap;
	struct stls_origin *origin;
	size_t origins;
	uint32_t *bucket; /* anchors by their last bytes, to find duplicates */
	size_t buckets;
};

/* Copes with a zeroed struct. */
void stls_store_done(struct stls_store *store);

/*
 * Add the certificates of a source but those that are there already. Blocks of
 * PEM that are none are an error or, where it is `lenient`, passed over; that
 * there is none at all is an error. After a failure the store is what it was.
 */
int stls_store_load(struct stls_store *store, struct stls_err *err,
    struct stls_source *source, bool lenient);

/* Take away what came behind the first `origins` origins. */
void stls_store_cut(struct stls_store *store, size_t origins);

/*
 * Get an anchor as GnuTLS parses it; lent for the life of the store. That it
 * cannot be parsed is an error of this code, and names its place.
 */
int stls_store_parse(const struct stls_store *store, struct stls_err *err,
    int code, size_t index, gnutls_x509_crt_t *out_crt);

/* Append copies of all but those of the first `origins` origins. */
int stls_store_copy(const struct stls_store *store, struct stls_err *err,
    size_t origins, struct stls_certs *out_certs);

/* A hash that stls_store_is_named() wants. */
uint32_t stls_store_hash(const gnutls_datum_t *name);

/* Whether the subject of an anchor is this name, byte by byte. */
bool stls_store_is_named(const struct stls_store *store, size_t index,
    const gnutls_datum_t *name, uint32_t hash);

/* For stls_store_load(). */

void stls_origin_done(struct stls_origin *origin);

/*
 * Get room for one anchor more; NULL: memory ran out. It counts when it is
 * kept, which it is if it is not there yet.
 */
struct stls_anchor *stls_store_next(
    struct stls_store *store, struct stls_err *err);
bool stls_store_keep_next(struct stls_store *store);

#endif
