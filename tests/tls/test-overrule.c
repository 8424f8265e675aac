/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>

#include "der.h"
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

/*
 * root -> again -> narrow -> [lower ->] leaf, and again has the name of root:
 * GnuTLS counts it, refuses all of them for the length, and looks no further.
 */
struct ways {
	struct cert_spec root, again, narrow, lower, leaf;
	bool has_lower;
};

struct way {
	const struct cert *root, *again, *narrow, *leaf;
	const struct cert *lower; /* or NULL */
};

/*
 * GnuTLS stops at the leaf, or earlier: at a narrow CA that has the name of the
 * root, too, so that it has not seen its certificate.
 */
static struct ways
plain(bool is_early)
{
	const char *narrow = is_early ? "Test Root" : "Narrow";

	return (struct ways){
		.root = { .cn = "Test Root",
		    .ca = true,
		    .has_path_len = true,
		    .path_len = is_early ? 0 : 1 },
		.again = { .cn = "Test Root", .ca = true },
		.narrow = { .cn = narrow,
		    .ca = true,
		    .permitted = "DNS:" HOST },
		.lower = { .cn = narrow, .ca = true },
		.leaf = { .cn = "server",
		    .names = "DNS:" HOST,
		    .eku = GNUTLS_KP_TLS_WWW_SERVER },
	};
}

static struct way
make_way(const struct ways *ways)
{
	struct way way = { .lower = NULL };

	way.root = factory_cert(factory, NULL, &ways->root);
	way.again = factory_cert(factory, way.root, &ways->again);
	way.narrow = factory_cert(factory, way.again, &ways->narrow);
	if (ways->has_lower)
		way.lower = factory_cert(factory, way.narrow, &ways->lower);
	way.leaf = factory_cert(
	    factory, way.lower != NULL ? way.lower : way.narrow, &ways->leaf);
	trust(way.root);
	return way;
}

/* In the order in which somebody who wants to mislead would send them. */
static int
go(const struct way *way, const gnutls_datum_t *const staples[3])
{
	struct peer_spec spec = {
		.chain = { way->leaf, way->again, way->narrow, way->lower },
		.any_cert = true,
	};
	struct smtptls_session *session;
	struct peer *peer;
	size_t i;
	int r;

	for (i = 0; staples != NULL && i < 3; i++)
		spec.staple[i] = staples[i];
	peer = peer_new(&spec);
	session = peer_session(peer, context, HOST);
	r = peer_handshake(peer, session);
	smtptls_session_free(session);
	peer_free(peer);
	return r;
}

/* What else is wrong, with whom: nothing of it is forgiven. */
#define FAULT(name, ...)                                                       \
	static void name(struct ways *w)                                       \
	{                                                                      \
		__VA_ARGS__;                                                   \
	}

#define UNKNOWN "!1.3.6.1.4.1.55555.1=0500"
#define POLICY_CONSTRAINTS "!2.5.29.36=3003800100"
#define ECDSA_SHA256 "300a06082a8648ce3d040302"

static void
name_ecdsa(struct der *part)
{
	der_done(&part[SURGERY_ALGORITHM]);
	der_done(&part[SURGERY_OUTER]);
	part[SURGERY_ALGORITHM] = der_hex(ECDSA_SHA256);
	part[SURGERY_OUTER] = der_hex(ECDSA_SHA256);
}

FAULT(no_fault, (void)w)
FAULT(leaf_is_forged, w->leaf.forged = true)
FAULT(narrow_is_forged, w->narrow.forged = true)
FAULT(again_is_forged, w->again.forged = true)
/* An algorithm that is not that of the key is a constraint to GnuTLS. */
FAULT(leaf_names_another_algorithm, w->narrow.rsa_bits = 2048;
      w->leaf.surgery = name_ecdsa)
FAULT(narrow_names_another_algorithm, w->again.rsa_bits = 2048;
      w->narrow.surgery = name_ecdsa)
FAULT(leaf_has_expired, w->leaf.not_before = -7200; w->leaf.not_after = -3600)
FAULT(narrow_has_expired, w->narrow.not_before = -7200;
      w->narrow.not_after = -3600)
FAULT(again_has_expired, w->again.not_before = -7200;
      w->again.not_after = -3600)
FAULT(root_has_expired, w->root.not_before = -7200; w->root.not_after = -3600)
FAULT(leaf_is_of_the_future, w->leaf.not_before = 3600)
FAULT(leaf_has_sha1, w->leaf.digest = GNUTLS_DIG_SHA1)
FAULT(narrow_has_sha1, w->narrow.digest = GNUTLS_DIG_SHA1)
FAULT(again_has_sha1, w->again.digest = GNUTLS_DIG_SHA1)
FAULT(leaf_has_md5, w->narrow.rsa_bits = 2048; w->leaf.digest = GNUTLS_DIG_MD5)
FAULT(again_has_md5, w->root.rsa_bits = 2048; w->again.digest = GNUTLS_DIG_MD5)
FAULT(leaf_has_a_short_key, w->leaf.rsa_bits = 1024)
FAULT(narrow_has_a_short_key, w->narrow.rsa_bits = 1024)
FAULT(again_has_a_short_key, w->again.rsa_bits = 1024)
FAULT(root_has_a_short_key, w->root.rsa_bits = 1024)
FAULT(leaf_is_for_clients, w->leaf.eku = GNUTLS_KP_TLS_WWW_CLIENT)
FAULT(narrow_is_for_clients, w->narrow.eku = GNUTLS_KP_TLS_WWW_CLIENT)
FAULT(root_is_for_clients, w->root.eku = GNUTLS_KP_TLS_WWW_CLIENT)
FAULT(narrow_is_no_ca, w->narrow.ca = false; w->narrow.permitted = NULL)
FAULT(narrow_is_of_version_1, w->narrow.version_1 = true)
FAULT(narrow_may_not_sign, w->narrow.key_usage = GNUTLS_KEY_CRL_SIGN)
FAULT(again_may_not_sign, w->again.key_usage = GNUTLS_KEY_CRL_SIGN)
FAULT(narrow_is_critical, w->narrow.raw = UNKNOWN)
FAULT(root_is_critical, w->root.raw = UNKNOWN)
/* Known to us, and not to GnuTLS. */
FAULT(leaf_has_policy_constraints, w->leaf.raw = POLICY_CONSTRAINTS)
FAULT(narrow_has_policy_constraints, w->narrow.raw = POLICY_CONSTRAINTS)
FAULT(leaf_has_no_staple, w->leaf.must_staple = true)
FAULT(again_demands_a_feature, w->again.must_staple = true)
FAULT(leaf_is_of_another_host, w->leaf.names = "DNS:b.example.org";
      w->narrow.permitted = NULL)
FAULT(narrow_permits_others, w->narrow.permitted = "DNS:example.com")
FAULT(again_permits_others, w->again.permitted = "DNS:example.com")
FAULT(root_permits_others, w->root.permitted = "DNS:example.com")
FAULT(again_excludes_it, w->again.excluded = "DNS:example.org")
FAULT(leaf_has_one_name_more, w->leaf.names = "DNS:" HOST " DNS:example.com")
FAULT(leaf_has_the_name_of_its_ca, w->leaf.cn = w->narrow.cn;
      w->narrow.permitted = "DNS:example.com")
FAULT(root_is_too_short, w->root.path_len = 0; w->narrow.cn = "Narrow")

/* The owner of the CA that is constrained tries to get out. */
FAULT(lower_is_no_way_out, w->has_lower = true;
      w->narrow.permitted = "DNS:example.com")
FAULT(lower_is_no_longer_way, w->has_lower = true; w->lower.cn = "Lower")
FAULT(lower_permits_others, w->has_lower = true;
      w->lower.permitted = "DNS:example.com")
/* The owner of a server signs another. */
FAULT(lower_is_a_server, w->has_lower = true; w->lower = w->leaf)
FAULT(lower_is_fine, w->has_lower = true)

static const struct fault {
	void (*spoil)(struct ways *w);
	bool is_fine;
} faults[] = {
	{ no_fault, true },
	{ leaf_is_forged, false },
	{ narrow_is_forged, false },
	{ again_is_forged, false },
	{ leaf_names_another_algorithm, false },
	{ narrow_names_another_algorithm, false },
	{ leaf_has_expired, false },
	{ narrow_has_expired, false },
	{ again_has_expired, false },
	{ root_has_expired, false },
	{ leaf_is_of_the_future, false },
	{ leaf_has_sha1, false },
	{ narrow_has_sha1, false },
	{ again_has_sha1, false },
	{ leaf_has_md5, false },
	{ again_has_md5, false },
	{ leaf_has_a_short_key, false },
	{ narrow_has_a_short_key, false },
	{ again_has_a_short_key, false },
	{ root_has_a_short_key, false },
	{ leaf_is_for_clients, false },
	{ narrow_is_for_clients, false },
	{ root_is_for_clients, false },
	{ narrow_is_no_ca, false },
	{ narrow_is_of_version_1, false },
	{ narrow_may_not_sign, false },
	{ again_may_not_sign, false },
	{ narrow_is_critical, false },
	{ root_is_critical, false },
	{ leaf_has_policy_constraints, false },
	{ narrow_has_policy_constraints, false },
	{ leaf_has_no_staple, false },
	{ again_demands_a_feature, false },
	{ leaf_is_of_another_host, false },
	{ narrow_permits_others, false },
	{ again_permits_others, false },
	{ root_permits_others, false },
	{ again_excludes_it, false },
	{ leaf_has_one_name_more, false },
	{ leaf_has_the_name_of_its_ca, false },
	{ root_is_too_short, false },
	{ lower_is_no_way_out, false },
	{ lower_is_no_longer_way, false },
	{ lower_permits_others, false },
	{ lower_is_a_server, false },
	{ lower_is_fine, true },
};

#define FAULTS (int)COUNT(faults)

/* Where time is short, one of the two ways for each fault. */
START_TEST(nothing_but_the_constraints_is_forgiven)
{
	const struct fault *fault = &faults[_i / 2];
	struct ways ways = plain(_i % 2 != 0);
	struct way way;

	if (getenv("STLS_TEST_QUICK") != NULL && _i / 2 % 2 != _i % 2)
		return;
	fault->spoil(&ways);
	way = make_way(&ways);
	ck_assert_int_eq(go(&way, NULL),
	    fault->is_fine ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
}
END_TEST

/* Not form either, but where the user does without all of it. */
START_TEST(form_is_forgiven_by_the_lax_profile_alone)
{
	struct ways ways = plain(false);
	struct way way;

	if (_i / 2 == 0)
		ways.narrow.no_subject_key_id = true;
	else
		ways.again.no_key_usage = true;
	if (_i % 2 != 0)
		ck_assert_ok(
		    smtptls_context_insecure_allow_lax_profile(context));
	way = make_way(&ways);
	ck_assert_int_eq(
	    go(&way, NULL), _i % 2 != 0 ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
}
END_TEST

/* A list of a CA in between comes with the certificates above it. */
static void
load_crl(const struct way *way, const struct cert *issuer,
    const struct cert *revoked)
{
	const char *list = factory_crl(
	    factory, issuer, &(struct crl_spec){ .revoked = { revoked } });
	char *pem;

	ck_assert_int_ge(
	    asprintf(&pem, "%s%s", list,
		factory_pem(factory, way->again, way->narrow, NULL)),
	    0);
	ck_assert_ok(smtptls_context_load_crl_mem(context, pem, strlen(pem)));
	free(pem);
}

/* Two CAs have one name here, and a list each. */
START_TEST(what_a_list_revokes_stays_revoked)
{
	struct ways ways = plain(false);
	struct way way = make_way(&ways);

	load_crl(&way, way.root, _i == 3 ? way.again : NULL);
	if (_i != 4)
		load_crl(&way, way.again, _i == 2 ? way.narrow : NULL);
	load_crl(&way, way.narrow, _i == 1 ? way.leaf : NULL);
	ck_assert_int_eq(
	    go(&way, NULL), _i == 0 ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
}
END_TEST

/* Each staple is about the certificate that it came with. */
START_TEST(what_a_staple_revokes_stays_revoked)
{
	struct ways ways = plain(false);
	struct way way = make_way(&ways);
	const gnutls_datum_t *staples[] = {
		factory_ocsp(factory, way.narrow, way.leaf,
		    &(struct ocsp_spec){ .status = _i == 1 }),
		factory_ocsp(factory, way.root, way.again,
		    &(struct ocsp_spec){ .status = _i == 2 }),
		factory_ocsp(factory, way.again, way.narrow,
		    &(struct ocsp_spec){ .status = _i == 3 }),
	};

	ck_assert_int_eq(
	    go(&way, staples), _i == 0 ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
}
END_TEST

/*
 * Who has the key of a root that expired has nothing of the one that came after
 * it, though all of the names are the same, and the key is another.
 */
START_TEST(an_expired_root_lends_nothing_to_its_successor)
{
	struct ways old = plain(false), new = old;
	struct way way, other;

	if (_i != 0) {
		old.root.not_before = -7200;
		old.root.not_after = -3600;
	}
	way = make_way(&old);
	other = make_way(&new);
	ck_assert_int_eq(
	    go(&way, NULL), _i == 0 ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
	ck_assert_ok(go(&other, NULL));
}
END_TEST

/* How often the library looks at a signature itself. */
static unsigned int looks;

int
gnutls_pubkey_verify_data2(gnutls_pubkey_t key, gnutls_sign_algorithm_t algo,
    unsigned int flags, const gnutls_datum_t *data,
    const gnutls_datum_t *signature)
{
	int (*theirs)(gnutls_pubkey_t, gnutls_sign_algorithm_t, unsigned int,
	    const gnutls_datum_t *, const gnutls_datum_t *);

	*(void **)&theirs = dlsym(RTLD_NEXT, "gnutls_pubkey_verify_data2");
	looks++;
	return theirs(key, algo, flags, data, signature);
}

#define LEVELS 7

/*
 * Who has no key of a CA can have as many CAs as he likes, and the last of them
 * names an algorithm that is not that of the root, so that GnuTLS calls it a
 * constraint. Two certificates for each make a maze.
 */
START_TEST(signatures_of_a_stranger_are_not_looked_at)
{
	const struct cert *root = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true, .rsa_bits = 2048);
	const struct cert *ca[LEVELS + 1] = { root };
	struct peer_spec spec = { .any_cert = true };
	struct smtptls_session *session;
	struct peer *peer;
	char cn[2] = "A";
	size_t i, sent = 1;

	for (i = 1; i <= LEVELS; i++, cn[0]++) {
		ca[i] = CERT(factory, ca[i - 1], .cn = cn, .ca = true,
		    .curve = GNUTLS_ECC_CURVE_SECP521R1,
		    .surgery = i == 1 ? name_ecdsa : NULL);
		spec.chain[sent++] = ca[i];
		spec.chain[sent++] = CERT(factory, ca[i - 1], .cn = cn,
		    .ca = true, .key_of = ca[i],
		    .surgery = i == 1 ? name_ecdsa : NULL);
	}
	spec.chain[0] = factory_server(factory, ca[LEVELS], "DNS:" HOST);
	trust(root);
	peer = peer_new(&spec);
	session = peer_session(peer, context, HOST);
	looks = 0;
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_E_CERTIFICATE);
	/* One for each path, and there are 24 at most; none is no maze. */
	ck_assert_uint_gt(looks, 0);
	ck_assert_uint_le(looks, 24);
	smtptls_session_free(session);
	peer_free(peer);
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
	tcase_add_loop_test(
	    tc, nothing_but_the_constraints_is_forgiven, 0, 2 * FAULTS);
	tcase_add_loop_test(
	    tc, form_is_forgiven_by_the_lax_profile_alone, 0, 4);
	tcase_add_loop_test(tc, what_a_list_revokes_stays_revoked, 0, 5);
	tcase_add_loop_test(tc, what_a_staple_revokes_stays_revoked, 0, 4);
	tcase_add_loop_test(
	    tc, an_expired_root_lends_nothing_to_its_successor, 0, 2);
	tcase_add_test(tc, signatures_of_a_stranger_are_not_looked_at);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
