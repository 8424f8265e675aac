/* SPDX-License-Identifier: MIT */
#include "factory.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509-ext.h>

#include <check.h>

#include "der.h"

#define ITEMS_MAX 512

#define must(call) ck_assert_int_ge((call), 0)

/* One thing that is to be freed. */
struct item {
	void (*free_fn)(void *thing);
	void *thing;
};

struct factory {
	struct item items[ITEMS_MAX];
	size_t count;
	unsigned int serial;
	pid_t made_in;
	char dir[64];
};

static void *
keep(struct factory *factory, void (*free_fn)(void *), void *thing)
{
	ck_assert_ptr_nonnull(thing);
	ck_assert_uint_lt(factory->count, ITEMS_MAX);
	factory->items[factory->count++] = (struct item){ .free_fn = free_fn,
		.thing = thing };
	return thing;
}

static void
free_cert(void *thing)
{
	struct cert *cert = thing;

	if (cert->crt != NULL)
		gnutls_x509_crt_deinit(cert->crt);
	gnutls_x509_privkey_deinit(cert->key);
	gnutls_free(cert->der.data);
	free(cert);
}

static void
free_datum(void *thing)
{
	gnutls_datum_t *datum = thing;

	gnutls_free(datum->data);
	free(datum);
}

static gnutls_datum_t *
new_datum(struct factory *factory)
{
	return keep(factory, free_datum, calloc(1, sizeof(gnutls_datum_t)));
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/*
 * A factory of a whole test case is freed in the parent, which never learns of
 * a directory that one of its tests, a child, has made.
 */
static char child_dir[64];

static void
remove_child_dir(void)
{
	nftw(child_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct factory *
factory_new(void)
{
	struct factory *factory = calloc(1, sizeof(*factory));

	ck_assert_ptr_nonnull(factory);
	factory->serial = 0x1000;
	factory->made_in = getpid();
	return factory;
}

void
factory_free(struct factory *factory)
{
	if (factory == NULL)
		return;
	while (factory->count > 0) {
		factory->count--;
		factory->items[factory->count].free_fn(
		    factory->items[factory->count].thing);
	}
	if (factory->dir[0] != '\0')
		nftw(factory->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(factory);
}

/* ---- words: "DNS:a IP:192.0.2.1" ---- */

static size_t
unescape(char *text)
{
	char *out = text, *in = text;
	unsigned int byte;

	while (*in != '\0') {
		if (*in == '%' && sscanf(in + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			in += 3;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* A name in the form that GnuTLS wants: addresses as bytes. */
struct name {
	gnutls_x509_subject_alt_name_t type;
	unsigned char data[2048];
	unsigned int len;
};

static void
parse_name(char *word, bool is_constraint, struct name *out)
{
	char *value = strchr(word, ':');
	gnutls_datum_t range;

	ck_assert_ptr_nonnull(value);
	*value++ = '\0';
	out->len = (unsigned int)unescape(value);
	ck_assert_uint_lt(out->len, sizeof(out->data));
	memcpy(out->data, value, out->len + 1);
	if (strcmp(word, "DNS") == 0) {
		out->type = GNUTLS_SAN_DNSNAME;
	} else if (strcmp(word, "URI") == 0) {
		out->type = GNUTLS_SAN_URI;
	} else if (strcmp(word, "EMAIL") == 0) {
		out->type = GNUTLS_SAN_RFC822NAME;
	} else if (strcmp(word, "RAWIP") == 0) {
		out->type = GNUTLS_SAN_IPADDRESS;
	} else if (strcmp(word, "IP") == 0 && is_constraint) {
		out->type = GNUTLS_SAN_IPADDRESS;
		must(gnutls_x509_cidr_to_rfc5280(value, &range));
		memcpy(out->data, range.data, range.size);
		out->len = range.size;
		gnutls_free(range.data);
	} else if (strcmp(word, "IP") == 0) {
		out->type = GNUTLS_SAN_IPADDRESS;
		out->len = strchr(value, ':') != NULL ? 16 : 4;
		ck_assert_int_eq(inet_pton(out->len == 16 ? AF_INET6 : AF_INET,
				     value, out->data),
		    1);
	} else {
		ck_abort_msg("no kind of name: %s", word);
	}
}

/* Call each() for every word of a list. */
#define FOR_EACH_WORD(list, copy, save, word)                                  \
	for (char *save = NULL, *copy = strdup(list),                          \
		  *word = strtok_r(copy, " ", &save);                          \
	     word != NULL || (free(copy), false);                              \
	     word = strtok_r(NULL, " ", &save))

static int
name_tag(gnutls_x509_subject_alt_name_t type)
{
	switch (type) {
	case GNUTLS_SAN_RFC822NAME:
		return DER_CONTEXT(1);
	case GNUTLS_SAN_URI:
		return DER_CONTEXT(6);
	case GNUTLS_SAN_IPADDRESS:
		return DER_CONTEXT(7);
	default:
		return DER_CONTEXT(2);
	}
}

/* Encoded here, because GnuTLS has an opinion about odd names. */
static void
set_names(gnutls_x509_crt_t crt, const char *names)
{
	struct der list = { 0 };
	struct name name;

	if (names == NULL)
		return;
	FOR_EACH_WORD(names, copy, save, word)
	{
		parse_name(word, false, &name);
		list = der_append(
		    list, der_bytes(name_tag(name.type), name.data, name.len));
	}
	list = der_join(DER_SEQUENCE, 1, list);
	must(gnutls_x509_crt_set_extension_by_oid(
	    crt, GNUTLS_X509EXT_OID_SAN, list.data, list.len, 0));
	der_done(&list);
}

static void
set_constraints(gnutls_x509_crt_t crt, const struct cert_spec *spec)
{
	gnutls_x509_name_constraints_t nc;
	struct name name;
	gnutls_datum_t datum;

	if (spec->permitted == NULL && spec->excluded == NULL)
		return;
	must(gnutls_x509_name_constraints_init(&nc));
	FOR_EACH_WORD(spec->permitted ? spec->permitted : "", p, psave, pword)
	{
		parse_name(pword, true, &name);
		datum = (gnutls_datum_t){ name.data, name.len };
		must(gnutls_x509_name_constraints_add_permitted(
		    nc, name.type, &datum));
	}
	FOR_EACH_WORD(spec->excluded ? spec->excluded : "", e, esave, eword)
	{
		parse_name(eword, true, &name);
		datum = (gnutls_datum_t){ name.data, name.len };
		must(gnutls_x509_name_constraints_add_excluded(
		    nc, name.type, &datum));
	}
	must(gnutls_x509_crt_set_name_constraints(crt, nc, 1));
	gnutls_x509_name_constraints_deinit(nc);
}

/* ---- certificates ---- */

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
	set_names(crt, spec->names);
	set_eku(crt, spec->eku);
	set_constraints(crt, spec);
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

/* The bits of a signature: none of them is unused. */
static struct der
sign(const struct cert *signer, const struct der *tbs,
    gnutls_digest_algorithm_t digest)
{
	gnutls_datum_t data = { tbs->data, (unsigned int)tbs->len }, sig;
	unsigned char bits[1024] = { 0 };
	gnutls_privkey_t key;
	struct der der;

	must(gnutls_privkey_init(&key));
	must(gnutls_privkey_import_x509(key, signer->key, 0));
	must(gnutls_privkey_sign_data(
	    key, digest != 0 ? digest : GNUTLS_DIG_SHA256, 0, &data, &sig));
	gnutls_privkey_deinit(key);
	memcpy(bits + 1, sig.data, sig.size);
	der = der_bytes(DER_BIT_STRING, bits, sig.size + 1);
	gnutls_free(sig.data);
	return der;
}

/* Take what is signed apart. */
static void
dissect(gnutls_x509_crt_t crt, struct der *part)
{
	struct der whole, tbs;
	const unsigned char *at, *end;
	gnutls_datum_t der;
	int i;

	must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der));
	whole = der_content(der.data, der.size);
	at = whole.data;
	tbs = der_first(&at, whole.data + whole.len);
	der_done(&whole);
	gnutls_free(der.data);
	whole = der_content(tbs.data, tbs.len);
	der_done(&tbs);
	at = whole.data;
	end = at + whole.len;
	for (i = 0; i < SURGERY_OUTER; i++) {
		part[i] = (struct der){ 0 };
		if (at < end &&
		    (i != SURGERY_VERSION || *at == (DER_CONTEXT(0) | 0x20)))
			part[i] = der_first(&at, end);
	}
	ck_assert_ptr_eq(at, end);
	part[SURGERY_OUTER] = der_raw(
	    part[SURGERY_ALGORITHM].data, part[SURGERY_ALGORITHM].len);
	der_done(&whole);
}

/* Sew up what was cut open. GnuTLS may not be able to read it. */
static void
sew(struct cert *cert, const struct cert *issuer, struct der *part,
    gnutls_digest_algorithm_t digest)
{
	struct der tbs, whole, signature;
	int r;

	tbs = der_join(DER_SEQUENCE, 8, part[0], part[1], part[2], part[3],
	    part[4], part[5], part[6], part[7]);
	signature = sign(issuer, &tbs, digest);
	whole = der_join(DER_SEQUENCE, 3, tbs, part[SURGERY_OUTER], signature);
	cert->der.data = gnutls_malloc(whole.len);
	ck_assert_ptr_nonnull(cert->der.data);
	memcpy(cert->der.data, whole.data, whole.len);
	cert->der.size = (unsigned int)whole.len;
	der_done(&whole);
	if (cert->crt != NULL)
		gnutls_x509_crt_deinit(cert->crt);
	must(gnutls_x509_crt_init(&cert->crt));
	r = gnutls_x509_crt_import(cert->crt, &cert->der, GNUTLS_X509_FMT_DER);
	if (r >= 0)
		return;
	gnutls_x509_crt_deinit(cert->crt);
	cert->crt = NULL;
}

static void
operate(
    struct cert *cert, const struct cert *issuer, const struct cert_spec *spec)
{
	struct der part[SURGERY_PARTS];

	dissect(cert->crt, part);
	spec->surgery(part);
	sew(cert, issuer, part, spec->digest);
}

const struct cert *
factory_clone(struct factory *factory, const gnutls_datum_t *der)
{
	static const int ours[] = { SURGERY_ALGORITHM, SURGERY_KEY,
		SURGERY_OUTER };
	const struct cert *donor = CERT(factory, NULL, .cn = "donor");
	struct cert *clone = keep(
	    factory, free_cert, calloc(1, sizeof(*clone)));
	struct der part[SURGERY_PARTS], theirs[SURGERY_PARTS];
	size_t i;

	must(gnutls_x509_privkey_init(&clone->key));
	must(gnutls_x509_privkey_cpy(clone->key, donor->key));
	must(gnutls_x509_crt_init(&clone->crt));
	must(gnutls_x509_crt_import(clone->crt, der, GNUTLS_X509_FMT_DER));
	dissect(clone->crt, part);
	dissect(donor->crt, theirs);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		der_done(&part[ours[i]]);
		part[ours[i]] = theirs[ours[i]];
		theirs[ours[i]] = (struct der){ 0 };
	}
	for (i = 0; i < SURGERY_PARTS; i++)
		der_done(&theirs[i]);
	sew(clone, clone, part, GNUTLS_DIG_SHA256);
	return clone;
}

const struct cert *
factory_cert(struct factory *factory, const struct cert *issuer,
    const struct cert_spec *spec)
{
	struct cert *cert = keep(factory, free_cert, calloc(1, sizeof(*cert)));
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
		operate(cert, issuer, spec);
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

/* ---- text and files ---- */

static void
add_pem(char **text, const struct cert *cert)
{
	gnutls_datum_t pem;
	char *joined;

	if (cert == NULL)
		return;
	if (cert->der.data != NULL)
		must(
		    gnutls_pem_base64_encode2("CERTIFICATE", &cert->der, &pem));
	else
		must(gnutls_x509_crt_export2(
		    cert->crt, GNUTLS_X509_FMT_PEM, &pem));
	ck_assert_int_ge(
	    asprintf(&joined, "%s%.*s", *text, (int)pem.size, pem.data), 0);
	gnutls_free(pem.data);
	free(*text);
	*text = joined;
}

const char *
factory_pem(struct factory *factory, const struct cert *a, const struct cert *b,
    const struct cert *c)
{
	char *text = strdup("");

	add_pem(&text, a);
	add_pem(&text, b);
	add_pem(&text, c);
	return keep(factory, free, text);
}

const char *
factory_key_pem(struct factory *factory, const struct cert *cert)
{
	gnutls_datum_t pem;
	char *text;

	must(gnutls_x509_privkey_export2(cert->key, GNUTLS_X509_FMT_PEM, &pem));
	text = strndup((const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	return keep(factory, free, text);
}

const gnutls_datum_t *
factory_der(struct factory *factory, const struct cert *cert)
{
	gnutls_datum_t *der = new_datum(factory);

	must(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_DER, der));
	return der;
}

const char *
factory_dir(struct factory *factory)
{
	const char *base = getenv("TMPDIR");

	if (factory->dir[0] != '\0')
		return factory->dir;
	if (base == NULL || strlen(base) > 32)
		base = "/tmp";
	snprintf(
	    factory->dir, sizeof(factory->dir), "%s/smtptls-test-XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(factory->dir));
	if (factory->made_in != getpid()) {
		snprintf(child_dir, sizeof(child_dir), "%s", factory->dir);
		ck_assert_int_eq(atexit(remove_child_dir), 0);
	}
	return factory->dir;
}

const char *
factory_file_data(
    struct factory *factory, const char *name, const void *data, size_t len)
{
	char *path;
	FILE *file;

	ck_assert_int_ge(
	    asprintf(&path, "%s/%s", factory_dir(factory), name), 0);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
	return keep(factory, free, path);
}

const char *
factory_file(struct factory *factory, const char *name, const char *content)
{
	return factory_file_data(factory, name, content, strlen(content));
}

/* ---- revocation ---- */

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
	return keep(factory, free, text);
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
	struct der bits = sign(signer, tbs, spec->digest);

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
	gnutls_datum_t *out = new_datum(factory);
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
