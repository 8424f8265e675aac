/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "factory.h"
#include "tls/anchors.h"
#include "tls/certs.h"
#include "tls/path.h"
#include "tls/trust.h"
#include "tls/verify.h"

/* Where many systems have CAs; what is there is tried, too. */
#define SYSTEM_FILE "/etc/ssl/certs/ca-certificates.crt"

/*
 * The same anchors twice: parsed when a chain needs them, and all at once as
 * GnuTLS would have them. No chain may be judged differently.
 */
static struct factory *factory;
static struct stls_trust lazy, eager;
static const struct cert *root, *middle, *leaf;

static void
make_certificates(void)
{
	factory = factory_new();
	root = factory_ca(factory);
	middle = CERT(factory, root, .cn = "Middle", .ca = true);
	leaf = factory_server(factory, middle, "DNS:mx.example.org");
}

static void
free_certificates(void)
{
	factory_free(factory);
}

static void
setup(void)
{
	memset(&lazy, 0, sizeof(lazy));
	memset(&eager, 0, sizeof(eager));
	eager.is_eager = true;
}

static void
teardown(void)
{
	stls_trust_done(&lazy);
	stls_trust_done(&eager);
}

static void
trust_der(const void *der, size_t len)
{
	struct stls_err err;

	ck_assert_ok(stls_trust_load_mem(&lazy, &err, der, len));
	ck_assert_ok(stls_trust_load_mem(&eager, &err, der, len));
}

static void
trust(const struct cert *cert)
{
	const gnutls_datum_t *der = factory_der(factory, cert);

	trust_der(der->data, der->size);
}

/* What came of a chain. */
struct verdict {
	int code;
	char text[STLS_ERR_TEXT_MAX];
	size_t count;
	gnutls_datum_t der[STLS_PATH_MAX + 1];
	size_t parsed; /* anchors that were looked at */
};

static size_t
count_parsed(const struct stls_trust *trust)
{
	size_t i, n = 0;

	for (i = 0; i < trust->store.count; i++)
		n += atomic_load(&trust->store.anchor[i].crt) != NULL;
	return n;
}

static void
judge(struct verdict *out, const struct stls_trust *trust,
    const struct stls_chain *chain)
{
	struct stls_verify verify = { .trust = trust };
	struct stls_anchors anchors = { 0 };
	struct stls_path path = { .count = 0 };
	struct stls_err err = { 0 };
	size_t i;

	memset(out, 0, sizeof(*out));
	out->code = stls_anchors_init_chain(&anchors, &err, trust, chain);
	if (out->code == SMTPTLS_OK)
		out->code = stls_path_find(
		    &err, &verify, &anchors, chain, &path);
	if (out->code < 0)
		snprintf(out->text, sizeof(out->text), "%s", err.text);
	out->count = path.count;
	for (i = 0; i < path.count; i++)
		ck_assert_ok(gnutls_x509_crt_export2(
		    path.cert[i], GNUTLS_X509_FMT_DER, &out->der[i]));
	stls_path_done(&path);
	stls_anchors_done(&anchors);
	out->parsed = count_parsed(trust);
}

static void
verdict_done(struct verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->count; i++)
		gnutls_free(verdict->der[i].data);
}

/* Judge a chain both ways; returns the code, and may give the sentence. */
static int
both(const struct stls_chain *chain, char *text)
{
	struct verdict a, b;
	size_t i;
	int code;

	judge(&a, &lazy, chain);
	judge(&b, &eager, chain);
	ck_assert_msg(
	    a.code == b.code, "%d %s, %d %s", a.code, a.text, b.code, b.text);
	ck_assert_str_eq(a.text, b.text);
	ck_assert_uint_eq(a.count, b.count);
	for (i = 0; i < a.count; i++) {
		ck_assert_uint_eq(a.der[i].size, b.der[i].size);
		ck_assert_mem_eq(a.der[i].data, b.der[i].data, a.der[i].size);
	}
	ck_assert_ptr_null(lazy.list);
	ck_assert_uint_eq(eager.store.count, 0);
	if (text != NULL)
		strcpy(text, a.text);
	code = a.code;
	verdict_done(&a);
	verdict_done(&b);
	return code;
}

static int
both_of(const struct cert *a, const struct cert *b, const struct cert *c)
{
	const struct cert *cert[] = { a, b, c };
	struct stls_chain chain = { .count = 0 };

	while (chain.count < 3 && cert[chain.count] != NULL) {
		chain.cert[chain.count] = cert[chain.count]->crt;
		chain.count++;
	}
	return both(&chain, NULL);
}

#define STRANGERS 40

START_TEST(only_those_that_are_named_are_parsed)
{
	size_t i;

	for (i = 0; i < STRANGERS; i++) {
		char cn[16];

		snprintf(cn, sizeof(cn), "Stranger %zu", i);
		trust(CERT(factory, NULL, .cn = cn, .ca = true));
		if (i == STRANGERS / 2)
			trust(root);
	}
	ck_assert_uint_eq(count_parsed(&lazy), 0);
	ck_assert_ok(both_of(leaf, middle, NULL));
	ck_assert_uint_eq(count_parsed(&lazy), 1);
	ck_assert_int_eq(both_of(leaf, NULL, NULL), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(count_parsed(&lazy), 1);
}
END_TEST

START_TEST(an_intermediate_and_a_leaf_are_found_by_their_own_names)
{
	/* Which is a server's, too. */
	const struct cert *ca = CERT(factory, root, .cn = "Server CA",
	    .ca = true,
	    .key_usage = GNUTLS_KEY_KEY_CERT_SIGN |
		GNUTLS_KEY_DIGITAL_SIGNATURE);
	const struct cert *below = factory_server(
	    factory, ca, "DNS:mx.example.org");

	trust(ca);
	ck_assert_ok(both_of(below, NULL, NULL));
	ck_assert_ok(both_of(below, ca, NULL));
	ck_assert_ok(both_of(below, ca, root));
	ck_assert_ok(both_of(ca, NULL, NULL));
	ck_assert_ok(both_of(ca, root, NULL));
	ck_assert_int_ne(both_of(root, NULL, NULL), SMTPTLS_OK);
}
END_TEST

START_TEST(a_leaf_in_the_store_is_found)
{
	const struct cert *self = CERT(
	    factory, NULL, .cn = "self", .names = "DNS:mx.example.org");

	trust(leaf);
	trust(self);
	ck_assert_ok(both_of(leaf, NULL, NULL));
	ck_assert_ok(both_of(leaf, middle, root));
	ck_assert_ok(both_of(self, NULL, NULL));
	ck_assert_ok(both_of(self, middle, NULL));
	ck_assert_int_ne(
	    both_of(CERT(factory, self, .cn = "below"), self, NULL),
	    SMTPTLS_OK);
}
END_TEST

/* The anchor ends the chain: none above it is looked for. */
START_TEST(an_anchor_does_not_need_the_one_above_it)
{
	const struct cert *expired = CERT(factory, NULL, .cn = "Old Root",
	    .ca = true, .not_before = -9 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);
	const struct cert *below = CERT(
	    factory, expired, .cn = "Below", .ca = true);
	const struct cert *server = factory_server(
	    factory, below, "DNS:mx.example.org");

	trust(expired);
	ck_assert_int_ne(both_of(server, below, NULL), SMTPTLS_OK);
	trust(below);
	ck_assert_ok(both_of(server, below, NULL));
	ck_assert_ok(both_of(server, NULL, NULL));
	ck_assert_uint_eq(count_parsed(&lazy), 2);
}
END_TEST

/*
 * The same name and key, encoded as another kind of string: GnuTLS compares
 * octets, so this is somebody else. Nobody verifies the signature of an anchor.
 */
START_TEST(a_name_in_another_encoding_is_another_name)
{
	static const char printable[] = "\x13\x09Test Root";
	const gnutls_datum_t *der = factory_der(factory, root);
	unsigned char copy[4096], *at = copy;
	int i;

	memcpy(copy, der->data, der->size);
	for (i = 0; i < 2; i++) {
		at = memmem(at, der->size - (size_t)(at - copy), printable, 11);
		ck_assert_ptr_nonnull(at);
		*at = 0x0c;
	}
	trust_der(copy, der->size);
	ck_assert_int_eq(both_of(leaf, middle, NULL), SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(both_of(leaf, middle, root), SMTPTLS_E_CERTIFICATE);
	trust(root);
	ck_assert_ok(both_of(leaf, middle, NULL));
}
END_TEST

/* Renewed: another key under the name, and the key with other dates. */
START_TEST(all_of_a_name_are_tried)
{
	const struct cert *other_key = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true, .no_key_ids = true);
	const struct cert *expired = CERT(factory, NULL, .cn = "Test Root",
	    .ca = true, .key_of = root, .not_before = -9 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);

	trust(other_key);
	ck_assert_int_ne(both_of(leaf, middle, NULL), SMTPTLS_OK);
	trust(expired);
	ck_assert_int_ne(both_of(leaf, middle, NULL), SMTPTLS_OK);
	trust(root);
	ck_assert_ok(both_of(leaf, middle, NULL));
	ck_assert_uint_eq(count_parsed(&lazy), 3);
}
END_TEST

START_TEST(without_any_ca_nothing_is_verified)
{
	struct stls_chain chain = { .cert = { leaf->crt }, .count = 1 };
	char text[STLS_ERR_TEXT_MAX];

	ck_assert_int_eq(both(&chain, text), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(
	    text, "no certificate can be verified: no CA was loaded");
}
END_TEST

/*
 * What GnuTLS cannot parse, though it looked well when it was loaded: whoever
 * needs it is told where it is, and nobody else.
 */
START_TEST(a_broken_anchor_fails_those_who_need_it)
{
	const struct cert *other = CERT(factory, NULL, .cn = "O", .ca = true);
	struct stls_chain chain = { .cert = { leaf->crt, middle->crt },
		.count = 2 };
	struct verdict verdict;

	trust(root);
	trust(other);
	trust(middle);
	lazy.store.origin[0].der[4] ^= 1;
	judge(&verdict, &lazy, &chain);
	ck_assert_int_eq(verdict.code, SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(
	    strncmp(verdict.text, "data byte 0: no valid certificate: ", 35),
	    0);
	chain.count = 1;
	judge(&verdict, &lazy, &chain);
	ck_assert_ok(verdict.code);
	verdict_done(&verdict);
}
END_TEST

/* A peer may send 16, and name 32. */
START_TEST(a_peer_that_names_many_makes_no_difference)
{
	const struct cert *ca[STLS_CHAIN_MAX];
	struct stls_chain chain = { .cert = { leaf->crt },
		.count = STLS_CHAIN_MAX };
	char cn[16];
	size_t i;

	for (i = 0; i < STLS_CHAIN_MAX; i++) {
		snprintf(cn, sizeof(cn), "CA %zu", i);
		ca[i] = CERT(factory, NULL, .cn = cn, .ca = true);
		trust(ca[i]);
		if (i > 0)
			chain.cert[i] =
			    CERT(factory, ca[i], .cn = "x", .ca = true)->crt;
	}
	ck_assert_int_eq(both(&chain, NULL), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(count_parsed(&lazy), STLS_CHAIN_MAX - 1);
	trust(middle);
	ck_assert_ok(both(&chain, NULL));
}
END_TEST

/* ---- all that there is in the wild, in any order ---- */

#define KINDS 16

static void
make_kinds(const struct cert *kind[KINDS])
{
	const struct cert *old_root = CERT(factory, NULL, .cn = "Old Root",
	    .ca = true, .not_before = -9 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);
	const struct cert *third = CERT(
	    factory, NULL, .cn = "Third Root", .ca = true);
	const struct cert *new_key = CERT(
	    factory, root, .cn = "Test Root", .ca = true);

	kind[0] = leaf;
	kind[1] = root;
	kind[2] = middle;
	kind[3] = old_root;
	kind[4] = third;
	/* Cross-signed, by an expired one and by a good one. */
	kind[5] = CERT(
	    factory, old_root, .cn = "Middle", .ca = true, .key_of = middle);
	kind[6] = CERT(
	    factory, third, .cn = "Test Root", .ca = true, .key_of = root);
	/* Renewed: the dates, the key, both in turn. */
	kind[7] = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true, .key_of = root);
	kind[8] = new_key;
	kind[9] = CERT(
	    factory, NULL, .cn = "Test Root", .ca = true, .key_of = new_key);
	kind[10] = CERT(factory, root, .cn = "Middle", .ca = true,
	    .key_of = middle, .not_before = -9 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);
	/* Leafs: self-signed, directly below a root, of an unknown CA. */
	kind[11] = CERT(factory, NULL, .cn = "self");
	kind[12] = factory_server(factory, root, "DNS:mx.example.org");
	kind[13] = factory_server(factory, new_key, "DNS:mx.example.org");
	/* Weak, and old. */
	kind[14] = CERT(factory, root, .cn = "Middle", .ca = true,
	    .key_of = middle, .digest = GNUTLS_DIG_SHA1);
	kind[15] = CERT(factory, NULL, .cn = "Third Root", .version_1 = true,
	    .key_of = third);
}

/* The same numbers on every machine. */
static size_t
next_random(unsigned long *state, size_t below)
{
	*state = (*state * 6364136223846793005UL + 1442695040888963407UL) &
	    0xffffffffffffffffUL;
	return (*state >> 33) % below;
}

/* Mostly a leaf, and that mostly the usual one. */
static size_t
first_of_chain(unsigned long *state)
{
	switch (next_random(state, 4)) {
	case 0:
		return next_random(state, KINDS);
	case 1:
		return 11 + next_random(state, 3);
	default:
		return 0;
	}
}

START_TEST(no_chain_is_judged_differently)
{
	const struct cert *kind[KINDS];
	const gnutls_datum_t *der[KINDS];
	struct stls_chain chain;
	unsigned long state = 20250501UL;
	size_t rounds = test_rounds(1500), good = 0, i, n;
	size_t which;

	make_kinds(kind);
	for (i = 0; i < KINDS; i++)
		der[i] = factory_der(factory, kind[i]);
	for (i = 0; i < rounds; i++) {
		teardown();
		setup();
		for (n = 1 + next_random(&state, 4); n > 0; n--) {
			which = next_random(&state, KINDS);
			trust_der(der[which]->data, der[which]->size);
		}
		chain.cert[0] = kind[first_of_chain(&state)]->crt;
		chain.count = 1 + next_random(&state, 5);
		for (n = 1; n < chain.count; n++)
			chain.cert[n] = kind[next_random(&state, KINDS)]->crt;
		good += both(&chain, NULL) == SMTPTLS_OK;
	}
	/* Both were seen, often. */
	ck_assert_uint_gt(good, rounds / 10);
	ck_assert_uint_lt(good, rounds - rounds / 10);
}
END_TEST

/* Every CA of the system as what a peer sends, alone and with the next one. */
START_TEST(no_ca_of_the_system_is_judged_differently)
{
	struct stls_certs certs = { 0 };
	struct stls_chain chain;
	struct stls_err err;
	struct stat st;
	size_t i, good = 0;

	if (stat(SYSTEM_FILE, &st) < 0 || st.st_size == 0)
		return;
	ck_assert_ok(stls_trust_load_file(&lazy, &err, SYSTEM_FILE));
	ck_assert_ok(stls_trust_load_file(&eager, &err, SYSTEM_FILE));
	ck_assert_ok(stls_store_copy(&lazy.store, &err, 0, &certs));
	ck_assert_uint_gt(certs.count, 0);
	for (i = 0; i < certs.count; i += test_step()) {
		chain.cert[0] = certs.crt[i];
		chain.count = 1;
		good += both(&chain, NULL) == SMTPTLS_OK;
		chain.cert[1] = certs.crt[(i + 1) % certs.count];
		chain.count = 2;
		both(&chain, NULL);
	}
	/* Nearly all are good anchors for themselves. */
	ck_assert_uint_gt(good, 0);
	stls_certs_done(&certs);
}
END_TEST

/* ---- threads ---- */

#define THREADS 4

static void *
judge_often(void *arg)
{
	const struct stls_chain *chain = arg;
	struct verdict verdict;
	size_t i, good = 0;

	for (i = 0; i < 20; i++) {
		judge(&verdict, &lazy, chain);
		good += verdict.code == SMTPTLS_OK && verdict.count == 3;
		verdict_done(&verdict);
	}
	return good == 20 ? arg : NULL;
}

START_TEST(threads_may_verify_at_once)
{
	struct stls_chain chain = { .cert = { leaf->crt, middle->crt },
		.count = 2 };
	pthread_t thread[THREADS];
	void *result;
	size_t i;

	trust(root);
	for (i = 0; i < THREADS; i++)
		ck_assert_ok(
		    pthread_create(&thread[i], NULL, judge_often, &chain));
	for (i = 0; i < THREADS; i++) {
		ck_assert_ok(pthread_join(thread[i], &result));
		ck_assert_ptr_eq(result, &chain);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("anchors");
	TCase *tc = tcase_create("anchors");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, only_those_that_are_named_are_parsed);
	tcase_add_test(
	    tc, an_intermediate_and_a_leaf_are_found_by_their_own_names);
	tcase_add_test(tc, a_leaf_in_the_store_is_found);
	tcase_add_test(tc, an_anchor_does_not_need_the_one_above_it);
	tcase_add_test(tc, a_name_in_another_encoding_is_another_name);
	tcase_add_test(tc, all_of_a_name_are_tried);
	tcase_add_test(tc, without_any_ca_nothing_is_verified);
	tcase_add_test(tc, a_broken_anchor_fails_those_who_need_it);
	tcase_add_test(tc, a_peer_that_names_many_makes_no_difference);
	tcase_add_test(tc, no_chain_is_judged_differently);
	tcase_add_test(tc, no_ca_of_the_system_is_judged_differently);
	tcase_add_test(tc, threads_may_verify_at_once);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
