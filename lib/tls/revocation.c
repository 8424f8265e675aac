/* SPDX-License-Identifier: MIT */
#include "tls/revocation.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tls/certs.h"
#include "tls/source.h"

/* Longer than any serial number of a list that can be parsed at all. */
#define SERIAL_MAX 1024

/* More than fit into a chain can do no good, and GnuTLS takes 16. */
#define BETWEEN_MAX 15

/* What is read from one file, before it becomes part of what is trusted. */
struct batch {
	gnutls_x509_crl_t *crl;
	struct stls_block *block; /* where each of them stood */
	size_t count;
	/*
	 * Who may have signed: what is trusted, and behind it the certificates
	 * of the file, CAs between an anchor and the certificates of servers.
	 */
	struct stls_certs issuers;
	size_t trusted;
};

static void
batch_done(struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		gnutls_x509_crl_deinit(batch->crl[i]);
	free(batch->crl);
	free(batch->block);
	stls_certs_done(&batch->issuers);
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
	if (gnutls_x509_crl_init(&crl[batch->count]) < 0)
		return stls_err_nomem(err);
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
			    &batch->issuers, err, source, &block);
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

/* The end of the validity; -1: there is none, or it makes no sense. */
static time_t
expires(gnutls_x509_crl_t crl)
{
	return gnutls_x509_crl_get_next_update(crl);
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
	if (r < 0 ||
	    !gnutls_sign_is_secure2(
		(gnutls_sign_algorithm_t)r, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the revocation list is signed with %s, which is not "
		    "secure",
		    r < 0 ? "something unknown"
			  : gnutls_sign_get_name((gnutls_sign_algorithm_t)r));
	return SMTPTLS_OK;
}

static int
check_time(struct stls_err *err, int code, gnutls_x509_crl_t crl)
{
	char issuer[STLS_NAME_MAX], date[STLS_DATE_MAX];
	time_t now = time(NULL), end = expires(crl);
	time_t start = gnutls_x509_crl_get_this_update(crl);

	stls_crl_issuer(issuer, sizeof(issuer), crl);
	if (end == (time_t)-1)
		return stls_err_set(err, code,
		    "the revocation list of %s does not say when it expires",
		    issuer);
	if (end < now) {
		stls_format_date(date, sizeof(date), end);
		return stls_err_set(err, code,
		    "the revocation list of %s expired on %s", issuer, date);
	}
	if (start == (time_t)-1 || start > now) {
		stls_format_date(date, sizeof(date), start);
		return stls_err_set(err, code,
		    "the revocation list of %s is not valid before %s", issuer,
		    date);
	}
	return SMTPTLS_OK;
}

static void
free_datum(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
}

static bool
has_issuer_name(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer)
{
	CLEANUP(free_datum) gnutls_datum_t a = { NULL, 0 };
	CLEANUP(free_datum) gnutls_datum_t b = { NULL, 0 };

	return gnutls_x509_crl_get_raw_issuer_dn(crl, &a) >= 0 &&
	    gnutls_x509_crt_get_raw_dn(issuer, &b) >= 0 && a.size == b.size &&
	    memcmp(a.data, b.data, a.size) == 0;
}

/* What is wrong with the signature; 0: it is the issuer's. */
static unsigned int
signature_status(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer)
{
	unsigned int status = 0;

	if (gnutls_x509_crl_verify(crl, &issuer, 1, 0, &status) < 0)
		return GNUTLS_CERT_INVALID;
	/* The time is checked with a better sentence. */
	status &= ~(unsigned int)(GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
	    GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE);
	return status == GNUTLS_CERT_INVALID ? 0 : status;
}

/* Several CAs may have one name, after a change of keys: one must fit. */
static int
check_signature(struct stls_err *err, gnutls_x509_crl_t crl,
    const struct stls_certs *issuers)
{
	char name[STLS_NAME_MAX];
	unsigned int status = GNUTLS_CERT_SIGNER_NOT_FOUND;
	size_t i;

	for (i = 0; i < issuers->count && status != 0; i++) {
		if (has_issuer_name(crl, issuers->crt[i]))
			status = signature_status(crl, issuers->crt[i]);
	}
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
check_between(const struct stls_trust *trust, struct stls_err *err,
    const struct batch *batch)
{
	gnutls_x509_crt_t chain[BETWEEN_MAX], first;
	gnutls_x509_crt_t *between = batch->issuers.crt + batch->trusted;
	size_t count = batch->issuers.count - batch->trusted, i;
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
		r = gnutls_x509_trust_list_verify_crt2(trust->list, chain,
		    (unsigned int)count, NULL, 0, 0, &status, NULL);
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
check_crl(struct stls_err *err, gnutls_x509_crl_t crl,
    const struct stls_certs *issuers)
{
	int r;

	r = check_form(err, crl);
	if (r < 0)
		return r;
	r = check_signature(err, crl, issuers);
	if (r < 0)
		return r;
	return check_time(err, SMTPTLS_E_INVALID, crl);
}

static int
check_batch(const struct stls_trust *trust, struct stls_err *err,
    const struct stls_source *source, const struct batch *batch)
{
	struct stls_err why;
	size_t i;
	int r;

	for (i = 0; i < batch->count; i++) {
		r = check_crl(&why, batch->crl[i], &batch->issuers);
		if (r < 0)
			return stls_source_fail(source, err, &batch->block[i],
			    "%s", stls_err_text(&why));
	}
	r = check_between(trust, &why, batch);
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

static int
load(struct stls_trust *trust, struct stls_err *err, struct stls_source *source)
{
	CLEANUP(batch_done) struct batch batch = { 0 };
	int r;

	if (trust->list == NULL)
		return stls_source_fail(source, err, NULL,
		    "no CA is trusted yet that could have signed a list");
	r = stls_certs_add_trusted(&batch.issuers, err, trust->list);
	if (r < 0)
		return r;
	batch.trusted = batch.issuers.count;
	r = import_blocks(&batch, err, source);
	if (r < 0)
		return r;
	r = check_batch(trust, err, source, &batch);
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

/* Look a serial number up: 1 found, 0 not there, below 0 a GnuTLS error. */
static int
find_serial(gnutls_x509_crl_t crl, const unsigned char *serial, size_t len,
    time_t *out_when)
{
	gnutls_x509_crl_iter_t iter = NULL;
	unsigned char entry[SERIAL_MAX];
	size_t entry_len;
	int r;

	for (;;) {
		entry_len = sizeof(entry);
		r = gnutls_x509_crl_iter_crt_serial(
		    crl, &iter, entry, &entry_len, out_when);
		if (r < 0)
			break;
		if (entry_len == len && memcmp(entry, serial, len) == 0)
			break;
	}
	gnutls_x509_crl_iter_deinit(iter);
	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0;
	return r < 0 ? r : 1;
}

static int
check_serial(
    struct stls_err *err, gnutls_x509_crl_t crl, gnutls_x509_crt_t cert)
{
	unsigned char serial[SERIAL_MAX];
	size_t len = sizeof(serial);
	char name[STLS_NAME_MAX], date[STLS_DATE_MAX];
	time_t when = (time_t)-1;
	int r;

	stls_cert_subject(name, sizeof(name), cert);
	r = gnutls_x509_crt_get_serial(cert, serial, &len);
	if (r >= 0)
		r = find_serial(crl, serial, len, &when);
	if (r == 0)
		return SMTPTLS_OK;
	if (r < 0)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "whether %s is revoked cannot be told: %s", name,
		    gnutls_strerror(r));
	stls_format_date(date, sizeof(date), when);
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "the certificate %s was revoked on %s", name, date);
}

int
stls_revocation_check(const struct stls_trust *trust, struct stls_err *err,
    gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer)
{
	char name[STLS_NAME_MAX];
	bool covered = false;
	size_t i;
	int r;

	stls_cert_subject(name, sizeof(name), issuer);
	stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "no revocation list of %s is loaded", name);
	for (i = 0; i < trust->crls; i++) {
		if (!has_issuer_name(trust->crl[i], issuer) ||
		    signature_status(trust->crl[i], issuer) != 0)
			continue;
		/* Whatever its age: nobody is taken off a list again. */
		r = check_serial(err, trust->crl[i], cert);
		if (r < 0)
			return r;
		r = check_time(err, SMTPTLS_E_CERTIFICATE, trust->crl[i]);
		if (r == SMTPTLS_OK)
			covered = true;
	}
	if (!covered)
		return err->code;
	stls_err_clear(err);
	return SMTPTLS_OK;
}
