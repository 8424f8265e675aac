/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/context.h>

#include "base/alloc.h"
#include "factory.h"
#include "tls/anchors.h"
#include "tls/context.h"

static struct factory *factory;
static struct smtptls_context *context;
static struct stls_trust *trust;
static const struct cert *root, *other;

/* Stands in for GnuTLS's own, which trusts `root`. */
static int asked;

int
gnutls_x509_trust_list_add_system_trust(
    gnutls_x509_trust_list_t list, unsigned int flags, unsigned int verify)
{
	asked++;
	return gnutls_x509_trust_list_add_trust_mem(list,
	    factory_der(factory, root), NULL, GNUTLS_X509_FMT_DER, flags,
	    verify);
}

static void
make_certificates(void)
{
	factory = factory_new();
	root = factory_ca(factory);
	other = CERT(factory, NULL, .cn = "Other", .ca = true);
}

static void
free_certificates(void)
{
	factory_free(factory);
}

static void
setup(void)
{
	asked = 0;
	context = NULL;
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	trust = &context->trust;
}

static void
teardown(void)
{
	smtptls_context_free(context);
}

static const char *
pem(const struct cert *cert)
{
	return factory_pem(factory, cert, NULL, NULL);
}

static const char *
file(const char *text)
{
	return factory_file(factory, "bundle.pem", text);
}

static void
assert_stats(size_t x509)
{
	struct smtptls_cert_store_stats stats;

	ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
	ck_assert_uint_eq(stats.x509, x509);
	ck_assert_uint_eq(stats.x509_ca, x509);
}

/* Whether a certificate is found as an anchor for itself. */
static void
assert_trusted(const struct cert *cert, int expected)
{
	struct stls_chain chain = { .cert = { cert->crt }, .count = 1 };
	struct stls_anchors anchors = { 0 };
	gnutls_x509_crt_t found;
	struct stls_err err;

	ck_assert_ok(stls_anchors_init_chain(&anchors, &err, trust, &chain));
	ck_assert_int_eq(gnutls_x509_trust_list_get_issuer(
			     anchors.list, cert->crt, &found, 0) == 0,
	    expected);
	stls_anchors_done(&anchors);
}

/* Which contexts wait with parsing. */

START_TEST(a_client_parses_what_it_needs_a_server_all)
{
	struct smtptls_context *server = NULL;

	ck_assert_ok(
	    smtptls_context_load_verify_file(context, file(pem(root))));
	ck_assert_ptr_null(trust->list);
	ck_assert_uint_eq(trust->store.count, 1);
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_CLIENT_AUTH, file(pem(root)), NULL, NULL, 0, &server));
	ck_assert_ptr_nonnull(server->trust.list);
	ck_assert_uint_eq(server->trust.store.count, 0);
	smtptls_context_free(server);
}
END_TEST

/* GnuTLS's store may be more than certificates: all goes where that is. */
START_TEST(what_was_loaded_before_the_system_stays_trusted)
{
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(other), strlen(pem(other))));
	ck_assert_ok(smtptls_context_load_default_certs(context));
	ck_assert_int_eq(asked, 1);
	ck_assert_uint_eq(trust->store.count, 0);
	assert_stats(2);
	assert_trusted(root, 1);
	assert_trusted(other, 1);
}
END_TEST

START_TEST(what_is_loaded_after_the_system_is_trusted_too)
{
	ck_assert_ok(smtptls_context_load_default_certs(context));
	ck_assert_ok(smtptls_context_load_default_certs(context));
	assert_trusted(other, 0);
	ck_assert_ok(
	    smtptls_context_load_verify_file(context, file(pem(other))));
	ck_assert_ok(
	    smtptls_context_load_verify_file(context, file(pem(root))));
	ck_assert_uint_eq(trust->store.count, 0);
	assert_stats(2);
	assert_trusted(root, 1);
	assert_trusted(other, 1);
}
END_TEST

START_TEST(memory_may_run_out_while_all_goes_there)
{
	struct stls_err err;
	unsigned long n;
	int r = -1;

	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(other), strlen(pem(other))));
	for (n = 1; n < 100; n++) {
		stls_alloc_fail_at(n);
		r = stls_trust_load_system(trust, &err, NULL);
		stls_alloc_fail_at(0);
		if (r == SMTPTLS_OK)
			break;
		ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
		assert_stats(1);
		assert_trusted(other, 1);
	}
	ck_assert_ok(r);
	ck_assert_uint_gt(n, 1);
	assert_stats(2);
}
END_TEST

/* The system's bundle, where it is but one file. */

START_TEST(a_bundle_is_read_without_gnutls)
{
	struct stls_err err;

	ck_assert_ok(stls_trust_load_system(trust, &err, file(pem(other))));
	ck_assert_int_eq(asked, 0);
	ck_assert_ptr_null(trust->list);
	assert_stats(1);
	assert_trusted(other, 1);
	assert_trusted(root, 0);
}
END_TEST

START_TEST(an_empty_name_is_no_bundle)
{
	struct stls_err err;

	ck_assert_ok(stls_trust_load_system(trust, &err, ""));
	ck_assert_int_eq(asked, 1);
	assert_stats(1);
}
END_TEST

#define NO_CA                                                                  \
	"no CA of the system can be used: their file is missing, empty or "    \
	"broken (on many systems the package ca-certificates brings it): "

static const struct {
	const char *text; /* NULL: there is no file */
	const char *sentence;
} bad[] = {
	{ NULL, "No such file or directory" },
	{ "", "empty" },
	{ "x", "no certificate in it" },
	{ "-----BEGIN X-----\nAAAA\n-----END X-----\n",
	    "no certificate in it" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n",
	    "CERTIFICATE without its end" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    "no valid certificate: " },
};

START_TEST(a_bundle_that_gives_nothing_is_an_error)
{
	const char *path = "/nonexistent/ca.pem";
	struct stls_err err;

	if (bad[_i].text != NULL)
		path = file(bad[_i].text);
	ck_assert_int_eq(
	    stls_trust_load_system(trust, &err, path), SMTPTLS_E_INVALID);
	ck_assert_int_eq(asked, 0);
	ck_assert_int_eq(strncmp(err.text, NO_CA, strlen(NO_CA)), 0);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_ptr_nonnull(strstr(err.text, bad[_i].sentence));
	assert_stats(0);
}
END_TEST

/* As GnuTLS does: an administrator may have put something else there. */
START_TEST(other_blocks_in_a_bundle_are_passed_over)
{
	struct stls_err err;
	char text[8192];

	snprintf(text, sizeof(text),
	    "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n"
	    "-----END TRUSTED CERTIFICATE-----\n%s",
	    pem(other));
	ck_assert_ok(stls_trust_load_system(trust, &err, file(text)));
	assert_stats(1);
}
END_TEST

START_TEST(one_bad_certificate_leaves_nothing_of_a_bundle)
{
	struct stls_err err;
	char text[8192];

	snprintf(text, sizeof(text),
	    "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    pem(other));
	ck_assert_int_eq(
	    stls_trust_load_system(trust, &err, file(text)), SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "bundle.pem line "));
	assert_stats(0);
}
END_TEST

START_TEST(a_bundle_adds_up_with_other_sources)
{
	struct stls_err err;

	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(root), strlen(pem(root))));
	ck_assert_ok(stls_trust_load_system(
	    trust, &err, file(factory_pem(factory, other, root, NULL))));
	assert_stats(2);
	ck_assert_uint_eq(trust->store.count, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bundle");
	TCase *tc = tcase_create("bundle");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_client_parses_what_it_needs_a_server_all);
	tcase_add_test(tc, what_was_loaded_before_the_system_stays_trusted);
	tcase_add_test(tc, what_is_loaded_after_the_system_is_trusted_too);
	tcase_add_test(tc, memory_may_run_out_while_all_goes_there);
	tcase_add_test(tc, a_bundle_is_read_without_gnutls);
	tcase_add_test(tc, an_empty_name_is_no_bundle);
	tcase_add_loop_test(
	    tc, a_bundle_that_gives_nothing_is_an_error, 0, COUNT(bad));
	tcase_add_test(tc, other_blocks_in_a_bundle_are_passed_over);
	tcase_add_test(tc, one_bad_certificate_leaves_nothing_of_a_bundle);
	tcase_add_test(tc, a_bundle_adds_up_with_other_sources);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
