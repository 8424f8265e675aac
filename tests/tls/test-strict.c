/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "strict.h"
#include "tls/parts.h"
#include "tls/rules.h"

/*
 * The strict profile of certificates, in a handshake. Each case is a server
 * with one fault, and the same server without it.
 */
static int
shake_hands(const struct scene *scene, bool lax, char sentence[512])
{
	struct smtptls_context *context = peer_client_context(
	    scene->factory, scene->anchor);
	struct peer_spec spec = { .any_cert = true };
	struct smtptls_session *session;
	struct peer *peer;
	size_t i;
	int r;

	if (lax)
		ck_assert_ok(
		    smtptls_context_insecure_allow_lax_profile(context));
	for (i = 0; i < STRICT_CHAIN_MAX && scene->chain[i] != NULL; i++)
		spec.chain[i] = scene->chain[i];
	peer = peer_new(&spec);
	session = peer_session(peer, context, scene->host);
	r = peer_handshake(peer, session);
	snprintf(sentence, 512, "%s", smtptls_session_error(session));
	ck_assert_int_eq(smtptls_session_is_verified(session), r == SMTPTLS_OK);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(context);
	return r;
}

static void
check_accepted(const struct strict_case *one, bool good, bool lax)
{
	struct scene *scene = strict_scene_new(one, good);
	char sentence[512];
	int r = shake_hands(scene, lax, sentence);

	ck_assert_msg(r == SMTPTLS_OK, "%s: %d %s", one->name, r, sentence);
	ck_assert_str_eq(sentence, "");
	strict_scene_free(scene);
}

static void
check_refused(const struct strict_case *one, bool lax)
{
	struct scene *scene = strict_scene_new(one, false);
	char sentence[512];
	int r = shake_hands(scene, lax, sentence);

	ck_assert_msg(
	    r == SMTPTLS_E_CERTIFICATE, "%s: %d %s", one->name, r, sentence);
	/* With the lax profile it may be something else that is wrong. */
	ck_assert_msg(
	    lax || strncmp(sentence, one->sentence, strlen(one->sentence)) == 0,
	    "%s: %s", one->name, sentence);
	strict_scene_free(scene);
}

/* Where time is short, one with the lax profile for each one without. */
static bool
is_quick(void)
{
	return getenv("STLS_TEST_QUICK") != NULL;
}

/* GnuTLS 3.7 loses the names of kinds that it does not know. */
static bool
leaks_in_gnutls(const struct strict_case *one)
{
	return getenv("STLS_TEST_LEAKS") != NULL &&
	    strncmp(one->name, "other_name", 10) == 0;
}

START_TEST(what_has_no_fault_is_accepted)
{
	const struct strict_case *one = strict_case_at((size_t)_i);

	if (leaks_in_gnutls(one))
		return;
	if (!is_quick() || _i % 2 == 0)
		check_accepted(one, true, false);
	if (!is_quick() || _i % 2 == 1)
		check_accepted(one, true, true);
}
END_TEST

START_TEST(what_has_the_fault_is_refused_with_the_rule)
{
	const struct strict_case *one = strict_case_at((size_t)_i);

	if (leaks_in_gnutls(one))
		return;
	if ((one->flags & STRICT_FINE) != 0)
		check_accepted(one, false, false);
	else
		check_refused(one, false);
}
END_TEST

START_TEST(the_lax_profile_lets_faults_of_form_pass_alone)
{
	const struct strict_case *one = strict_case_at((size_t)_i);

	if (leaks_in_gnutls(one))
		return;
	if ((one->flags & (STRICT_FORM | STRICT_FINE)) != 0)
		check_accepted(one, false, true);
	else
		check_refused(one, true);
}
END_TEST

/*
 * GnuTLS holds the key usage against the key exchange, if nobody has told it
 * not to. That somebody may be a file of the system.
 */
START_TEST(the_use_of_a_key_is_looked_at_whatever_gnutls_does)
{
	struct factory *factory = factory_new();
	const struct cert *root = factory_ca(factory);
	const struct cert *leaf = CERT(factory, root, .cn = "server",
	    .key_usage = _i == 0 ? GNUTLS_KEY_DIGITAL_SIGNATURE
				 : GNUTLS_KEY_NON_REPUDIATION);
	struct stls_verify verify = { .purpose = SMTPTLS_SERVER_AUTH };
	struct stls_path path = { .cert = { leaf->crt, root->crt },
		.count = 2 };
	struct stls_err err;
	int r = stls_rules_check(&err, &verify, &path);

	ck_assert_int_eq(r, _i == 0 ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
	if (_i != 0)
		ck_assert_str_eq(stls_err_text(&err),
		    "server certificate \"CN=server\" has a key that is not "
		    "for TLS (its key usage does not have digitalSignature)");
	factory_free(factory);
}
END_TEST

/* Nothing was imported, so there is nothing to encode. */
START_TEST(a_certificate_that_cannot_be_encoded_is_no_lack_of_memory)
{
	struct stls_parts parts;
	gnutls_x509_crt_t crt;
	struct stls_err err;

	ck_assert_ok(gnutls_x509_crt_init(&crt));
	ck_assert_int_eq(
	    stls_parts_init(&parts, &err, crt), SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(
	    strstr(stls_err_text(&err), "it cannot be encoded: "));
	stls_parts_done(&parts);
	gnutls_x509_crt_deinit(crt);
}
END_TEST

START_TEST(a_certificate_that_cannot_be_encoded_is_named)
{
	static const char *const sentences[] = {
		"server certificate \"(no name)\": it cannot be encoded: ",
		"CA certificate \"(no name)\": it cannot be encoded: ",
	};
	struct factory *factory = factory_new();
	const struct cert *good = factory_ca(factory);
	struct stls_verify verify = { .purpose = SMTPTLS_SERVER_AUTH };
	struct stls_path path = { .cert = { good->crt, good->crt },
		.count = 2 };
	struct stls_err err;

	ck_assert_ok(gnutls_x509_crt_init(&path.cert[_i]));
	ck_assert_int_eq(
	    stls_rules_check(&err, &verify, &path), SMTPTLS_E_CERTIFICATE);
	ck_assert_msg(strncmp(stls_err_text(&err), sentences[_i],
			  strlen(sentences[_i])) == 0,
	    "%s", stls_err_text(&err));
	gnutls_x509_crt_deinit(path.cert[_i]);
	factory_free(factory);
}
END_TEST

/* A CA with two certificates for one key, and one of them is no good. */
START_TEST(a_malformed_path_beside_a_good_one_does_no_harm)
{
	struct factory *factory = factory_new();
	const struct cert *root = factory_ca(factory);
	const struct cert *middle = CERT(
	    factory, root, .cn = "Middle", .ca = true);
	const struct cert *bad[] = {
		CERT(factory, root, .cn = "Middle", .ca = true,
		    .key_of = middle, .no_subject_key_id = true),
		CERT(factory, root, .cn = "Middle", .ca = true,
		    .key_of = middle, .no_key_usage = true),
		CERT(factory, root, .cn = "Middle", .ca = true,
		    .key_of = middle, .permitted = "DNS:example.com"),
	};
	const struct cert *leaf = factory_server(
	    factory, middle, "DNS:" STRICT_HOST);
	struct scene scene = { .factory = factory,
		.anchor = root,
		.chain = { leaf, bad[_i], middle },
		.host = STRICT_HOST };
	char sentence[512];
	int r = shake_hands(&scene, false, sentence);

	ck_assert_msg(r == SMTPTLS_OK, "%s", sentence);
	scene.chain[2] = NULL;
	ck_assert_int_eq(
	    shake_hands(&scene, false, sentence), SMTPTLS_E_CERTIFICATE);
	factory_free(factory);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("strict");
	TCase *tc = tcase_create("strict");
	int last = (int)strict_case_count();

	tcase_add_loop_test(tc, what_has_no_fault_is_accepted, 0, last);
	tcase_add_loop_test(
	    tc, what_has_the_fault_is_refused_with_the_rule, 0, last);
	tcase_add_loop_test(
	    tc, the_lax_profile_lets_faults_of_form_pass_alone, 0, last);
	tcase_add_loop_test(
	    tc, the_use_of_a_key_is_looked_at_whatever_gnutls_does, 0, 2);
	tcase_add_test(
	    tc, a_certificate_that_cannot_be_encoded_is_no_lack_of_memory);
	tcase_add_loop_test(
	    tc, a_certificate_that_cannot_be_encoded_is_named, 0, 2);
	tcase_add_loop_test(
	    tc, a_malformed_path_beside_a_good_one_does_no_harm, 0, 3);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
