/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <unistd.h>

#include <gnutls/ocsp.h>

#include "factory.h"

static struct factory *factory;

static void
setup(void)
{
	factory = factory_new();
}

static void
teardown(void)
{
	factory_free(factory);
}

static unsigned int
verify(const struct cert *leaf, const struct cert *ca)
{
	unsigned int status = ~0U;

	ck_assert_ok(gnutls_x509_crt_list_verify(
	    &leaf->crt, 1, &ca->crt, 1, NULL, 0, 0, &status));
	return status;
}

START_TEST(a_server_certificate_verifies_and_a_forged_one_does_not)
{
	const struct cert *ca = factory_ca(factory);
	const struct cert *good = factory_server(
	    factory, ca, "DNS:a.example.org IP:192.0.2.1");
	const struct cert *forged = CERT(factory, ca, .forged = true);

	ck_assert_uint_eq(verify(good, ca), 0);
	ck_assert_uint_ne(verify(forged, ca) & GNUTLS_CERT_INVALID, 0);
	ck_assert_uint_ne(verify(CERT(factory, ca, .not_after = -1), ca) &
		GNUTLS_CERT_EXPIRED,
	    0);
}
END_TEST

START_TEST(an_embedded_nul_stays_in_the_name)
{
	const struct cert *cert = CERT(
	    factory, NULL, .names = "DNS:a.example.org%00.evil.example");
	const gnutls_datum_t *der = factory_der(factory, cert);

	static const char name[] = "a.example.org\0.evil.example";

	ck_assert_ptr_nonnull(
	    memmem(der->data, der->size, name, sizeof(name) - 1));
}
END_TEST

START_TEST(an_ocsp_response_is_one_that_gnutls_believes)
{
	const struct cert *ca = factory_ca(factory);
	const struct cert *leaf = factory_server(factory, ca, "DNS:a.example");
	static const struct ocsp_spec specs[] = { { 0 }, { .status = 1 },
		{ .status = 2 }, { .no_next_update = true } };
	gnutls_ocsp_resp_t resp;
	unsigned int status, verify_status = ~0U;
	const struct ocsp_spec *spec = &specs[_i];

	ck_assert_ok(gnutls_ocsp_resp_init(&resp));
	ck_assert_ok(gnutls_ocsp_resp_import(
	    resp, factory_ocsp(factory, ca, leaf, spec)));
	ck_assert_ok(gnutls_ocsp_resp_check_crt(resp, 0, leaf->crt));
	ck_assert_ok(gnutls_ocsp_resp_get_single(
	    resp, 0, NULL, NULL, NULL, NULL, &status, NULL, NULL, NULL, NULL));
	ck_assert_uint_eq(status, (unsigned int)spec->status);
	ck_assert_ok(
	    gnutls_ocsp_resp_verify_direct(resp, ca->crt, &verify_status, 0));
	ck_assert_uint_eq(verify_status, 0);
	gnutls_ocsp_resp_deinit(resp);
}
END_TEST

START_TEST(a_revocation_list_names_what_is_revoked)
{
	const struct cert *ca = factory_ca(factory);
	const struct cert *bad = factory_server(factory, ca, "DNS:a.example");
	const struct cert *good = factory_server(factory, ca, "DNS:b.example");
	const char *pem = factory_crl(
	    factory, ca, &(struct crl_spec){ .revoked = { bad } });
	gnutls_datum_t data = { (unsigned char *)pem,
		(unsigned int)strlen(pem) };
	gnutls_x509_crl_t crl;

	ck_assert_ok(gnutls_x509_crl_init(&crl));
	ck_assert_ok(gnutls_x509_crl_import(crl, &data, GNUTLS_X509_FMT_PEM));
	ck_assert_int_eq(
	    gnutls_x509_crt_check_revocation(bad->crt, &crl, 1), 1);
	ck_assert_int_eq(
	    gnutls_x509_crt_check_revocation(good->crt, &crl, 1), 0);
	gnutls_x509_crl_deinit(crl);
}
END_TEST

START_TEST(every_kind_of_certificate_can_be_made)
{
	static const unsigned char der_null[] = { 0x05, 0x00 };
	const struct cert *ca = CERT(factory, NULL, .cn = "ca", .ca = true,
	    .has_path_len = true, .path_len = 1,
	    .permitted = "DNS:example.org IP:192.0.2.0/24",
	    .excluded = "DNS:evil.example.org");

	CERT(factory, ca, .digest = GNUTLS_DIG_SHA1);
	CERT(factory, CERT(factory, NULL, .ca = true, .rsa_bits = 2048),
	    .digest = GNUTLS_DIG_MD5);
	CERT(factory, ca, .rsa_bits = 1024);
	CERT(factory, ca, .curve = GNUTLS_ECC_CURVE_SECP192R1);
	CERT(factory, ca, .version_1 = true);
	CERT(factory, ca, .eku = "");
	CERT(factory, ca, .must_staple = true, .cn = "", .serial = "00ff");
	CERT(factory, ca, .no_key_ids = true, .no_basic_constraints = true,
	    .extra_oid = "1.3.6.1.4.1.55555.1", .extra_der = der_null,
	    .extra_len = sizeof(der_null), .extra_critical = true);
}
END_TEST

START_TEST(files_are_gone_with_the_factory)
{
	struct factory *other = factory_new();
	const struct cert *ca = factory_ca(other);
	char *path = strdup(
	    factory_file(other, "ca.pem", factory_pem(other, ca, ca, NULL)));

	ck_assert_int_eq(access(path, R_OK), 0);
	factory_free(other);
	ck_assert_int_ne(access(path, R_OK), 0);
	free(path);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("factory");
	TCase *tc = tcase_create("factory");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
	    tc, a_server_certificate_verifies_and_a_forged_one_does_not);
	tcase_add_test(tc, an_embedded_nul_stays_in_the_name);
	tcase_add_loop_test(
	    tc, an_ocsp_response_is_one_that_gnutls_believes, 0, 4);
	tcase_add_test(tc, a_revocation_list_names_what_is_revoked);
	tcase_add_test(tc, every_kind_of_certificate_can_be_made);
	tcase_add_test(tc, files_are_gone_with_the_factory);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
