/* SPDX-License-Identifier: MIT */
#include "tls/peer-cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "tls/free.h"
#include "tls/hostname.h"
#include "tls/pins.h"

/* All strings of one certificate: a thousand names fit in. */
#define TEXT_MAX 131072

/* One of them, or one name. */
#define FIELD_MAX 4096

/* The texts one behind another, each with its NUL. */
struct texts {
	struct stls_buf buf;
	size_t start[9];
	size_t count;
};

static void
texts_done(struct texts *texts)
{
	stls_buf_done(&texts->buf);
}

static void
begin_text(struct texts *texts)
{
	texts->start[texts->count++] = stls_buf_len(&texts->buf);
}

static int
end_text(struct texts *texts)
{
	return stls_buf_append(&texts->buf, "", 1);
}

static int
append_escaped(struct texts *texts, const void *data, size_t len)
{
	char text[FIELD_MAX];

	stls_escape(text, sizeof(text), data, len);
	return stls_buf_append_str(&texts->buf, text);
}

static int
add_text(struct texts *texts, const void *data, size_t len)
{
	int r;

	begin_text(texts);
	r = append_escaped(texts, data, len);
	return r < 0 ? r : end_text(texts);
}

static int
add_dn(struct texts *texts, int r, gnutls_datum_t *dn)
{
	if (r < 0)
		return add_text(texts, "", 0);
	r = add_text(texts, dn->data, dn->size);
	gnutls_free(dn->data);
	return r;
}

static int
add_names_of_holder(struct texts *texts, gnutls_x509_crt_t cert)
{
	gnutls_datum_t dn = { NULL, 0 };
	int r;

	r = gnutls_x509_crt_get_dn3(cert, &dn, 0);
	r = add_dn(texts, r, &dn);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_get_issuer_dn3(cert, &dn, 0);
	return add_dn(texts, r, &dn);
}

static int
add_serial(struct texts *texts, gnutls_x509_crt_t cert)
{
	unsigned char serial[128];
	char text[2 * sizeof(serial) + 1] = "";
	size_t len = sizeof(serial), i;

	if (gnutls_x509_crt_get_serial(cert, serial, &len) < 0)
		len = 0;
	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", serial[i]);
	return add_text(texts, text, strlen(text));
}

/* RFC 3339, in UTC. */
static int
add_time(struct texts *texts, time_t when)
{
	char text[32] = "";
	struct tm tm;

	if (when != (time_t)-1 && gmtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return add_text(texts, text, strlen(text));
}

static int
append_name(struct texts *texts, unsigned int type, const gnutls_datum_t *name)
{
	const char *label = type == GNUTLS_SAN_DNSNAME ? "DNS:"
	    : type == GNUTLS_SAN_IPADDRESS	       ? "IP:"
	    : type == GNUTLS_SAN_RFC822NAME	       ? "email:"
	    : type == GNUTLS_SAN_URI		       ? "URI:"
						       : NULL;
	char ip[64];
	int r;

	if (label == NULL)
		return stls_buf_append_str(&texts->buf, "other");
	r = stls_buf_append_str(&texts->buf, label);
	if (r < 0)
		return r;
	if (type != GNUTLS_SAN_IPADDRESS)
		return append_escaped(texts, name->data, name->size);
	stls_hostname_format_ip(ip, sizeof(ip), name->data, name->size);
	return stls_buf_append_str(&texts->buf, ip);
}

static int
append_alt_names(struct texts *texts, gnutls_subject_alt_names_t names)
{
	gnutls_datum_t name;
	unsigned int i, type;
	int r = SMTPTLS_OK;

	for (i = 0;
	     gnutls_subject_alt_names_get(names, i, &type, &name, NULL) >= 0;
	     i++) {
		/* What comes behind the names must fit in as well. */
		if (stls_buf_room(&texts->buf) < 3 * FIELD_MAX)
			return stls_buf_append_str(&texts->buf, ", ...");
		if (i > 0)
			r = stls_buf_append_str(&texts->buf, ", ");
		if (r >= 0)
			r = append_name(texts, type, &name);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

static int
add_alt_names(struct texts *texts, gnutls_x509_crt_t cert)
{
	CLEANUP(free_names) gnutls_subject_alt_names_t names = NULL;
	CLEANUP(free_datum) gnutls_datum_t der = { NULL, 0 };
	int r;

	begin_text(texts);
	r = gnutls_x509_crt_get_extension_by_oid2(
	    cert, GNUTLS_X509EXT_OID_SAN, 0, &der, NULL);
	if (r >= 0)
		r = gnutls_subject_alt_names_init(&names);
	if (r >= 0)
		r = gnutls_x509_ext_import_subject_alt_names(&der, names, 0);
	if (r >= 0)
		r = append_alt_names(texts, names);
	if (r == SMTPTLS_E_NOMEM)
		return r;
	return end_text(texts);
}

static int
add_spki(struct texts *texts, gnutls_x509_crt_t cert)
{
	unsigned char hash[STLS_PIN_LEN];
	char text[STLS_BASE64_LEN(sizeof(hash)) + 1] = "";

	if (stls_pin_of_cert(cert, hash))
		stls_base64_encode(text, hash, sizeof(hash));
	return add_text(texts, text, strlen(text));
}

static int
add_constant(struct texts *texts, const char *text)
{
	return add_text(
	    texts, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static int
add_algorithms(
    struct texts *texts, gnutls_x509_crt_t cert, unsigned int *out_bits)
{
	int key = gnutls_x509_crt_get_pk_algorithm(cert, out_bits), sign, r;

	if (key < 0)
		*out_bits = 0;
	r = add_constant(texts,
	    key < 0 ? NULL : gnutls_pk_get_name((gnutls_pk_algorithm_t)key));
	sign = gnutls_x509_crt_get_signature_algorithm(cert);
	if (r < 0)
		return r;
	return add_constant(texts,
	    sign < 0 ? NULL
		     : gnutls_sign_get_name((gnutls_sign_algorithm_t)sign));
}

static int
describe(struct texts *texts, gnutls_x509_crt_t cert, unsigned int *out_bits)
{
	int r;

	r = add_names_of_holder(texts, cert);
	if (r >= 0)
		r = add_serial(texts, cert);
	if (r >= 0)
		r = add_time(texts, gnutls_x509_crt_get_activation_time(cert));
	if (r >= 0)
		r = add_time(texts, gnutls_x509_crt_get_expiration_time(cert));
	if (r >= 0)
		r = add_alt_names(texts, cert);
	if (r >= 0)
		r = add_spki(texts, cert);
	if (r >= 0)
		r = add_algorithms(texts, cert, out_bits);
	return r;
}

static struct stls_peer_cert *
make_cert(const struct texts *texts, unsigned int key_bits)
{
	size_t len = stls_buf_len(&texts->buf);
	struct stls_peer_cert *cert = stls_alloc_zero(sizeof(*cert) + len);

	if (cert == NULL)
		return NULL;
	memcpy(cert->text, stls_buf_data(&texts->buf), len);
	cert->info.subject = cert->text + texts->start[0];
	cert->info.issuer = cert->text + texts->start[1];
	cert->info.serial = cert->text + texts->start[2];
	cert->info.not_before = cert->text + texts->start[3];
	cert->info.not_after = cert->text + texts->start[4];
	cert->info.names = cert->text + texts->start[5];
	cert->info.spki_sha256 = cert->text + texts->start[6];
	cert->info.key = cert->text + texts->start[7];
	cert->info.signature = cert->text + texts->start[8];
	cert->info.key_bits = key_bits;
	return cert;
}

int
stls_peer_cert_new(struct stls_err *err, const gnutls_datum_t *der,
    struct stls_peer_cert **out_cert)
{
	CLEANUP(texts_done) struct texts texts = { .count = 0 };
	CLEANUP(free_cert) gnutls_x509_crt_t crt = NULL;
	struct stls_peer_cert *cert;
	unsigned int key_bits = 0;

	stls_buf_init(&texts.buf, TEXT_MAX);
	if (gnutls_x509_crt_init(&crt) < 0)
		return stls_err_nomem(err);
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) < 0)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "a certificate of the peer cannot be read");
	if (describe(&texts, crt, &key_bits) < 0)
		return stls_err_nomem(err);
	cert = make_cert(&texts, key_bits);
	if (cert == NULL)
		return stls_err_nomem(err);
	*out_cert = cert;
	return SMTPTLS_OK;
}

void
stls_peer_cert_free(struct stls_peer_cert *list)
{
	struct stls_peer_cert *next;

	for (; list != NULL; list = next) {
		next = list->next;
		free(list);
	}
}
