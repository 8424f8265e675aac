/* SPDX-License-Identifier: MIT */
#include "tls/trust.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tls/certs.h"
#include "tls/source.h"

void
stls_trust_done(struct stls_trust *trust)
{
	size_t i;

	gnutls_x509_trust_list_deinit(trust->list, 1);
	for (i = 0; i < trust->crls; i++)
		gnutls_x509_crl_deinit(trust->crl[i]);
	free(trust->crl);
	for (i = 0; i < trust->cas; i++)
		gnutls_free(trust->ca[i].data);
	free(trust->ca);
	memset(trust, 0, sizeof(*trust));
}

static int
need_list(struct stls_trust *trust, struct stls_err *err)
{
	int r;

	if (trust->list != NULL)
		return SMTPTLS_OK;
	r = gnutls_x509_trust_list_init(&trust->list, 0);
	if (r < 0)
		return stls_gnutls_error(err, r, "the trust store");
	return SMTPTLS_OK;
}

/* Move certificates into the list, all of them. */
static int
add_certs(
    struct stls_trust *trust, struct stls_err *err, struct stls_certs *certs)
{
	size_t count = certs->count, i;
	int added, r;

	r = need_list(trust, err);
	if (r < 0)
		return r;
	added = gnutls_x509_trust_list_add_cas(trust->list, certs->crt,
	    (unsigned int)count, GNUTLS_TL_NO_DUPLICATES);
	certs->count = 0;
	if (added >= 0 && (size_t)added == count)
		return SMTPTLS_OK;
	for (i = added < 0 ? 0 : (size_t)added; i < count; i++)
		gnutls_x509_crt_deinit(certs->crt[i]);
	return stls_err_nomem(err);
}

static int
import_certs(
    struct stls_certs *certs, struct stls_err *err, struct stls_source *source)
{
	size_t before = certs->count;
	struct stls_block block;
	int r;

	for (;;) {
		r = stls_source_next(source, err, &block);
		if (r == SMTPTLS_AGAIN)
			break;
		if (r < 0)
			return r;
		if (!stls_block_is_cert(&block))
			return stls_source_fail(source, err, &block,
			    "%.*s is not a certificate", (int)block.label_len,
			    block.label);
		r = stls_certs_add_block(certs, err, source, &block);
		if (r < 0)
			return r;
	}
	if (certs->count == before)
		return stls_source_fail(
		    source, err, NULL, "no certificate in it");
	return SMTPTLS_OK;
}

static int
import_file(struct stls_certs *certs, struct stls_err *err, const char *path)
{
	CLEANUP(stls_source_done) struct stls_source source = { 0 };
	int r;

	r = stls_source_open(&source, err, path);
	if (r < 0)
		return r;
	return import_certs(certs, err, &source);
}

int
stls_trust_load_file(
    struct stls_trust *trust, struct stls_err *err, const char *path)
{
	CLEANUP(stls_certs_done) struct stls_certs certs = { 0 };
	int r;

	r = import_file(&certs, err, path);
	if (r < 0)
		return r;
	return add_certs(trust, err, &certs);
}

int
stls_trust_load_mem(struct stls_trust *trust, struct stls_err *err,
    const void *data, size_t len)
{
	CLEANUP(stls_certs_done) struct stls_certs certs = { 0 };
	struct stls_source source;
	int r;

	r = stls_source_init_mem(&source, err, data, len);
	if (r < 0)
		return r;
	r = import_certs(&certs, err, &source);
	if (r < 0)
		return r;
	return add_certs(trust, err, &certs);
}

/* Eight hexadecimal digits, a dot, a digit: what c_rehash(1) makes. */
static bool
is_hashed_name(const char *name)
{
	size_t i;

	for (i = 0; i < 8; i++) {
		if (!isxdigit((unsigned char)name[i]))
			return false;
	}
	return name[8] == '.' && isdigit((unsigned char)name[9]) &&
	    name[10] == '\0';
}

static bool
is_cert_name(const char *name)
{
	static const char *const suffixes[] = { ".pem", ".crt", ".cer" };
	size_t i, len = strlen(name);

	if (is_hashed_name(name))
		return true;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (len > 4 && strcasecmp(name + len - 4, suffixes[i]) == 0)
			return true;
	}
	return false;
}

static int
import_entry(struct stls_certs *certs, struct stls_err *err, const char *dir,
    const char *name)
{
	CLEANUP(free_ptr) char *path = NULL;
	size_t size = strlen(dir) + strlen(name) + 2;
	struct stat st;

	path = stls_alloc(size);
	if (path == NULL)
		return stls_err_nomem(err);
	snprintf(path, size, "%s/%s", dir, name);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return SMTPTLS_OK;
	return import_file(certs, err, path);
}

static void
close_dir(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
}

static int
import_dir(struct stls_certs *certs, struct stls_err *err, const char *path)
{
	CLEANUP(close_dir) DIR *dir = opendir(path);
	const struct dirent *entry;
	int r;

	if (dir == NULL)
		return stls_err_errno(
		    err, SMTPTLS_E_INVALID, errno, "%s", path);
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			break;
		if (!is_cert_name(entry->d_name))
			continue;
		r = import_entry(certs, err, path, entry->d_name);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return stls_err_errno(
		    err, SMTPTLS_E_INVALID, errno, "%s", path);
	if (certs->count == 0)
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s: no certificate in it", path);
	return SMTPTLS_OK;
}

int
stls_trust_load_dir(
    struct stls_trust *trust, struct stls_err *err, const char *path)
{
	CLEANUP(stls_certs_done) struct stls_certs certs = { 0 };
	int r;

	r = import_dir(&certs, err, path);
	if (r < 0)
		return r;
	return add_certs(trust, err, &certs);
}

int
stls_trust_load_system(struct stls_trust *trust, struct stls_err *err)
{
	int r;

	r = need_list(trust, err);
	if (r < 0)
		return r;
	r = gnutls_x509_trust_list_add_system_trust(
	    trust->list, GNUTLS_TL_NO_DUPLICATES, 0);
	if (r < 0)
		return stls_gnutls_error(err, r, "the system's CAs");
	if (r == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the system trusts no CA at all (on many systems they come "
		    "with the package ca-certificates)");
	return SMTPTLS_OK;
}

int
stls_trust_stats(const struct stls_trust *trust, struct stls_err *err,
    struct smtptls_cert_store_stats *out_stats)
{
	CLEANUP(stls_certs_done) struct stls_certs certs = { 0 };
	size_t i;
	int r;

	r = stls_certs_add_trusted(&certs, err, trust->list);
	if (r < 0)
		return r;
	out_stats->x509 = certs.count;
	out_stats->x509_ca = 0;
	for (i = 0; i < certs.count; i++)
		out_stats->x509_ca += stls_cert_is_ca(certs.crt[i]);
	out_stats->crl = trust->crls;
	return SMTPTLS_OK;
}

/* Whether one of the first `count` is the same. */
static bool
has_ca(const struct stls_trust *trust, size_t count, const gnutls_datum_t *der)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (trust->ca[i].size == der->size &&
		    memcmp(trust->ca[i].data, der->data, der->size) == 0)
			return true;
	}
	return false;
}

int
stls_trust_list_cas(struct stls_trust *trust, struct stls_err *err)
{
	CLEANUP(stls_certs_done) struct stls_certs certs = { 0 };
	gnutls_datum_t der, *grown;
	size_t known = trust->cas, i;
	int r;

	r = stls_certs_add_trusted(&certs, err, trust->list);
	if (r < 0)
		return r;
	grown = stls_realloc(trust->ca, (known + certs.count) * sizeof(*grown));
	if (grown == NULL)
		return stls_err_nomem(err);
	trust->ca = grown;
	for (i = 0; i < certs.count; i++) {
		if (!stls_cert_is_ca(certs.crt[i]))
			continue;
		r = gnutls_x509_crt_export2(
		    certs.crt[i], GNUTLS_X509_FMT_DER, &der);
		if (r < 0)
			return stls_gnutls_error(err, r, "a trusted CA");
		if (has_ca(trust, known, &der))
			gnutls_free(der.data);
		else
			trust->ca[trust->cas++] = der;
	}
	return SMTPTLS_OK;
}
