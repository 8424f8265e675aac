/* SPDX-License-Identifier: MIT */
#include "certificates/make-ca.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <smtptls/status.h>

#include "base/cleanup.h"

#include "certificates/make-cert.h"

#define DAY ((time_t)24 * 60 * 60)
#define LEFT_AT_LEAST DAY

#define KEY_ID_LEN_MAX 64

static void
free_datum(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
	datum->data = NULL;
}

/* In the order of enum sink_flaw. */
static const char *const flaws[SINK_FLAW_COUNT] = { "expired", "not-yet-valid",
	"other-name", "self-signed", "other-ca" };

void
sink_ca_files_done(struct sink_ca_files *files)
{
	size_t i;

	for (i = 0; i < SINK_FLAW_COUNT; i++)
		free(TAKE(files->flawed[i]));
	free(TAKE(files->ca));
	free(TAKE(files->cert));
	free(TAKE(files->key));
}

static int
name_files(struct stls_err *err, const char *dir, struct sink_ca_files *files)
{
	bool failed = false;
	size_t i;

	for (i = 0; i < SINK_FLAW_COUNT; i++) {
		if (asprintf(&files->flawed[i], "%s/%s.pem", dir, flaws[i]) < 0)
			files->flawed[i] = NULL;
		failed |= files->flawed[i] == NULL;
	}
	if (asprintf(&files->ca, "%s/ca.pem", dir) < 0)
		files->ca = NULL;
	if (asprintf(&files->cert, "%s/cert.pem", dir) < 0)
		files->cert = NULL;
	if (asprintf(&files->key, "%s/key.pem", dir) < 0)
		files->key = NULL;
	if (failed || files->ca == NULL || files->cert == NULL ||
	    files->key == NULL)
		return stls_err_nomem(err);
	return SMTPTLS_OK;
}

static int
gnutls_failed(struct stls_err *err, const char *what, int code)
{
	return stls_err_set(
	    err, SMTPTLS_E_TLS, "%s: %s", what, gnutls_strerror(code));
}

/* ---- what is there already ---- */

static bool
load_cert(const char *path, struct sink_pair *pair)
{
	CLEANUP(free_datum) gnutls_datum_t pem = { NULL, 0 };

	return gnutls_load_file(path, &pem) == 0 &&
	    gnutls_x509_crt_init(&pair->cert) == 0 &&
	    gnutls_x509_crt_import(pair->cert, &pem, GNUTLS_X509_FMT_PEM) == 0;
}

static bool
load_key(const char *path, struct sink_pair *pair)
{
	CLEANUP(free_datum) gnutls_datum_t pem = { NULL, 0 };

	return gnutls_load_file(path, &pem) == 0 &&
	    gnutls_x509_privkey_init(&pair->key) == 0 &&
	    gnutls_x509_privkey_import(pair->key, &pem, GNUTLS_X509_FMT_PEM) ==
	    0;
}

static bool
is_in_time(gnutls_x509_crt_t cert)
{
	time_t now = time(NULL);

	return gnutls_x509_crt_get_activation_time(cert) <= now &&
	    gnutls_x509_crt_get_expiration_time(cert) > now + LEFT_AT_LEAST;
}

static bool
key_fits(const struct sink_pair *pair)
{
	unsigned char of_cert[KEY_ID_LEN_MAX], of_key[KEY_ID_LEN_MAX];
	size_t cert_len = sizeof(of_cert), key_len = sizeof(of_key);

	return gnutls_x509_crt_get_key_id(pair->cert, GNUTLS_KEYID_USE_SHA256,
		   of_cert, &cert_len) == 0 &&
	    gnutls_x509_privkey_get_key_id(
		pair->key, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) == 0 &&
	    cert_len == key_len && memcmp(of_cert, of_key, key_len) == 0;
}

/* Those of an earlier version of this program were not made. */
static bool
has_flawed(const struct sink_ca_files *files)
{
	size_t i;

	for (i = 0; i < SINK_FLAW_COUNT; i++) {
		if (access(files->flawed[i], R_OK) < 0)
			return false;
	}
	return true;
}

static bool
is_usable(const struct sink_ca_files *files)
{
	CLEANUP(sink_pair_done) struct sink_pair ca = { NULL, NULL };
	CLEANUP(sink_pair_done) struct sink_pair leaf = { NULL, NULL };
	unsigned int status;

	return has_flawed(files) && load_cert(files->ca, &ca) &&
	    load_cert(files->cert, &leaf) && load_key(files->key, &leaf) &&
	    is_in_time(ca.cert) && is_in_time(leaf.cert) && key_fits(&leaf) &&
	    gnutls_x509_crt_check_hostname2(leaf.cert, "localhost", 0) != 0 &&
	    gnutls_x509_crt_verify(leaf.cert, &ca.cert, 1, 0, &status) == 0 &&
	    status == 0;
}

/* ---- writing ---- */

static int
write_file(struct stls_err *err, const char *path, mode_t mode,
    const gnutls_datum_t *data)
{
	CLEANUP(close_fd) int fd = -1;

	/* Never into a file that others may read or that is a link. */
	if (unlink(path) < 0 && errno != ENOENT)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "%s", path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "%s", path);
	if (write(fd, data->data, data->size) != (ssize_t)data->size)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "%s", path);
	return SMTPTLS_OK;
}

static int
write_cert(struct stls_err *err, const char *path, gnutls_x509_crt_t cert)
{
	CLEANUP(free_datum) gnutls_datum_t pem = { NULL, 0 };
	int r;

	r = gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem);
	if (r < 0)
		return gnutls_failed(err, path, r);
	return write_file(err, path, 0644, &pem);
}

static int
write_key(struct stls_err *err, const char *path, gnutls_x509_privkey_t key)
{
	CLEANUP(free_datum) gnutls_datum_t pem = { NULL, 0 };
	int r;

	r = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
	if (r < 0)
		return gnutls_failed(err, path, r);
	r = write_file(err, path, 0600, &pem);
	gnutls_memset(pem.data, 0, pem.size);
	return r;
}

/* Certificates with flaws, for the same key: only now the CA can sign. */
static int
make_flawed(struct stls_err *err, const struct sink_ca_files *files,
    const struct sink_pair *ca, gnutls_x509_privkey_t key)
{
	size_t i;
	int r;

	for (i = 0; i < SINK_FLAW_COUNT; i++) {
		CLEANUP(sink_cert_done) gnutls_x509_crt_t cert = NULL;

		r = sink_cert_make_flawed(ca, key, (enum sink_flaw)i, &cert);
		if (r < 0)
			return gnutls_failed(err, files->flawed[i], r);
		r = write_cert(err, files->flawed[i], cert);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

static int
make_files(struct stls_err *err, const struct sink_ca_files *files)
{
	CLEANUP(sink_pair_done) struct sink_pair ca = { NULL, NULL };
	CLEANUP(sink_pair_done) struct sink_pair leaf = { NULL, NULL };
	int r;

	r = sink_pair_make_ca(&ca);
	if (r < 0)
		return gnutls_failed(err, files->ca, r);
	r = sink_pair_make_leaf(&ca, &leaf);
	if (r < 0)
		return gnutls_failed(err, files->cert, r);
	r = write_key(err, files->key, leaf.key);
	if (r < 0)
		return r;
	r = write_cert(err, files->cert, leaf.cert);
	if (r < 0)
		return r;
	r = make_flawed(err, files, &ca, leaf.key);
	if (r < 0)
		return r;
	return write_cert(err, files->ca, ca.cert);
}

int
sink_make_ca(
    struct stls_err *err, const char *dir, struct sink_ca_files *out_files)
{
	int r;

	memset(out_files, 0, sizeof(*out_files));
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "%s", dir);
	r = name_files(err, dir, out_files);
	if (r == SMTPTLS_OK && !is_usable(out_files))
		r = make_files(err, out_files);
	if (r < 0)
		sink_ca_files_done(out_files);
	return r;
}
