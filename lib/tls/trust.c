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

	stls_store_done(&trust->store);
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

/*
 * Parse what came into the store behind the first `origins` origins and move
 * it into the list.
 */
static int
move_to_list(struct stls_trust *trust, struct stls_err *err, size_t origins)
{
	CLEANUP(stls_certs_done) struct stls_certs certs = { 0 };
	int r;

	r = stls_store_copy(&trust->store, err, origins, &certs);
	if (r == SMTPTLS_OK && certs.count > 0)
		r = add_certs(trust, err, &certs);
	return r;
}

/*
 * End a call that loaded something, and keep all or nothing of it. What goes
 * into the list does not stay in the store.
 */
static int
settle(struct stls_trust *trust, struct stls_err *err, size_t origins, int r)
{
	if (r == SMTPTLS_OK && trust->is_eager)
		r = move_to_list(trust, err, origins);
	if (r < 0 || trust->is_eager)
		stls_store_cut(&trust->store, origins);
	return r;
}

static int
add_file(struct stls_trust *trust, struct stls_err *err, const char *path,
    bool lenient)
{
	CLEANUP(stls_source_done) struct stls_source source = { 0 };
	int r;

	r = stls_source_open(&source, err, path);
	if (r < 0)
		return r;
	return stls_store_load(&trust->store, err, &source, lenient);
}

int
stls_trust_load_file(
    struct stls_trust *trust, struct stls_err *err, const char *path)
{
	size_t origins = trust->store.origins;

	return settle(trust, err, origins, add_file(trust, err, path, false));
}

int
stls_trust_load_mem(struct stls_trust *trust, struct stls_err *err,
    const void *data, size_t len)
{
	size_t origins = trust->store.origins;
	struct stls_source source;
	int r;

	r = stls_source_init_mem(&source, err, data, len);
	if (r == SMTPTLS_OK)
		r = stls_store_load(&trust->store, err, &source, false);
	return settle(trust, err, origins, r);
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
add_entry(struct stls_trust *trust, struct stls_err *err, const char *dir,
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
	return add_file(trust, err, path, false);
}

static void
close_dir(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
}

static int
add_dir(struct stls_trust *trust, struct stls_err *err, const char *path)
{
	CLEANUP(close_dir) DIR *dir = opendir(path);
	size_t origins = trust->store.origins;
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
		r = add_entry(trust, err, path, entry->d_name);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return stls_err_errno(
		    err, SMTPTLS_E_INVALID, errno, "%s", path);
	if (trust->store.origins == origins)
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s: no certificate in it", path);
	return SMTPTLS_OK;
}

int
stls_trust_load_dir(
    struct stls_trust *trust, struct stls_err *err, const char *path)
{
	size_t origins = trust->store.origins;

	return settle(trust, err, origins, add_dir(trust, err, path));
}

#define NO_SYSTEM                                                              \
	"no CA of the system can be used: their file is missing, empty or "    \
	"broken (on many systems the package ca-certificates brings it)"

/*
 * As in GnuTLS's own loader, blocks that are no certificates are passed over,
 * and one that cannot be parsed means that there is none at all.
 */
static int
load_bundle(struct stls_trust *trust, struct stls_err *err, const char *bundle)
{
	size_t origins = trust->store.origins;
	int r;

	r = settle(trust, err, origins, add_file(trust, err, bundle, true));
	return r == SMTPTLS_E_INVALID ? stls_err_prefix(err, NO_SYSTEM) : r;
}

/* GnuTLS's own loader fills a list, so all that is there must go there. */
static int
become_eager(struct stls_trust *trust, struct stls_err *err)
{
	int r;

	if (trust->list == NULL) {
		r = need_list(trust, err);
		if (r == SMTPTLS_OK)
			r = move_to_list(trust, err, 0);
		if (r < 0) {
			gnutls_x509_trust_list_deinit(trust->list, 1);
			trust->list = NULL;
			return r;
		}
	}
	stls_store_cut(&trust->store, 0);
	trust->is_eager = true;
	return SMTPTLS_OK;
}

int
stls_trust_load_system(
    struct stls_trust *trust, struct stls_err *err, const char *bundle)
{
	int r;

	if (bundle != NULL && bundle[0] != '\0')
		return load_bundle(trust, err, bundle);
	r = become_eager(trust, err);
	if (r < 0)
		return r;
	trust->is_live = true;
	r = gnutls_x509_trust_list_add_system_trust(
	    trust->list, GNUTLS_TL_NO_DUPLICATES, 0);
	if (r < 0)
		return stls_gnutls_error(err, r, "the system's CAs");
	if (r == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID, NO_SYSTEM);
	return SMTPTLS_OK;
}

bool
stls_trust_is_empty(const struct stls_trust *trust)
{
	return trust->list == NULL && trust->store.count == 0;
}

/* Copy all that is trusted. */
static int
copy_all(const struct stls_trust *trust, struct stls_err *err,
    struct stls_certs *out_certs)
{
	if (trust->list != NULL)
		return stls_certs_add_trusted(out_certs, err, trust->list);
	return stls_store_copy(&trust->store, err, 0, out_certs);
}

int
stls_trust_stats(const struct stls_trust *trust, struct stls_err *err,
    struct smtptls_cert_store_stats *out_stats)
{
	CLEANUP(stls_certs_done) struct stls_certs certs = { 0 };
	size_t i;
	int r;

	r = copy_all(trust, err, &certs);
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

	r = copy_all(trust, err, &certs);
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
