/* SPDX-License-Identifier: MIT */
#include "tls/trust.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tls/anchors.h"
#include "tls/certs.h"
#include "tls/revocation.h"
#include "tls/source.h"

/* More than fit into a chain can do no good, and GnuTLS takes 16. */
#define BETWEEN_MAX 15

/* What is read from one file, before it becomes part of what is trusted. */
struct batch {
	gnutls_x509_crl_t *crl;
	struct stls_block *block; /* where each of them stood */
	size_t count;
	/*
	 * Who may have signed: what is trusted, and the certificates of the
	 * file, CAs between an anchor and the certificates of servers.
	 */
	struct stls_anchors anchors;
	struct stls_certs trusted;
	struct stls_certs between;
};

static void
batch_done(struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		gnutls_x509_crl_deinit(batch->crl[i]);
	free(batch->crl);
	free(batch->block);
	stls_certs_done(&batch->trusted);
	stls_certs_done(&batch->between);
	stls_anchors_done(&batch->anchors);
}

static int
add_crl(struct batch *batch, struct stls_err *err,
    const struct stls_source *source, const struct stls_block *block)
{
	gnutls_x509_crl_t *crl;
	struct stls_block *blocks;
	int r;

	crl = stls_realloc(batch->crl, (batch->count + 1) * sizeof(*crl));
	if (crl == NULL)
		return stls_err_nomem(err);
	batch->crl = crl;
	blocks = stls_realloc(
	    batch->block, (batch->count + 1) * sizeof(*blocks));
	if (blocks == NULL)
		return stls_err_nomem(err);
	batch->block = blocks;
	r = gnutls_x509_crl_init(&crl[batch->count]);
	if (r < 0)
		return stls_gnutls_error(err, r, "a revocation list");
	blocks[batch->count] = *block;
	r = gnutls_x509_crl_import(
	    crl[batch->count++], &block->data, block->format);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	if (r < 0)
		return stls_source_fail(source, err, block,
		    "no valid revocation list: %s", gnutls_strerror(r));
	return SMTPTLS_OK;
}

static int
import_blocks(
    struct batch *batch, struct stls_err *err, struct stls_source *source)
{
	struct stls_block block;
	int r;

	for (;;) {
		r = stls_source_next(source, err, &block);
		if (r < 0)
			return r;
		if (r == SMTPTLS_AGAIN)
			break;
		if (block.label == NULL || stls_block_is(&block, "X509 CRL"))
			r = add_crl(batch, err, source, &block);
		else if (stls_block_is_cert(&block))
			r = stls_certs_add_block(
			    &batch->between, err, source, &block);
		else
			r = stls_source_fail(source, err, &block,
			    "%.*s is not a revocation list",
			    (int)block.label_len, block.label);
		if (r < 0)
			return r;
	}
	if (batch->count == 0)
		return stls_source_fail(
		    source, err, NULL, "no revocation list in it");
	return SMTPTLS_OK;
}

/*
 * Look at what a list says about itself. One that covers only a part of what
 * its CA issued has a critical extension (RFC 5280 sections 5.2.4, 5.2.5),
 * and must not be used by who does not process it; GnuTLS looks at none.
 */
static int
check_form(struct stls_err *err, gnutls_x509_crl_t crl)
{
	char oid[128];
	const char *name;
	size_t oid_size;
	unsigned int critical, i;
	int r;

	for (i = 0;; i++) {
		oid_size = sizeof(oid);
		r = gnutls_x509_crl_get_extension_info(
		    crl, i, oid, &oid_size, &critical);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (r < 0)
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "an extension of the revocation list: %s",
			    gnutls_strerror(r));
		if (critical)
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "the revocation list has the critical extension "
			    "%s, so it is not a complete one",
			    oid);
	}
	r = gnutls_x509_crl_get_signature_algorithm(crl);
	if (r >= 0 &&
	    gnutls_sign_is_secure2(
		(gnutls_sign_algorithm_t)r, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
		return SMTPTLS_OK;
	name = r < 0 ? NULL : gnutls_sign_get_name((gnutls_sign_algorithm_t)r);
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "the revocation list is signed with %s, which is not secure",
	    name != NULL ? name : "something unknown");
}

/* Several CAs may have one name, after a change of keys: one must fit. */
static void
try_issuers(gnutls_x509_crl_t crl, const struct stls_certs *issuers,
    unsigned int *status)
{
	size_t i;

	for (i = 0; i < issuers->count && *status != 0; i++) {
		if (stls_crl_is_of(crl, issuers->crt[i]))
			*status = stls_crl_signature_status(
			    crl, issuers->crt[i]);
	}
}

static int
check_signature(
    struct stls_err *err, gnutls_x509_crl_t crl, const struct batch *batch)
{
	char name[STLS_NAME_MAX];
	unsigned int status = GNUTLS_CERT_SIGNER_NOT_FOUND;

	try_issuers(crl, &batch->trusted, &status);
	try_issuers(crl, &batch->between, &status);
	if (status == 0)
		return SMTPTLS_OK;
	stls_crl_issuer(name, sizeof(name), crl);
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the revocation list is of %s, which is not trusted", name);
	if (status &
	    (GNUTLS_CERT_SIGNER_NOT_CA |
		GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the revocation list is of %s, which may not sign any",
		    name);
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "the revocation list is not signed by %s", name);
}

/*
 * The certificates of the file must lead to somebody who is trusted. Where
 * there are several, each may need the others.
 */
static int
check_between(struct stls_err *err, const struct batch *batch)
{
	gnutls_x509_crt_t chain[BETWEEN_MAX], first;
	gnutls_x509_crt_t *between = batch->between.crt;
	size_t count = batch->between.count, i;
	char name[STLS_NAME_MAX];
	unsigned int status;
	int r;

	if (count > BETWEEN_MAX)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "more than %d certificates beside the revocation lists",
		    BETWEEN_MAX);
	for (i = 0; i < count; i++) {
		memcpy(chain, between, count * sizeof(chain[0]));
		first = chain[i];
		chain[i] = chain[0];
		chain[0] = first;
		status = GNUTLS_CERT_INVALID;
		r = gnutls_x509_trust_list_verify_crt2(batch->anchors.list,
		    chain, (unsigned int)count, NULL, 0, 0, &status, NULL);
		if (r == GNUTLS_E_MEMORY_ERROR)
			return stls_err_nomem(err);
		if (r >= 0 && status == 0)
			continue;
		stls_cert_subject(name, sizeof(name), first);
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s is not issued by a trusted CA", name);
	}
	return SMTPTLS_OK;
}

static int
check_crl(
    struct stls_err *err, gnutls_x509_crl_t crl, const struct batch *batch)
{
	int r;

	r = check_form(err, crl);
	if (r < 0)
		return r;
	r = check_signature(err, crl, batch);
	if (r < 0)
		return r;
	return stls_crl_check_time(err, SMTPTLS_E_INVALID, crl);
}

static int
check_batch(struct stls_err *err, const struct stls_source *source,
    const struct batch *batch)
{
	struct stls_err why;
	size_t i;
	int r;

	for (i = 0; i < batch->count; i++) {
		r = check_crl(&why, batch->crl[i], batch);
		if (r < 0)
			return stls_source_fail(source, err, &batch->block[i],
			    "%s", stls_err_text(&why));
	}
	r = check_between(&why, batch);
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_nomem(err);
	if (r < 0)
		return stls_source_fail(
		    source, err, NULL, "%s", stls_err_text(&why));
	return SMTPTLS_OK;
}

static int
take_batch(struct stls_trust *trust, struct stls_err *err, struct batch *batch)
{
	gnutls_x509_crl_t *grown;

	grown = stls_realloc(
	    trust->crl, (trust->crls + batch->count) * sizeof(*grown));
	if (grown == NULL)
		return stls_err_nomem(err);
	memcpy(grown + trust->crls, batch->crl, batch->count * sizeof(*grown));
	trust->crl = grown;
	trust->crls += batch->count;
	batch->count = 0;
	return SMTPTLS_OK;
}

/* Who is trusted and may have signed a list, or a certificate beside it. */
static int
find_issuers(
    struct batch *batch, struct stls_err *err, const struct stls_trust *trust)
{
	CLEANUP(stls_names_done) struct stls_names names = { 0 };
	size_t i;
	int r = SMTPTLS_OK;

	for (i = 0; i < batch->count && r == SMTPTLS_OK; i++)
		r = stls_names_add_crl(&names, err, batch->crl[i]);
	for (i = 0; i < batch->between.count && r == SMTPTLS_OK; i++)
		r = stls_names_add_cert(&names, err, batch->between.crt[i]);
	if (r == SMTPTLS_OK)
		r = stls_anchors_init(
		    &batch->anchors, err, SMTPTLS_E_INVALID, trust, &names);
	if (r == SMTPTLS_OK)
		r = stls_certs_add_trusted(
		    &batch->trusted, err, batch->anchors.list);
	return r;
}

static int
load(struct stls_trust *trust, struct stls_err *err, struct stls_source *source)
{
	CLEANUP(batch_done) struct batch batch = { 0 };
	int r;

	if (stls_trust_is_empty(trust))
		return stls_source_fail(source, err, NULL,
		    "no CA is trusted yet that could have signed a list");
	r = import_blocks(&batch, err, source);
	if (r < 0)
		return r;
	r = find_issuers(&batch, err, trust);
	if (r < 0)
		return r;
	r = check_batch(err, source, &batch);
	if (r < 0)
		return r;
	return take_batch(trust, err, &batch);
}

int
stls_trust_load_crl_file(
    struct stls_trust *trust, struct stls_err *err, const char *path)
{
	CLEANUP(stls_source_done) struct stls_source source = { 0 };
	int r;

	r = stls_source_open(&source, err, path);
	if (r < 0)
		return r;
	return load(trust, err, &source);
}

int
stls_trust_load_crl_mem(struct stls_trust *trust, struct stls_err *err,
    const void *data, size_t len)
{
	struct stls_source source;
	int r;

	r = stls_source_init_mem(&source, err, data, len);
	if (r < 0)
		return r;
	return load(trust, err, &source);
}
