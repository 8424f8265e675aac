/* SPDX-License-Identifier: MIT */
#include "load/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400

static void
must(int r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "certificates: %s\n", gnutls_strerror(r));
	exit(EXIT_FAILURE);
}

static gnutls_x509_privkey_t
make_key(void)
{
	gnutls_x509_privkey_t key;

	must(gnutls_x509_privkey_init(&key));
	must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	return key;
}

static gnutls_x509_crt_t
begin(gnutls_x509_privkey_t key, const char *name, unsigned char serial)
{
	gnutls_x509_crt_t crt;
	unsigned char id[20];
	size_t len = sizeof(id);

	must(gnutls_x509_crt_init(&crt));
	must(gnutls_x509_crt_set_version(crt, 3));
	must(gnutls_x509_crt_set_serial(crt, &serial, 1));
	must(gnutls_x509_crt_set_activation_time(crt, time(NULL) - DAY));
	must(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + DAY));
	must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
	    name, (unsigned int)strlen(name)));
	must(gnutls_x509_crt_set_key(crt, key));
	must(gnutls_x509_crt_get_key_id(crt, 0, id, &len));
	must(gnutls_x509_crt_set_subject_key_id(crt, id, len));
	return crt;
}

static void
sign(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca, gnutls_x509_privkey_t key)
{
	unsigned char id[20];
	size_t len = sizeof(id);

	must(gnutls_x509_crt_get_key_id(ca, 0, id, &len));
	must(gnutls_x509_crt_set_authority_key_id(crt, id, len));
	must(gnutls_x509_crt_sign2(crt, ca, key, GNUTLS_DIG_SHA256, 0));
}

void
certs_make(struct certs *certs, const char *host)
{
	certs->ca_key = make_key();
	certs->key = make_key();
	certs->ca = begin(certs->ca_key, "Load CA", 1);
	must(gnutls_x509_crt_set_basic_constraints(certs->ca, 1, -1));
	must(gnutls_x509_crt_set_key_usage(
	    certs->ca, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
	sign(certs->ca, certs->ca, certs->ca_key);
	certs->server = begin(certs->key, "server", 2);
	must(gnutls_x509_crt_set_basic_constraints(certs->server, 0, -1));
	must(gnutls_x509_crt_set_key_usage(
	    certs->server, GNUTLS_KEY_DIGITAL_SIGNATURE));
	must(gnutls_x509_crt_set_key_purpose_oid(
	    certs->server, GNUTLS_KP_TLS_WWW_SERVER, 0));
	must(gnutls_x509_crt_set_subject_alt_name(certs->server,
	    GNUTLS_SAN_DNSNAME, host, (unsigned int)strlen(host),
	    GNUTLS_FSAN_SET));
	sign(certs->server, certs->ca, certs->ca_key);
	must(gnutls_x509_crt_export2(
	    certs->ca, GNUTLS_X509_FMT_PEM, &certs->ca_pem));
}

void
certs_free(struct certs *certs)
{
	gnutls_free(certs->ca_pem.data);
	gnutls_x509_crt_deinit(certs->server);
	gnutls_x509_crt_deinit(certs->ca);
	gnutls_x509_privkey_deinit(certs->key);
	gnutls_x509_privkey_deinit(certs->ca_key);
}
