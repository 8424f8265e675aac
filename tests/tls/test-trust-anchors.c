/* SPDX-License-Identifier: MIT */
/* How GnuTLS treats anchors: what tls/trust.h says. */
#include <string.h>

#include <gnutls/x509.h>

#include "tls/context.h"
#include "trust-world.h"

static unsigned int
verify(const struct cert *a, const struct cert *b)
{
	gnutls_x509_crt_t chain[2] = { a->crt, b != NULL ? b->crt : NULL };
	unsigned int status = ~0U;

	ck_assert_ok(gnutls_x509_trust_list_verify_crt2(context->trust.list,
	    chain, b != NULL ? 2 : 1, NULL, 0, 0, &status, NULL));
	return status;
}

static void
trust(const struct cert *cert)
{
	context->trust.is_eager = true;
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(cert), strlen(pem(cert))));
}

START_TEST(a_root_is_an_anchor_for_a_whole_chain_only)
{
	trust(root);
	ck_assert_uint_eq(verify(leaf, between), 0);
	ck_assert_uint_ne(verify(leaf, NULL) & GNUTLS_CERT_SIGNER_NOT_FOUND, 0);
}
END_TEST

START_TEST(a_ca_in_between_is_an_anchor)
{
	trust(between);
	ck_assert_uint_eq(verify(leaf, between), 0);
	ck_assert_uint_eq(verify(leaf, NULL), 0);
	ck_assert_uint_ne(verify(between, root), ~0U);
}
END_TEST

START_TEST(a_leaf_is_an_anchor_for_itself_and_signs_nothing)
{
	const struct cert *other = factory_server(
	    factory, leaf, "DNS:other.example.org");
	const struct cert *sibling = factory_server(
	    factory, between, "DNS:mx.example.org");

	trust(leaf);
	ck_assert_uint_eq(verify(leaf, NULL), 0);
	/* What the server sends besides hides it. */
	ck_assert_uint_ne(
	    verify(leaf, between) & GNUTLS_CERT_SIGNER_NOT_FOUND, 0);
	ck_assert_uint_ne(verify(other, NULL), 0);
	ck_assert_uint_ne(verify(other, leaf), 0);
	ck_assert_uint_ne(verify(sibling, NULL), 0);
	ck_assert_uint_ne(verify(sibling, between), 0);
}
END_TEST

START_TEST(a_self_signed_leaf_is_an_anchor_for_itself)
{
	const struct cert *self = CERT(
	    factory, NULL, .names = "DNS:mx.example.org");
	const struct cert *namesake = CERT(
	    factory, NULL, .names = "DNS:mx.example.org");
	const struct cert *below = CERT(factory, self, .cn = "below");

	trust(self);
	ck_assert_uint_eq(verify(self, NULL), 0);
	ck_assert_uint_ne(verify(namesake, NULL), 0);
	ck_assert_uint_ne(verify(below, NULL), 0);
	ck_assert_uint_ne(verify(below, self), 0);
}
END_TEST

START_TEST(an_old_anchor_signs_only_where_that_is_allowed)
{
	const struct cert *old = CERT(
	    factory, NULL, .cn = "Old", .version_1 = true);
	const struct cert *below = factory_server(
	    factory, old, "DNS:mx.example.org");
	gnutls_x509_crt_t chain[1] = { below->crt };
	unsigned int status = 0;

	trust(old);
	ck_assert_uint_eq(verify(below, NULL), 0);
	ck_assert_ok(gnutls_x509_trust_list_verify_crt2(context->trust.list,
	    chain, 1, NULL, 0, GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT,
	    &status, NULL));
	ck_assert_uint_ne(status, 0);
}
END_TEST

START_TEST(an_expired_ca_loads_and_verifies_nothing)
{
	const struct cert *old = CERT(factory, NULL, .cn = "Old Root",
	    .ca = true, .not_before = -2 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);
	const struct cert *below = factory_server(
	    factory, old, "DNS:mx.example.org");

	trust(old);
	assert_stats(1, 1, 0);
	ck_assert_uint_ne(verify(below, NULL) & GNUTLS_CERT_EXPIRED, 0);
	ck_assert_uint_ne(verify(old, NULL) & GNUTLS_CERT_EXPIRED, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trust-anchors");
	TCase *tc = trust_case(suite, "anchors", NULL);

	tcase_add_test(tc, a_root_is_an_anchor_for_a_whole_chain_only);
	tcase_add_test(tc, a_ca_in_between_is_an_anchor);
	tcase_add_test(tc, a_leaf_is_an_anchor_for_itself_and_signs_nothing);
	tcase_add_test(tc, a_self_signed_leaf_is_an_anchor_for_itself);
	tcase_add_test(tc, an_old_anchor_signs_only_where_that_is_allowed);
	tcase_add_test(tc, an_expired_ca_loads_and_verifies_nothing);
	return run_suite(suite);
}
