/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "peer.h"
#include "tls/context.h"

/*
 * Where GnuTLS refuses for constraints alone its opinion is not the last: see
 * tls/overrule.h. These are attempts to get more than that out of it.
 */
#define HOST "mail.example.org"

static struct factory *factory;
static struct smtptls_context *context;

static void
setup(void)
{
	factory = factory_new();
	context = peer_client_context(factory, NULL);
}

static void
teardown(void)
{
	smtptls_context_free(context);
	factory_free(factory);
}

static void
trust(const struct cert *cert)
{
	const char *pem = factory_pem(factory, cert, NULL, NULL);

	ck_assert_ok(
	    smtptls_context_load_verify_mem(context, pem, strlen(pem)));
}

static int
shake_hands(const struct cert *a, const struct cert *b, const struct cert *c)
{
	struct peer *peer = PEER(.chain = { a, b, c }, .any_cert = true);
	struct smtptls_session *session = peer_session(peer, context, HOST);
	int r = peer_handshake(peer, session);

	smtptls_session_free(session);
	peer_free(peer);
	return r;
}

/*
 * A CA that may not certify the name has a second certificate of the same key,
 * which may: but who signed that must be a CA. GnuTLS never gets there, as it
 * ends every path at the first anchor.
 */
START_TEST(second_way_leads_to_a_ca_too)
{
	const struct cert *narrow = CERT(factory, NULL, .cn = "Narrow",
	    .ca = true, .permitted = "DNS:example.com");
	const struct cert *other = CERT(
	    factory, NULL, .cn = "Other", .ca = _i == 0, .version_1 = _i == 2);
	const struct cert *cross = CERT(
	    factory, other, .cn = "Narrow", .ca = true, .key_of = narrow);
	const struct cert *leaf = factory_server(factory, narrow, "DNS:" HOST);

	trust(narrow);
	trust(other);
	ck_assert_int_eq(shake_hands(leaf, cross, NULL),
	    _i == 0 ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
}
END_TEST

/*
 * GnuTLS counts a CA that certified itself into the length of the path, and is
 * wrong; but in a store that it loaded itself there may be more than it tells,
 * such as constraints that p11-kit lays on an anchor.
 */
START_TEST(store_of_the_system_has_the_last_word)
{
	const struct cert *root = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true, .has_path_len = true);
	const struct cert *again = CERT(
	    factory, root, .cn = "Test Root", .ca = true);
	const struct cert *leaf = factory_server(factory, again, "DNS:" HOST);

	trust(root);
	context->trust.is_live = _i != 0;
	ck_assert_int_eq(shake_hands(leaf, again, NULL),
	    _i == 0 ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
}
END_TEST

/* Of several anchors of one name the one that signed is found. */
START_TEST(anchor_that_was_renewed_is_found)
{
	const struct cert *old = CERT(factory, NULL, .cn = "Test Root",
	    .ca = true, .has_path_len = true, .not_before = -7200,
	    .not_after = -3600);
	const struct cert *renewed = CERT(factory, NULL, .cn = "Test Root",
	    .ca = true, .has_path_len = true, .key_of = old);
	const struct cert *again = CERT(
	    factory, renewed, .cn = "Test Root", .ca = true);
	const struct cert *leaf = factory_server(factory, again, "DNS:" HOST);

	trust(_i == 0 ? old : renewed);
	if (_i != 2)
		trust(_i == 0 ? renewed : old);
	ck_assert_ok(shake_hands(leaf, again, NULL));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("overrule");
	TCase *tc = tcase_create("overrule");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, second_way_leads_to_a_ca_too, 0, 3);
	tcase_add_loop_test(tc, store_of_the_system_has_the_last_word, 0, 2);
	tcase_add_loop_test(tc, anchor_that_was_renewed_is_found, 0, 3);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
