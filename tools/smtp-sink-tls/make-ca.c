/* SPDX-License-Identifier: MIT */
#include "make-ca.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <smtptls/status.h>

#include "base/cleanup.h"

#define DAY ((time_t)24 * 60 * 60)
#define VALID_DAYS 30
/* Clocks differ, also between this machine and a container on it. */
#define VALID_BEFORE DAY
#define LEFT_AT_LEAST DAY

#define VERSION_3 3
/* RFC 5280 section 4.1.2.2 allows 20; the first bit stays 0. */
#define SERIAL_LEN 16
#define KEY_ID_LEN_MAX 64

struct pair {
	gnutls_x509_crt_t cert;
	gnutls_x509_privkey_t key;
};

static void
pair_done(struct pair *pair)
{
	if (pair->cert != NULL)
		gnutls_x509_crt_deinit(pair->cert);
	if (pair->key != NULL)
		gnutls_x509_privkey_deinit(pair->key);
}

static void
free_datum(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
	datum->data = NULL;
}

void
sink_ca_files_done(struct sink_ca_files *files)
{
	free(TAKE(files->ca));
	free(TAKE(files->cert));
	free(TAKE(files->key));
}

static int
name_files(struct stls_err *err, const char *dir, struct sink_ca_files *files)
{
	if (asprintf(&files->ca, "%s/ca.pem", dir) < 0)
		files->ca = NULL;
	if (asprintf(&files->cert, "%s/cert.pem", dir) < 0)
		files->cert = NULL;
	if (asprintf(&files->key, "%s/key.pem", dir) < 0)
		files->key = NULL;
	if (files->ca == NULL || files->cert == NULL || files->key == NULL)
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
load_cert(const char *path, struct pair *pair)
{
	CLEANUP(free_datum) gnutls_datum_t pem = { NULL, 0 };

	return gnutls_load_file(path, &pem) == 0 &&
	    gnutls_x509_crt_init(&pair->cert) == 0 &&
	    gnutls_x509_crt_import(pair->cert, &pem, GNUTLS_X509_FMT_PEM) == 0;
}

static bool
load_key(const char *path, struct pair *pair)
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
key_fits(const struct pair *pair)
{
	unsigned char of_cert[KEY_ID_LEN_MAX], of_key[KEY_ID_LEN_MAX];
	size_t cert_len = sizeof(of_cert), key_len = sizeof(of_key);

	return gnutls_x509_crt_get_key_id(pair->cert, GNUTLS_KEYID_USE_SHA256,
		   of_cert, &cert_len) == 0 &&
	    gnutls_x509_privkey_get_key_id(
		pair->key, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) == 0 &&
	    cert_len == key_len && memcmp(of_cert, of_key, key_len) == 0;
}

static bool
is_usable(const struct sink_ca_files *files)
{
	CLEANUP(pair_done) struct pair ca = { NULL, NULL };
	CLEANUP(pair_done) struct pair leaf = { NULL, NULL };
	unsigned int status;

	return load_cert(files->ca, &ca) && load_cert(files->cert, &leaf) &&
	    load_key(files->key, &leaf) && is_in_time(ca.cert) &&
	    is_in_time(leaf.cert) && key_fits(&leaf) &&
	    gnutls_x509_crt_check_hostname2(leaf.cert, "localhost", 0) != 0 &&
	    gnutls_x509_crt_verify(leaf.cert, &ca.cert, 1, 0, &status) == 0 &&
	    status == 0;
}

/* ---- new ones ---- */

static int
set_serial_and_time(gnutls_x509_crt_t cert)
{
	unsigned char serial[SERIAL_LEN];
	time_t now = time(NULL);
	int r;

	r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
	if (r < 0)
		return r;
	serial[0] = (serial[0] & 0x3f) | 0x40;
	r = gnutls_x509_crt_set_serial(cert, serial, sizeof(serial));
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_activation_time(cert, now - VALID_BEFORE);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_expiration_time(
	    cert, now + VALID_DAYS * DAY);
}

/* RFC 5280 section 4.2.1.2: an identifier made of the key. */
static int
set_key_id(gnutls_x509_crt_t cert)
{
	unsigned char id[KEY_ID_LEN_MAX];
	size_t len = sizeof(id);
	int r;

	r = gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA1, id, &len);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_subject_key_id(cert, id, len);
}

static int
set_authority_key_id(gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer)
{
	unsigned char id[KEY_ID_LEN_MAX];
	size_t len = sizeof(id);
	int r;

	r = gnutls_x509_crt_get_subject_key_id(issuer, id, &len, NULL);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_authority_key_id(cert, id, len);
}

/* Two throwaway CAs must not bear the same name. */
static int
set_ca_name(gnutls_x509_crt_t cert)
{
	unsigned char id[4];
	char dn[64];
	int r;

	r = gnutls_rnd(GNUTLS_RND_NONCE, id, sizeof(id));
	if (r < 0)
		return r;
	snprintf(dn, sizeof(dn), "CN=throwaway CA %02x%02x%02x%02x", id[0],
	    id[1], id[2], id[3]);
	return gnutls_x509_crt_set_dn(cert, dn, NULL);
}

static int
set_names(gnutls_x509_crt_t cert)
{
	struct in_addr v4 = { htonl(INADDR_LOOPBACK) };
	struct in6_addr v6 = IN6ADDR_LOOPBACK_INIT;
	int r;

	r = gnutls_x509_crt_set_dn(cert, "CN=localhost", NULL);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME,
	    "localhost", strlen("localhost"), GNUTLS_FSAN_SET);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_subject_alt_name(
	    cert, GNUTLS_SAN_IPADDRESS, &v4, sizeof(v4), GNUTLS_FSAN_APPEND);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_subject_alt_name(
	    cert, GNUTLS_SAN_IPADDRESS, &v6, sizeof(v6), GNUTLS_FSAN_APPEND);
}

static int
start_pair(struct pair *pair)
{
	int r;

	r = gnutls_x509_privkey_init(&pair->key);
	if (r < 0)
		return r;
	r = gnutls_x509_privkey_generate(pair->key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_init(&pair->cert);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_version(pair->cert, VERSION_3);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_key(pair->cert, pair->key);
	if (r < 0)
		return r;
	r = set_serial_and_time(pair->cert);
	if (r < 0)
		return r;
	return set_key_id(pair->cert);
}

static int
make_ca(struct pair *ca)
{
	int r;

	r = start_pair(ca);
	if (r < 0)
		return r;
	r = set_ca_name(ca->cert);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_basic_constraints(ca->cert, 1, 0);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_key_usage(
	    ca->cert, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	if (r < 0)
		return r;
	return gnutls_x509_crt_sign2(
	    ca->cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0);
}

static int
make_leaf(const struct pair *ca, struct pair *leaf)
{
	int r;

	r = start_pair(leaf);
	if (r < 0)
		return r;
	r = set_names(leaf->cert);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_basic_constraints(leaf->cert, 0, -1);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_key_usage(
	    leaf->cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_key_purpose_oid(
	    leaf->cert, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r < 0)
		return r;
	r = set_authority_key_id(leaf->cert, ca->cert);
	if (r < 0)
		return r;
	return gnutls_x509_crt_sign2(
	    leaf->cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0);
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

static int
make_files(struct stls_err *err, const struct sink_ca_files *files)
{
	CLEANUP(pair_done) struct pair ca = { NULL, NULL };
	CLEANUP(pair_done) struct pair leaf = { NULL, NULL };
	int r;

	r = make_ca(&ca);
	if (r < 0)
		return gnutls_failed(err, files->ca, r);
	r = make_leaf(&ca, &leaf);
	if (r < 0)
		return gnutls_failed(err, files->cert, r);
	r = write_key(err, files->key, leaf.key);
	if (r < 0)
		return r;
	r = write_cert(err, files->cert, leaf.cert);
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
