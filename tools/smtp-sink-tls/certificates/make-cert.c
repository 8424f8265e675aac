/* SPDX-License-Identifier: MIT */
#include "certificates/make-cert.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/cleanup.h"

#define DAY ((time_t)24 * 60 * 60)
#define VALID_DAYS 30
/* Clocks differ, also between this machine and a container on it. */
#define VALID_BEFORE DAY

#define VERSION_3 3
/* RFC 5280 section 4.1.2.2 allows 20; the first bit stays 0. */
#define SERIAL_LEN 16
#define KEY_ID_LEN_MAX 64

void
sink_cert_done(gnutls_x509_crt_t *cert)
{
	if (*cert != NULL)
		gnutls_x509_crt_deinit(*cert);
}

void
sink_pair_done(struct sink_pair *pair)
{
	sink_cert_done(&pair->cert);
	if (pair->key != NULL)
		gnutls_x509_privkey_deinit(pair->key);
}

/* With a flaw it is valid for a day, before now or after. */
static int
set_time(gnutls_x509_crt_t cert, enum sink_flaw flaw)
{
	time_t from = time(NULL) - VALID_BEFORE;
	time_t to = from + VALID_BEFORE + VALID_DAYS * DAY;
	int r;

	if (flaw == SINK_FLAW_EXPIRED) {
		from -= DAY;
		to = from + DAY;
	}
	/* Files are used again as long as the good one is valid. */
	if (flaw == SINK_FLAW_NOT_YET) {
		from = to;
		to += DAY;
	}
	r = gnutls_x509_crt_set_activation_time(cert, from);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_expiration_time(cert, to);
}

static int
set_serial(gnutls_x509_crt_t cert)
{
	unsigned char serial[SERIAL_LEN];
	int r;

	r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
	if (r < 0)
		return r;
	serial[0] = (serial[0] & 0x3f) | 0x40;
	return gnutls_x509_crt_set_serial(cert, serial, sizeof(serial));
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
set_name(gnutls_x509_crt_t cert, const char *name)
{
	char dn[64];
	int r;

	snprintf(dn, sizeof(dn), "CN=%s", name);
	r = gnutls_x509_crt_set_dn(cert, dn, NULL);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME,
	    name, (unsigned int)strlen(name), GNUTLS_FSAN_SET);
}

static int
set_names(gnutls_x509_crt_t cert)
{
	struct in_addr v4 = { htonl(INADDR_LOOPBACK) };
	struct in6_addr v6 = IN6ADDR_LOOPBACK_INIT;
	int r;

	r = set_name(cert, "localhost");
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
make_key(gnutls_x509_privkey_t *out_key)
{
	int r;

	r = gnutls_x509_privkey_init(out_key);
	if (r < 0)
		return r;
	return gnutls_x509_privkey_generate(*out_key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
}

static int
start_cert(
    gnutls_x509_privkey_t key, enum sink_flaw flaw, gnutls_x509_crt_t *out_cert)
{
	int r;

	r = gnutls_x509_crt_init(out_cert);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_version(*out_cert, VERSION_3);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_key(*out_cert, key);
	if (r < 0)
		return r;
	r = set_serial(*out_cert);
	if (r < 0)
		return r;
	r = set_time(*out_cert, flaw);
	if (r < 0)
		return r;
	return set_key_id(*out_cert);
}

int
sink_pair_make_ca(struct sink_pair *ca)
{
	int r;

	r = make_key(&ca->key);
	if (r < 0)
		return r;
	r = start_cert(ca->key, SINK_FLAW_NONE, &ca->cert);
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

/* What a certificate of a server has besides its names. */
static int
set_usage(gnutls_x509_crt_t cert)
{
	int r;

	r = gnutls_x509_crt_set_basic_constraints(cert, 0, -1);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_key_purpose_oid(
	    cert, GNUTLS_KP_TLS_WWW_SERVER, 0);
}

static int
make_cert(const struct sink_pair *ca, gnutls_x509_privkey_t key,
    enum sink_flaw flaw, gnutls_x509_crt_t *out_cert)
{
	struct sink_pair issuer = *ca;
	int r;

	r = start_cert(key, flaw, out_cert);
	if (r < 0)
		return r;
	r = flaw == SINK_FLAW_OTHER_NAME ? set_name(*out_cert, "other.invalid")
					 : set_names(*out_cert);
	if (r < 0)
		return r;
	r = set_usage(*out_cert);
	if (r < 0)
		return r;
	if (flaw == SINK_FLAW_SELF_SIGNED) {
		issuer.cert = *out_cert;
		issuer.key = key;
	}
	r = set_authority_key_id(*out_cert, issuer.cert);
	if (r < 0)
		return r;
	return gnutls_x509_crt_sign2(
	    *out_cert, issuer.cert, issuer.key, GNUTLS_DIG_SHA256, 0);
}

int
sink_pair_make_leaf(const struct sink_pair *ca, struct sink_pair *leaf)
{
	int r;

	r = make_key(&leaf->key);
	if (r < 0)
		return r;
	return make_cert(ca, leaf->key, SINK_FLAW_NONE, &leaf->cert);
}

int
sink_cert_make_flawed(const struct sink_pair *ca, gnutls_x509_privkey_t key,
    enum sink_flaw flaw, gnutls_x509_crt_t *out_cert)
{
	CLEANUP(sink_pair_done) struct sink_pair other = { NULL, NULL };
	int r;

	if (flaw != SINK_FLAW_OTHER_CA)
		return make_cert(ca, key, flaw, out_cert);
	r = sink_pair_make_ca(&other);
	if (r < 0)
		return r;
	return make_cert(&other, key, flaw, out_cert);
}
