/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include <smtptls/context.h>

#include "der.h"
#include "factory.h"
#include "tls/context.h"
#include "tls/revocation.h"

static struct factory *factory;
static struct smtptls_context *context;
static const struct cert *root, *between, *leaf, *other_root;

/* The clock, for the library and GnuTLS, moved on by this. */
static long moved_on;

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += moved_on;
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

static void
make_certificates(void)
{
	factory = factory_new();
	root = factory_ca(factory);
	between = CERT(factory, root, .cn = "Between", .ca = true);
	leaf = factory_server(factory, between, "DNS:mx.example.org");
	other_root = CERT(factory, NULL, .cn = "Other Root", .ca = true);
}

static void
free_certificates(void)
{
	factory_free(factory);
}

static const char *
pem(const struct cert *cert)
{
	return factory_pem(factory, cert, NULL, NULL);
}

static void
trust(const struct cert *cert)
{
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(cert), strlen(pem(cert))));
}

static void
setup(void)
{
	moved_on = 0;
	context = NULL;
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
}

static void
setup_eager(void)
{
	setup();
	context->trust.is_eager = true;
}

static void
teardown(void)
{
	smtptls_context_free(context);
}

static int
load(const char *text)
{
	return smtptls_context_load_crl_mem(context, text, strlen(text));
}

#define CRL(issuer, ...)                                                       \
	factory_crl(factory, issuer, &(struct crl_spec){ __VA_ARGS__ })

static size_t
count_lists(void)
{
	struct smtptls_cert_store_stats stats;

	ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
	return stats.crl;
}

static void
assert_refused(int r, const char *sentence)
{
	ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context), sentence);
	ck_assert_uint_eq(count_lists(), 0);
}

static int
check(const struct cert *cert, const struct cert *issuer, struct stls_err *err)
{
	return stls_revocation_check(
	    &context->trust, err, cert->crt, issuer->crt);
}

static const char *
date_in(long seconds)
{
	static char text[32];
	time_t when = time(NULL) + seconds;

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime(&when));
	return text;
}

static const char *
sentence(const char *before, const char *date)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s%s", before, date);
	return text;
}

START_TEST(a_list_of_a_trusted_ca_is_loaded_in_pem_and_der)
{
	const char *text = CRL(root, .revoked = { between });
	gnutls_datum_t der,
	    in = { (unsigned char *)text, (unsigned int)strlen(text) };
	struct stls_err err;

	trust(root);
	if (_i == 0) {
		ck_assert_ok(load(text));
	} else if (_i == 1) {
		ck_assert_ok(smtptls_context_load_crl_file(
		    context, factory_file(factory, "crl.pem", text)));
	} else {
		ck_assert_ok(gnutls_pem_base64_decode2("X509 CRL", &in, &der));
		ck_assert_ok(
		    smtptls_context_load_crl_mem(context, der.data, der.size));
		gnutls_free(der.data);
	}
	ck_assert_uint_eq(count_lists(), 1);
	ck_assert_int_eq(check(between, root, &err), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(err.text,
	    sentence(
		"the certificate CN=Between was revoked on ", date_in(-3600)));
}
END_TEST

START_TEST(a_certificate_that_is_not_on_the_list_is_good)
{
	const struct cert *another = CERT(
	    factory, root, .cn = "Another", .ca = true);
	struct stls_err err;

	trust(root);
	ck_assert_ok(load(CRL(root, .revoked = { another })));
	ck_assert_ok(check(between, root, &err));
	ck_assert_int_eq(check(another, root, &err), SMTPTLS_E_CERTIFICATE);
}
END_TEST

START_TEST(a_certificate_without_a_list_is_not_covered)
{
	struct stls_err err;

	trust(root);
	ck_assert_ok(load(CRL(root, 0)));
	ck_assert_ok(check(between, root, &err));
	ck_assert_int_eq(check(leaf, between, &err), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(
	    err.text, "no revocation list of CN=Between is loaded");
}
END_TEST

START_TEST(a_ca_in_between_comes_with_its_list)
{
	struct stls_err err;
	char text[16384];

	trust(root);
	snprintf(text, sizeof(text), "%s%s%s",
	    CRL(between, .revoked = { leaf }), CRL(root, 0), pem(between));
	ck_assert_ok(load(text));
	ck_assert_uint_eq(count_lists(), 2);
	ck_assert_ok(check(between, root, &err));
	ck_assert_int_eq(check(leaf, between, &err), SMTPTLS_E_CERTIFICATE);
	/* It signs lists; it is not trusted. */
	{
		struct smtptls_cert_store_stats stats;

		ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
		ck_assert_uint_eq(stats.x509, 1);
	}
}
END_TEST

START_TEST(cas_in_between_may_need_each_other)
{
	const struct cert *second = CERT(
	    factory, between, .cn = "Second", .ca = true);
	char text[16384];

	trust(root);
	snprintf(text, sizeof(text), "%s%s%s", pem(second), CRL(second, 0),
	    pem(between));
	ck_assert_ok(load(text));
	ck_assert_uint_eq(count_lists(), 1);
}
END_TEST

START_TEST(a_stranger_in_between_is_refused)
{
	const struct cert *stranger = CERT(
	    factory, other_root, .cn = "Stranger", .ca = true);
	char text[16384];

	trust(root);
	snprintf(text, sizeof(text), "%s%s", CRL(stranger, 0), pem(stranger));
	assert_refused(
	    load(text), "data: CN=Stranger is not issued by a trusted CA");
}
END_TEST

START_TEST(too_many_in_between_are_refused)
{
	char text[65536];
	size_t len, i;

	trust(root);
	len = (size_t)snprintf(text, sizeof(text), "%s", CRL(root, 0));
	for (i = 0; i < 16; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "%s", pem(between));
	assert_refused(load(text),
	    "data: more than 15 certificates beside the revocation lists");
}
END_TEST

START_TEST(without_a_ca_no_list_is_loaded)
{
	assert_refused(load(CRL(root, 0)),
	    "data: no CA is trusted yet that could have signed a list");
}
END_TEST

START_TEST(a_list_of_a_ca_that_is_not_trusted_is_refused)
{
	trust(root);
	assert_refused(load(CRL(other_root, 0)),
	    "data line 1: the revocation list is of CN=Other Root, which is "
	    "not trusted");
}
END_TEST

START_TEST(a_list_by_a_namesake_is_refused)
{
	const struct cert *namesake = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true);

	trust(root);
	assert_refused(load(CRL(namesake, 0)),
	    "data line 1: the revocation list is not signed by CN=Test Root");
}
END_TEST

START_TEST(cas_of_one_name_have_lists_of_their_own)
{
	const struct cert *renewed = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true);
	const struct cert *below = CERT(
	    factory, renewed, .cn = "Below", .ca = true);
	struct stls_err err;

	trust(root);
	trust(renewed);
	ck_assert_ok(load(CRL(renewed, 0)));
	ck_assert_ok(check(below, renewed, &err));
	ck_assert_int_eq(check(between, root, &err), SMTPTLS_E_CERTIFICATE);
	ck_assert_ok(load(CRL(root, 0)));
	ck_assert_ok(check(between, root, &err));
}
END_TEST

START_TEST(a_list_by_one_that_may_not_sign_lists_is_refused)
{
	const struct cert *ca = CERT(factory, NULL, .cn = "No Lists",
	    .ca = true, .key_usage = GNUTLS_KEY_KEY_CERT_SIGN);

	trust(_i == 0 ? ca : leaf);
	if (_i == 0)
		assert_refused(load(CRL(ca, 0)),
		    "data line 1: the revocation list is of CN=No Lists, "
		    "which may not sign any");
	else
		ck_assert_int_eq(load(CRL(leaf, 0)), SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(an_expired_list_is_refused)
{
	trust(root);
	assert_refused(load(CRL(root, .this_update = -9 * FACTORY_DAY,
			   .next_update = -FACTORY_DAY)),
	    sentence("data line 1: the revocation list of CN=Test Root "
		     "expired on ",
		date_in(-FACTORY_DAY)));
}
END_TEST

START_TEST(a_list_of_the_future_is_refused)
{
	trust(root);
	assert_refused(load(CRL(root, .this_update = FACTORY_DAY)),
	    sentence("data line 1: the revocation list of CN=Test Root is "
		     "not valid before ",
		date_in(FACTORY_DAY)));
}
END_TEST

START_TEST(a_list_that_is_signed_with_sha1_is_refused)
{
	trust(root);
	assert_refused(load(CRL(root, .digest = GNUTLS_DIG_SHA1)),
	    "data line 1: the revocation list is signed with ECDSA-SHA1, "
	    "which is not secure");
}
END_TEST

START_TEST(one_bad_list_refuses_the_whole_file_and_is_located)
{
	char text[16384], expected[256];
	long lines = 1;
	const char *p;

	trust(root);
	for (p = CRL(root, 0); *p != '\0'; p++)
		lines += *p == '\n';
	snprintf(text, sizeof(text), "%s%s", CRL(root, 0), CRL(other_root, 0));
	snprintf(expected, sizeof(expected),
	    "data line %ld: the revocation list is of CN=Other Root, which "
	    "is not trusted",
	    lines);
	assert_refused(load(text), expected);
}
END_TEST

static const struct {
	const char *text;
	const char *sentence;
} bad_texts[] = {
	{ "garbage", "data: no revocation list in it" },
	{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	    "data line 1: PRIVATE KEY is not a revocation list" },
	{ "-----BEGIN X509 CRL-----\nAAAA\n",
	    "data line 1: X509 CRL without "
	    "its end" },
};

START_TEST(what_is_no_list_is_refused)
{
	trust(root);
	assert_refused(load(bad_texts[_i].text), bad_texts[_i].sentence);
}
END_TEST

START_TEST(what_cannot_be_parsed_is_refused)
{
	trust(root);
	ck_assert_int_eq(
	    load("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(smtptls_context_error(context),
	    "data line 1: no valid revocation list: "));
	ck_assert_uint_eq(count_lists(), 0);
}
END_TEST

START_TEST(certificates_alone_are_no_list)
{
	trust(root);
	assert_refused(load(pem(between)), "data: no revocation list in it");
}
END_TEST

/* Lists that GnuTLS cannot make. */

struct odd_list {
	bool no_next_update;
	const char *extension; /* DER of an OID below 2.5.29 */
	bool critical;
	size_t serial_len; /* of an entry; 0: no entry */
};

static const unsigned char oid_ecdsa_sha256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d,
	0x04, 0x03, 0x02 };

static struct der
der_date(long seconds)
{
	char text[32];
	time_t when = time(NULL) + seconds;

	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", gmtime(&when));
	return der_bytes(DER_TIME, text, strlen(text));
}

static struct der
der_algorithm(void)
{
	return der_join(DER_SEQUENCE, 1,
	    der_bytes(DER_OID, oid_ecdsa_sha256, sizeof(oid_ecdsa_sha256)));
}

static struct der
der_entries(size_t serial_len)
{
	unsigned char serial[2048];

	if (serial_len == 0)
		return der_raw("", 0);
	memset(serial, 0x11, sizeof(serial));
	return der_join(DER_SEQUENCE, 1,
	    der_join(DER_SEQUENCE, 2,
		der_bytes(DER_INTEGER, serial, serial_len), der_date(-3600)));
}

static struct der
der_extensions(const struct odd_list *spec)
{
	static const unsigned char yes[] = { 0x01, 0x01, 0xff };

	if (spec->extension == NULL)
		return der_raw("", 0);
	return der_join(DER_CONTEXT(0) | DER_CONSTRUCTED, 1,
	    der_join(DER_SEQUENCE, 1,
		der_join(DER_SEQUENCE, 3,
		    der_bytes(DER_OID, spec->extension, 3),
		    spec->critical ? der_raw(yes, sizeof(yes)) : der_raw("", 0),
		    der_bytes(DER_OCTETS, "\x30\x00", 2))));
}

/* Sign a tbsCertList (RFC 5280 section 5.1) with the key of the root. */
static struct der
odd_list(const struct odd_list *spec)
{
	gnutls_privkey_t key;
	gnutls_datum_t name, signature, in;
	struct der tbs, bits;
	unsigned char *p;

	ck_assert_ok(gnutls_x509_crt_get_raw_dn(root->crt, &name));
	tbs = der_join(DER_SEQUENCE, 7, der_bytes(DER_INTEGER, "\x01", 1),
	    der_algorithm(), der_raw(name.data, name.size), der_date(-3600),
	    spec->no_next_update ? der_raw("", 0) : der_date(FACTORY_DAY),
	    der_entries(spec->serial_len), der_extensions(spec));
	ck_assert_ok(gnutls_privkey_init(&key));
	ck_assert_ok(gnutls_privkey_import_x509(
	    key, root->key, GNUTLS_PRIVKEY_IMPORT_COPY));
	in.data = tbs.data;
	in.size = (unsigned int)tbs.len;
	ck_assert_ok(gnutls_privkey_sign_data(
	    key, GNUTLS_DIG_SHA256, 0, &in, &signature));
	gnutls_privkey_deinit(key);
	p = malloc(signature.size + 1);
	p[0] = 0;
	memcpy(p + 1, signature.data, signature.size);
	bits = der_bytes(DER_BIT_STRING, p, signature.size + 1);
	free(p);
	gnutls_free(signature.data);
	gnutls_free(name.data);
	return der_join(DER_SEQUENCE, 3, tbs, der_algorithm(), bits);
}

static const struct {
	struct odd_list spec;
	const char *sentence; /* NULL: it is good */
} odd_lists[] = {
	{ { 0 }, NULL },
	{ { .extension = "\x55\x1d\x1c" }, NULL },
	{ { .no_next_update = true },
	    "data byte 0: the revocation list of CN=Test Root does not say "
	    "when it expires" },
	{ { .extension = "\x55\x1d\x1c", .critical = true },
	    "data byte 0: the revocation list has the critical extension "
	    "2.5.29.28, so it is not a complete one" },
	{ { .extension = "\x55\x1d\x1b", .critical = true },
	    "data byte 0: the revocation list has the critical extension "
	    "2.5.29.27, so it is not a complete one" },
};

START_TEST(a_list_that_is_not_complete_is_refused)
{
	struct der list = odd_list(&odd_lists[_i].spec);
	int r;

	trust(root);
	r = smtptls_context_load_crl_mem(context, list.data, list.len);
	if (odd_lists[_i].sentence != NULL)
		assert_refused(r, odd_lists[_i].sentence);
	else
		ck_assert_msg(r == 0, "%s", smtptls_context_error(context));
	der_done(&list);
}
END_TEST

/* GnuTLS takes a list for empty where it meets a serial number like these. */
static const struct {
	size_t len;
	const char *sentence;
} serials[] = {
	{ 20, "CN=Between was revoked on " },
	{ 200, "CN=Between was revoked on " },
	{ 1500, "whether CN=Between is revoked cannot be told: " },
};

START_TEST(an_overlong_serial_number_hides_nothing)
{
	struct odd_list spec = { .serial_len = serials[_i].len };
	struct der list = odd_list(&spec);
	struct stls_err err;

	trust(root);
	ck_assert_ok(
	    smtptls_context_load_crl_mem(context, list.data, list.len));
	ck_assert_ok(load(CRL(root, .revoked = { between })));
	ck_assert_int_eq(check(between, root, &err), SMTPTLS_E_CERTIFICATE);
	ck_assert_msg(
	    strstr(err.text, serials[_i].sentence) != NULL, "%s", err.text);
	der_done(&list);
}
END_TEST

START_TEST(a_newer_list_takes_over_from_one_that_expires)
{
	struct stls_err err;

	trust(root);
	ck_assert_ok(load(CRL(root, 0)));
	ck_assert_ok(load(CRL(root, .next_update = 60)));
	ck_assert_ok(check(between, root, &err));
	/* What any of them names stays revoked. */
	ck_assert_ok(
	    load(CRL(root, .revoked = { between }, .next_update = 60)));
	ck_assert_int_eq(check(between, root, &err), SMTPTLS_E_CERTIFICATE);
}
END_TEST

START_TEST(a_list_that_has_expired_since_covers_nobody)
{
	char expected[256];
	struct stls_err err;

	trust(root);
	ck_assert_ok(load(CRL(root, 0)));
	ck_assert_ok(check(between, root, &err));
	snprintf(expected, sizeof(expected),
	    "the revocation list of CN=Test Root expired on %s",
	    date_in(7 * FACTORY_DAY));
	moved_on = 8 * FACTORY_DAY;
	ck_assert_int_eq(check(between, root, &err), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(err.text, expected);
}
END_TEST

static void
add_tests(Suite *suite, const char *name, SFun prepare)
{
	TCase *tc = tcase_create(name);

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, prepare, teardown);
	tcase_add_loop_test(
	    tc, a_list_of_a_trusted_ca_is_loaded_in_pem_and_der, 0, 3);
	tcase_add_test(tc, a_certificate_that_is_not_on_the_list_is_good);
	tcase_add_test(tc, a_certificate_without_a_list_is_not_covered);
	tcase_add_test(tc, a_ca_in_between_comes_with_its_list);
	tcase_add_test(tc, cas_in_between_may_need_each_other);
	tcase_add_test(tc, a_stranger_in_between_is_refused);
	tcase_add_test(tc, too_many_in_between_are_refused);
	tcase_add_test(tc, without_a_ca_no_list_is_loaded);
	tcase_add_test(tc, a_list_of_a_ca_that_is_not_trusted_is_refused);
	tcase_add_test(tc, a_list_by_a_namesake_is_refused);
	tcase_add_test(tc, cas_of_one_name_have_lists_of_their_own);
	tcase_add_loop_test(
	    tc, a_list_by_one_that_may_not_sign_lists_is_refused, 0, 2);
	tcase_add_test(tc, an_expired_list_is_refused);
	tcase_add_test(tc, a_list_of_the_future_is_refused);
	tcase_add_test(tc, a_list_that_is_signed_with_sha1_is_refused);
	tcase_add_test(tc, one_bad_list_refuses_the_whole_file_and_is_located);
	tcase_add_loop_test(
	    tc, what_is_no_list_is_refused, 0, COUNT(bad_texts));
	tcase_add_test(tc, what_cannot_be_parsed_is_refused);
	tcase_add_test(tc, certificates_alone_are_no_list);
	tcase_add_loop_test(
	    tc, a_list_that_is_not_complete_is_refused, 0, COUNT(odd_lists));
	tcase_add_loop_test(
	    tc, an_overlong_serial_number_hides_nothing, 0, COUNT(serials));
	tcase_add_test(tc, a_newer_list_takes_over_from_one_that_expires);
	tcase_add_test(tc, a_list_that_has_expired_since_covers_nobody);
	suite_add_tcase(suite, tc);
}

int
main(void)
{
	Suite *suite = suite_create("revocation");

	add_tests(suite, "anchors parsed when needed", setup);
	add_tests(suite, "anchors parsed at once", setup_eager);
	return run_suite(suite);
}
