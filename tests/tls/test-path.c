/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "factory.h"
#include "peer.h"
#include "tls/chain.h"

#define HOST "mail.example.org"

/*
 * Servers send what somebody once copied together. Where there is any good
 * path in it, it is found; where there is none, no number of certificates
 * makes one.
 */
static struct factory *factory;
static const struct cert *root, *middle, *leaf;

static void
setup(void)
{
	factory = factory_new();
	root = factory_ca(factory);
	middle = CERT(factory, root, .cn = "Middle", .ca = true);
	leaf = factory_server(factory, middle, "DNS:" HOST);
}

static void
teardown(void)
{
	factory_free(factory);
}

static int
shake_hands(const struct cert *anchor, const struct cert *const *chain,
    char sentence[512])
{
	struct smtptls_context *context = peer_client_context(factory, anchor);
	struct peer_spec spec = { .is_client = false };
	struct smtptls_session *session;
	struct peer *peer;
	size_t i;
	int r;

	for (i = 0; i < PEER_CHAIN_MAX && chain[i] != NULL; i++)
		spec.chain[i] = chain[i];
	peer = peer_new(&spec);
	session = peer_session(peer, context, HOST);
	r = peer_handshake(peer, session);
	snprintf(sentence, 512, "%s", smtptls_session_error(session));
	ck_assert_int_eq(smtptls_session_is_verified(session), r == SMTPTLS_OK);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(context);
	return r;
}

/*
 * Shake hands with a server that sends a chain, NULL at its end. That anchors
 * are parsed when they are needed makes no difference.
 */
static int
try_chain(const struct cert *anchor, const struct cert *const *chain,
    char sentence[512])
{
	char lazy[512];
	int r;

	peer_client_is_eager = false;
	r = shake_hands(anchor, chain, lazy);
	peer_client_is_eager = true;
	ck_assert_int_eq(shake_hands(anchor, chain, sentence), r);
	ck_assert_str_eq(lazy, sentence);
	return r;
}

#define CHAIN(...) ((const struct cert *const[]){ __VA_ARGS__, NULL })

static void
accept(const struct cert *anchor, const struct cert *const *chain)
{
	char sentence[512];
	int r = try_chain(anchor, chain, sentence);

	ck_assert_msg(r == SMTPTLS_OK, "%s", sentence);
}

static void
refuse(
    const struct cert *anchor, const struct cert *const *chain, const char *why)
{
	char sentence[512];
	int r = try_chain(anchor, chain, sentence);

	ck_assert_int_eq(r, SMTPTLS_E_CERTIFICATE);
	ck_assert_msg(strstr(sentence, why) != NULL, "%s", sentence);
}

START_TEST(a_chain_may_be_in_any_order)
{
	const struct cert *second = CERT(
	    factory, middle, .cn = "Second", .ca = true);
	const struct cert *deep = factory_server(factory, second, "DNS:" HOST);
	const struct cert *other = factory_server(
	    factory, middle, "DNS:other.example.org");

	accept(root, CHAIN(deep, second, middle, root));
	accept(root, CHAIN(deep, middle, second));
	accept(root, CHAIN(deep, root, middle, second));
	/* But the first is the server's own. */
	refuse(root, CHAIN(other, leaf, middle),
	    "the certificate names other.example.org, not " HOST);
}
END_TEST

START_TEST(certificates_that_do_not_belong_to_it_do_no_harm)
{
	const struct cert *other = CERT(
	    factory, NULL, .cn = "Other", .ca = true);
	const struct cert *stranger = factory_server(factory, other, "DNS:x");
	const struct cert *expired = CERT(
	    factory, other, .cn = "Old", .ca = true, .not_after = -FACTORY_DAY);

	accept(root, CHAIN(leaf, stranger, middle, other, expired));
	accept(root, CHAIN(leaf, leaf, middle, middle, root, root));
	refuse(other, CHAIN(leaf, stranger, middle, other), "");
}
END_TEST

START_TEST(a_cross_signed_ca_leads_to_either_root)
{
	const struct cert *old_root = CERT(
	    factory, NULL, .cn = "Old Root", .ca = true);
	/* The same CA with the same key, certified by another root. */
	const struct cert *cross = CERT(
	    factory, old_root, .cn = "Middle", .ca = true, .key_of = middle);
	const struct cert *third = CERT(
	    factory, NULL, .cn = "Third Root", .ca = true);

	accept(root, CHAIN(leaf, middle, cross));
	accept(root, CHAIN(leaf, cross, middle));
	accept(old_root, CHAIN(leaf, middle, cross));
	accept(old_root, CHAIN(leaf, cross, middle));
	refuse(third, CHAIN(leaf, cross, middle), "which is not known");
}
END_TEST

/* As in 2021, when a root expired that had cross-signed another one. */
START_TEST(an_expired_path_beside_a_good_one_does_no_harm)
{
	const struct cert *old_root = CERT(factory, NULL, .cn = "Old Root",
	    .ca = true, .not_before = -9 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);
	const struct cert *cross_root = CERT(
	    factory, old_root, .cn = "Test Root", .ca = true, .key_of = root);
	const struct cert *expired = CERT(factory, root, .cn = "Middle",
	    .ca = true, .key_of = middle, .not_before = -9 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);

	accept(root, CHAIN(leaf, middle, cross_root));
	accept(root, CHAIN(leaf, middle, cross_root, old_root));
	accept(root, CHAIN(leaf, expired, middle));
	accept(root, CHAIN(leaf, middle, expired));
	refuse(root, CHAIN(leaf, expired),
	    "CA certificate \"CN=Middle\" expired on ");
	refuse(old_root, CHAIN(leaf, middle, cross_root), "expired on ");
}
END_TEST

START_TEST(a_weak_path_beside_a_good_one_does_no_harm)
{
	const struct cert *weak = CERT(factory, root, .cn = "Middle",
	    .ca = true, .key_of = middle, .digest = GNUTLS_DIG_SHA1);
	const struct cert *for_mail = CERT(factory, root, .cn = "Middle",
	    .ca = true, .key_of = middle, .eku = GNUTLS_KP_EMAIL_PROTECTION);

	accept(root, CHAIN(leaf, weak, middle));
	accept(root, CHAIN(leaf, for_mail, weak, middle));
	refuse(root, CHAIN(leaf, weak), "weak signature");
	refuse(root, CHAIN(leaf, for_mail), "is not for TLS servers");
}
END_TEST

/* RFC 4210 section 4.4: a CA that changes its key certifies itself. */
START_TEST(a_self_issued_ca_certificate_is_fine)
{
	const struct cert *new_key = CERT(
	    factory, root, .cn = "Test Root", .ca = true);
	const struct cert *below = factory_server(
	    factory, new_key, "DNS:" HOST);
	const struct cert *self = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true, .key_of = new_key);

	accept(root, CHAIN(below, new_key));
	accept(self, CHAIN(below));
	accept(self, CHAIN(below, new_key));
	refuse(root, CHAIN(below, self), "");
}
END_TEST

START_TEST(what_is_trusted_ends_the_path)
{
	const struct cert *second = CERT(
	    factory, middle, .cn = "Second", .ca = true);
	const struct cert *deep = factory_server(factory, second, "DNS:" HOST);

	/* A CA in between as the anchor, whatever is above it. */
	accept(middle, CHAIN(leaf));
	accept(middle, CHAIN(leaf, middle));
	accept(middle, CHAIN(leaf, middle, root));
	accept(middle, CHAIN(deep, second));
	accept(second, CHAIN(deep));
	refuse(second, CHAIN(leaf, middle, root), "");
	/* The certificate of the server as the anchor. */
	accept(leaf, CHAIN(leaf));
	accept(leaf, CHAIN(leaf, middle));
	accept(leaf, CHAIN(leaf, middle, root));
	refuse(leaf, CHAIN(deep, second, middle, root), "");
}
END_TEST

START_TEST(a_trusted_leaf_is_still_looked_at)
{
	const struct cert *expired = CERT(
	    factory, middle, .names = "DNS:" HOST, .not_after = -FACTORY_DAY);
	const struct cert *weak = CERT(
	    factory, NULL, .names = "DNS:" HOST, .rsa_bits = 1024);
	const struct cert *other = CERT(factory, NULL, .names = "DNS:other");
	const struct cert *client = CERT(factory, NULL, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_CLIENT);

	refuse(expired, CHAIN(expired), "expired on ");
	refuse(weak, CHAIN(weak), "weak key");
	refuse(other, CHAIN(other), "the certificate names other, not " HOST);
	refuse(client, CHAIN(client), "is not for TLS servers");
}
END_TEST

/* A trusted leaf signs nothing. */
START_TEST(a_trusted_leaf_is_no_ca)
{
	const struct cert *below = CERT(factory, leaf, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER);

	refuse(leaf, CHAIN(below), "signed a certificate and is none of a CA");
	refuse(leaf, CHAIN(below, leaf), "");
	refuse(root, CHAIN(below, leaf, middle), "is none of a CA");
}
END_TEST

/* CAs that all certify each other: the number of paths has no end. */
START_TEST(a_maze_of_certificates_is_left_in_time)
{
	const struct cert *a = CERT(
	    factory, NULL, .cn = "Maze", .ca = true, .no_key_ids = true);
	const struct cert *in = CERT(
	    factory, a, .names = "DNS:" HOST, .no_key_ids = true);
	const struct cert *maze[STLS_CHAIN_MAX + 1] = { in };
	char sentence[512];
	size_t i;

	for (i = 1; i < STLS_CHAIN_MAX; i++)
		maze[i] = CERT(factory, a, .cn = "Maze", .ca = true,
		    .key_of = a, .no_key_ids = true);
	ck_assert_int_eq(
	    try_chain(root, maze, sentence), SMTPTLS_E_CERTIFICATE);
}
END_TEST

START_TEST(more_certificates_than_a_chain_has_are_refused)
{
	const struct cert *many[STLS_CHAIN_MAX + 2] = { leaf, middle };
	size_t i;

	for (i = 2; i < STLS_CHAIN_MAX; i++)
		many[i] = CERT(factory, root, .cn = "x");
	accept(root, many);
	many[i] = many[1];
	refuse(root, many, "the server sent 17 certificates, more than 16");
}
END_TEST

/* `count` CAs below the root, then the server. */
static int
try_depth(size_t count, char sentence[512])
{
	const struct cert *chain[PEER_CHAIN_MAX + 1] = { NULL };
	const struct cert *issuer = root;
	size_t i;

	for (i = count; i > 0; i--) {
		issuer = CERT(factory, issuer, .cn = "Step", .ca = true);
		chain[i] = issuer;
	}
	chain[0] = factory_server(factory, issuer, "DNS:" HOST);
	return try_chain(root, chain, sentence);
}

START_TEST(a_long_path_is_accepted_within_reason)
{
	char sentence[512];
	int r;

	r = try_depth(4, sentence);
	ck_assert_msg(r == SMTPTLS_OK, "%s", sentence);
	r = try_depth(7, sentence);
	ck_assert_msg(r == SMTPTLS_OK, "%s", sentence);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("path");
	TCase *tc = tcase_create("path");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_chain_may_be_in_any_order);
	tcase_add_test(tc, certificates_that_do_not_belong_to_it_do_no_harm);
	tcase_add_test(tc, a_cross_signed_ca_leads_to_either_root);
	tcase_add_test(tc, an_expired_path_beside_a_good_one_does_no_harm);
	tcase_add_test(tc, a_weak_path_beside_a_good_one_does_no_harm);
	tcase_add_test(tc, a_self_issued_ca_certificate_is_fine);
	tcase_add_test(tc, what_is_trusted_ends_the_path);
	tcase_add_test(tc, a_trusted_leaf_is_still_looked_at);
	tcase_add_test(tc, a_trusted_leaf_is_no_ca);
	tcase_add_test(tc, a_maze_of_certificates_is_left_in_time);
	tcase_add_test(tc, more_certificates_than_a_chain_has_are_refused);
	tcase_add_test(tc, a_long_path_is_accepted_within_reason);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
