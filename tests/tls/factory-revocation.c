/* SPDX-License-Identifier: MIT */
#include "factory-parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

const char *
factory_crl(struct factory *factory, const struct cert *issuer,
    const struct crl_spec *spec)
{
	gnutls_x509_crl_t crl;
	gnutls_datum_t pem;
	unsigned char id[64], number = 1;
	size_t len = sizeof(id), i;
	time_t now = time(NULL);
	char *text;

	must(gnutls_x509_crl_init(&crl));
	must(gnutls_x509_crl_set_version(crl, 2));
	must(gnutls_x509_crl_set_this_update(
	    crl, now + (spec->this_update != 0 ? spec->this_update : -3600)));
	must(gnutls_x509_crl_set_next_update(crl,
	    now +
		(spec->next_update != 0 ? spec->next_update
					: 7 * FACTORY_DAY)));
	for (i = 0; i < 4 && spec->revoked[i] != NULL; i++)
		must(gnutls_x509_crl_set_crt(
		    crl, spec->revoked[i]->crt, now - 3600));
	must(gnutls_x509_crt_get_key_id(issuer->crt, 0, id, &len));
	must(gnutls_x509_crl_set_authority_key_id(crl, id, len));
	must(gnutls_x509_crl_set_number(crl, &number, 1));
	must(gnutls_x509_crl_sign2(crl, issuer->crt, issuer->key,
	    spec->digest != 0 ? spec->digest : GNUTLS_DIG_SHA256, 0));
	must(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem));
	gnutls_x509_crl_deinit(crl);
	text = strndup((const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	return factory_keep(factory, free, text);
}

/* GnuTLS reads OCSP responses and does not make them: RFC 6960 4.2.1. */

static const unsigned char oid_sha1[] = { 0x2b, 0x0e, 0x03, 0x02, 0x1a };
static const unsigned char oid_basic[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
	0x30, 0x01, 0x01 };

static struct der
der_sha1(const void *data, size_t len)
{
	unsigned char hash[20];

	must(gnutls_hash_fast(GNUTLS_DIG_SHA1, data, len, hash));
	return der_bytes(DER_OCTETS, hash, sizeof(hash));
}

static struct der
der_time(time_t when)
{
	char text[32];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	return der_bytes(DER_TIME, text, strlen(text));
}

static struct der
der_issuer_key_hash(gnutls_x509_crt_t issuer)
{
	unsigned char hash[20];
	gnutls_pubkey_t key;
	gnutls_datum_t spki;
	size_t head;

	must(gnutls_pubkey_init(&key));
	must(gnutls_pubkey_import_x509(key, issuer, 0));
	must(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki));
	gnutls_pubkey_deinit(key);
	head = der_last_bit_string(spki.data, spki.size);
	must(gnutls_hash_fast(
	    GNUTLS_DIG_SHA1, spki.data + head, spki.size - head, hash));
	gnutls_free(spki.data);
	return der_bytes(DER_OCTETS, hash, sizeof(hash));
}

static struct der
der_cert_id(gnutls_x509_crt_t issuer, gnutls_x509_crt_t subject)
{
	gnutls_datum_t dn;
	unsigned char serial[64];
	size_t len = sizeof(serial);
	struct der name_hash;

	must(gnutls_x509_crt_get_raw_dn(issuer, &dn));
	name_hash = der_sha1(dn.data, dn.size);
	gnutls_free(dn.data);
	must(gnutls_x509_crt_get_serial(subject, serial, &len));
	return der_join(DER_SEQUENCE, 4,
	    der_join(DER_SEQUENCE, 2,
		der_bytes(DER_OID, oid_sha1, sizeof(oid_sha1)),
		der_bytes(DER_NULL, "", 0)),
	    name_hash, der_issuer_key_hash(issuer),
	    der_bytes(DER_INTEGER, serial, len));
}

static struct der
der_status(const struct ocsp_spec *spec, time_t now)
{
	if (spec->status == 1)
		return der_join(DER_CONTEXT(1) | DER_CONSTRUCTED, 1,
		    der_time(now - FACTORY_DAY));
	return der_bytes((unsigned char)DER_CONTEXT(spec->status), "", 0);
}

static struct der
der_single(const struct cert *about, const struct cert *subject,
    const struct ocsp_spec *spec)
{
	time_t now = time(NULL);
	struct der next = { 0 };

	if (!spec->no_next_update)
		next = der_join(DER_CONTEXT(0) | DER_CONSTRUCTED, 1,
		    der_time(now +
			(spec->next_update != 0 ? spec->next_update
						: 7 * FACTORY_DAY)));
	return der_join(DER_SEQUENCE, 4, der_cert_id(about->crt, subject->crt),
	    der_status(spec, now),
	    der_time(
		now + (spec->this_update != 0 ? spec->this_update : -3600)),
	    next);
}

static struct der
der_signature(const struct cert *signer, const struct der *tbs,
    const struct ocsp_spec *spec)
{
	struct der bits = factory_sign(signer, tbs, spec->digest);

	if (spec->forged)
		bits.data[bits.len - 1] ^= 1;
	return bits;
}

/* ecdsa-with-SHA256 or, RFC 3279, ecdsa-with-SHA1. */
static struct der
der_ecdsa(const struct ocsp_spec *spec)
{
	static const unsigned char sha256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x04, 0x03, 0x02 };
	static const unsigned char sha1[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x04, 0x01 };

	return der_join(DER_SEQUENCE, 1,
	    spec->digest == GNUTLS_DIG_SHA1
		? der_bytes(DER_OID, sha1, sizeof(sha1))
		: der_bytes(DER_OID, sha256, sizeof(sha256)));
}

static struct der
der_responder(gnutls_x509_crt_t signer)
{
	gnutls_datum_t dn;
	struct der name;

	must(gnutls_x509_crt_get_raw_dn(signer, &dn));
	name = der_join(
	    DER_CONTEXT(1) | DER_CONSTRUCTED, 1, der_raw(dn.data, dn.size));
	gnutls_free(dn.data);
	return name;
}

const gnutls_datum_t *
factory_ocsp(struct factory *factory, const struct cert *issuer,
    const struct cert *subject, const struct ocsp_spec *spec)
{
	const struct cert *signer = spec->responder ? spec->responder : issuer;
	const struct cert *about = spec->about_issuer ? spec->about_issuer
						      : issuer;
	unsigned char status = (unsigned char)spec->response_status;
	gnutls_datum_t *out = factory_new_datum(factory);
	struct der tbs, basic, certs = { 0 }, body = { 0 };

	if (status == 0) {
		tbs = der_join(DER_SEQUENCE, 3, der_responder(signer->crt),
		    der_time(time(NULL)),
		    der_join(
			DER_SEQUENCE, 1, der_single(about, subject, spec)));
		if (spec->responder != NULL && !spec->without_responder_cert) {
			const gnutls_datum_t *der = factory_der(
			    factory, spec->responder);

			certs = der_join(DER_CONTEXT(0) | DER_CONSTRUCTED, 1,
			    der_join(DER_SEQUENCE, 1,
				der_raw(der->data, der->size)));
		}
		basic = der_signature(signer, &tbs, spec);
		basic = der_join(
		    DER_SEQUENCE, 4, tbs, der_ecdsa(spec), basic, certs);
		body = der_join(DER_CONTEXT(0) | DER_CONSTRUCTED, 1,
		    der_join(DER_SEQUENCE, 2,
			der_bytes(DER_OID, oid_basic, sizeof(oid_basic)),
			der_join(DER_OCTETS, 1, basic)));
	}
	body = der_join(
	    DER_SEQUENCE, 2, der_bytes(DER_ENUMERATED, &status, 1), body);
	out->data = gnutls_malloc(body.len);
	ck_assert_ptr_nonnull(out->data);
	memcpy(out->data, body.data, body.len);
	out->size = (unsigned int)body.len;
	der_done(&body);
	return out;
}
