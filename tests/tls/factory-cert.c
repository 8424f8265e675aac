/* SPDX-License-Identifier: MIT */
#include "factory-parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/x509-ext.h>

static gnutls_x509_privkey_t
make_key(const struct cert_spec *spec)
{
	gnutls_x509_privkey_t key;

	must(gnutls_x509_privkey_init(&key));
	if (spec->key_of != NULL)
		must(gnutls_x509_privkey_cpy(key, spec->key_of->key));
	else if (spec->rsa_bits != 0)
		must(gnutls_x509_privkey_generate(
		    key, GNUTLS_PK_RSA, spec->rsa_bits, 0));
	else
		must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(spec->curve != 0
			    ? spec->curve
			    : GNUTLS_ECC_CURVE_SECP256R1),
		    0));
	return key;
}

static void
set_validity(gnutls_x509_crt_t crt, const struct cert_spec *spec)
{
	time_t now = time(NULL);

	must(gnutls_x509_crt_set_activation_time(crt,
	    now + (spec->not_before != 0 ? spec->not_before : -FACTORY_DAY)));
	must(gnutls_x509_crt_set_expiration_time(crt,
	    now + (spec->not_after != 0 ? spec->not_after : 30 * FACTORY_DAY)));
}

static void
set_serial(struct factory *factory, gnutls_x509_crt_t crt, const char *serial)
{
	unsigned char counted[2], given[64];
	gnutls_datum_t hex;
	size_t len = sizeof(given);

	if (serial == NULL) {
		factory->serial++;
		counted[0] = (unsigned char)(factory->serial >> 8);
		counted[1] = (unsigned char)factory->serial;
		must(gnutls_x509_crt_set_serial(crt, counted, 2));
		return;
	}
	hex.data = (unsigned char *)serial;
	hex.size = (unsigned int)strlen(serial);
	must(gnutls_hex_decode(&hex, given, &len));
	must(gnutls_x509_crt_set_serial(crt, given, len));
}

static void
set_eku(gnutls_x509_crt_t crt, const char *eku)
{
	static const unsigned char empty[] = { 0x30, 0x00 };

	if (eku == NULL)
		return;
	if (eku[0] == '\0')
		must(gnutls_x509_crt_set_extension_by_oid(
		    crt, GNUTLS_X509EXT_OID_EXTENDED_KEY_USAGE, empty, 2, 0));
	FOR_EACH_WORD(eku, copy, save, word)
	must(gnutls_x509_crt_set_key_purpose_oid(crt, word, 0));
}

static void
set_must_staple(gnutls_x509_crt_t crt)
{
	gnutls_x509_tlsfeatures_t features;

	must(gnutls_x509_tlsfeatures_init(&features));
	must(gnutls_x509_tlsfeatures_add(features, 5));
	must(gnutls_x509_crt_set_tlsfeatures(crt, features));
	gnutls_x509_tlsfeatures_deinit(features);
}

static void
set_key_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer,
    const struct cert_spec *spec)
{
	unsigned char id[64];
	size_t len = sizeof(id);

	must(gnutls_x509_crt_get_key_id(crt, 0, id, &len));
	if (!spec->no_key_ids && !spec->no_subject_key_id)
		must(gnutls_x509_crt_set_subject_key_id(crt, id, len));
	len = sizeof(id);
	must(gnutls_x509_crt_get_key_id(issuer, 0, id, &len));
	if (!spec->no_key_ids && !spec->no_authority_key_id)
		must(gnutls_x509_crt_set_authority_key_id(crt, id, len));
}

static void
set_raw(gnutls_x509_crt_t crt, const char *raw)
{
	struct der der;

	if (raw == NULL)
		return;
	FOR_EACH_WORD(raw, copy, save, word)
	{
		bool critical = word[0] == '!';
		char *hex = strchr(word, '=');

		ck_assert_ptr_nonnull(hex);
		*hex++ = '\0';
		der = der_hex(hex);
		must(gnutls_x509_crt_set_extension_by_oid(
		    crt, word + critical, der.data, der.len, critical));
		der_done(&der);
	}
}

static void
set_extensions(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer,
    const struct cert_spec *spec)
{
	unsigned int usage = spec->key_usage;

	if (!spec->no_basic_constraints)
		must(gnutls_x509_crt_set_basic_constraints(crt, spec->ca,
		    spec->has_path_len ? (int)spec->path_len : -1));
	if (usage == 0 && spec->ca && !spec->no_key_usage)
		usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
	if (usage != 0)
		must(gnutls_x509_crt_set_key_usage(crt, usage));
	factory_set_names(crt, spec->names);
	set_eku(crt, spec->eku);
	factory_set_constraints(crt, spec);
	if (spec->must_staple)
		set_must_staple(crt);
	set_key_ids(crt, issuer, spec);
	set_raw(crt, spec->raw);
	if (spec->extra_oid != NULL)
		must(gnutls_x509_crt_set_extension_by_oid(crt, spec->extra_oid,
		    spec->extra_der, spec->extra_len, spec->extra_critical));
}

/*
 * Read the certificate as a peer would: GnuTLS does not know all of one that
 * it has made. The last byte of DER is the end of the signature.
 */
static void
import_again(gnutls_x509_crt_t *crt, bool forged)
{
	gnutls_datum_t der;

	must(gnutls_x509_crt_export2(*crt, GNUTLS_X509_FMT_DER, &der));
	if (forged)
		der.data[der.size - 1] ^= 1;
	gnutls_x509_crt_deinit(*crt);
	must(gnutls_x509_crt_init(crt));
	must(gnutls_x509_crt_import(*crt, &der, GNUTLS_X509_FMT_DER));
	gnutls_free(der.data);
}

const struct cert *
factory_cert(struct factory *factory, const struct cert *issuer,
    const struct cert_spec *spec)
{
	struct cert *cert = factory_new_cert(factory);
	const char *cn = spec->cn != NULL ? spec->cn : "test";

	cert->key = make_key(spec);
	must(gnutls_x509_crt_init(&cert->crt));
	must(gnutls_x509_crt_set_version(cert->crt, spec->version_1 ? 1 : 3));
	must(gnutls_x509_crt_set_key(cert->crt, cert->key));
	set_serial(factory, cert->crt, spec->serial);
	set_validity(cert->crt, spec);
	if (cn[0] != '\0')
		must(gnutls_x509_crt_set_dn_by_oid(cert->crt,
		    GNUTLS_OID_X520_COMMON_NAME, 0, cn,
		    (unsigned int)strlen(cn)));
	if (issuer == NULL)
		issuer = cert;
	if (!spec->version_1)
		set_extensions(cert->crt, issuer->crt, spec);
	must(gnutls_x509_crt_sign2(cert->crt, issuer->crt, issuer->key,
	    spec->digest != 0 ? spec->digest : GNUTLS_DIG_SHA256, 0));
	import_again(&cert->crt, spec->forged);
	if (spec->surgery != NULL)
		factory_operate(cert, issuer, spec);
	return cert;
}

const struct cert *
factory_ca(struct factory *factory)
{
	return CERT(factory, NULL, .cn = "Test Root", .ca = true);
}

const struct cert *
factory_server(
    struct factory *factory, const struct cert *issuer, const char *names)
{
	return CERT(factory, issuer, .cn = "server", .names = names,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER);
}
