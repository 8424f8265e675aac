/* SPDX-License-Identifier: MIT */
/* When a peer that was found good before is found good without a look. */
#include "test.h"

#include <string.h>

#include "clock.h"
#include "factory.h"
#include "peer.h"
#include "tls/session.h"

#define HOST "mail.example.org"
#define OTHER "other.example.org"

static struct factory *factory;
static const struct cert *ca, *server;
static struct smtptls_context *context;

static void
setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	server = factory_server(factory, ca, "DNS:" HOST " DNS:" OTHER);
	context = peer_client_context(factory, ca);
}

static void
teardown(void)
{
	clock_move(0);
	smtptls_context_free(context);
	factory_free(factory);
}

/* A full handshake. @return what became of it */
static int
visit_with(struct smtptls_context *with, const char *host,
    const struct peer_spec *spec)
{
	struct peer *peer = peer_new(spec);
	struct smtptls_session *session = peer_session(peer, with, host);
	int r = peer_handshake(peer, session);

	ck_assert_int_eq(smtptls_session_is_verified(session), r == SMTPTLS_OK);
	smtptls_session_free(session);
	peer_free(peer);
	return r;
}

static int
visit(struct smtptls_context *with, const char *host, const struct cert *cert)
{
	return visit_with(with, host, &(struct peer_spec){ .chain = { cert } });
}

/* How often the context did not look, since it was asked last. */
static unsigned long
used(struct smtptls_context *by)
{
	unsigned long count = by->verdicts.used;

	by->verdicts.used = 0;
	return count;
}

START_TEST(same_peer_is_looked_at_once)
{
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_uint_eq(used(context), 0);
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_uint_eq(used(context), 2);
}
END_TEST

START_TEST(same_certificate_is_looked_at_for_each_name)
{
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_ok(visit(context, OTHER, server));
	ck_assert_int_eq(
	    visit(context, "third.example.org", server), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(used(context), 0);
	ck_assert_ok(visit(context, OTHER, server));
	ck_assert_uint_eq(used(context), 1);
}
END_TEST

START_TEST(same_peer_is_looked_at_by_each_context)
{
	const struct cert *other_ca = CERT(
	    factory, NULL, .cn = "Other Root", .ca = true);
	struct smtptls_context *other = peer_client_context(factory, other_ca);
	struct smtptls_context *twin = peer_client_context(factory, ca);

	ck_assert_ok(visit(context, HOST, server));
	ck_assert_int_eq(visit(other, HOST, server), SMTPTLS_E_CERTIFICATE);
	ck_assert_ok(visit(twin, HOST, server));
	ck_assert_uint_eq(used(other) + used(twin) + used(context), 0);
	smtptls_context_free(other);
	smtptls_context_free(twin);
}
END_TEST

/* What a lax one has found good is no news for a strict one. */
START_TEST(verdict_of_a_lax_context_is_its_own)
{
	const struct cert *old = CERT(factory, ca, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER, .no_authority_key_id = true);
	struct smtptls_context *lax = peer_client_context(factory, ca);

	ck_assert_ok(smtptls_context_insecure_allow_lax_profile(lax));
	ck_assert_ok(visit(lax, HOST, old));
	ck_assert_ok(visit(lax, HOST, old));
	ck_assert_uint_eq(used(lax), 1);
	ck_assert_int_eq(visit(context, HOST, old), SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(visit(context, HOST, old), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(used(context), 0);
	smtptls_context_free(lax);
}
END_TEST

START_TEST(other_certificate_is_looked_at)
{
	const struct cert *forged = CERT(factory, ca, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER, .key_of = server, .forged = true);
	const struct cert *renewed = CERT(factory, ca, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER, .key_of = server);

	ck_assert_ok(visit(context, HOST, server));
	ck_assert_int_eq(visit(context, HOST, forged), SMTPTLS_E_CERTIFICATE);
	ck_assert_ok(visit(context, HOST, renewed));
	ck_assert_uint_eq(used(context), 0);
}
END_TEST

/* The same certificates in another order, or one more, are others. */
START_TEST(other_chain_is_looked_at)
{
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_ok(visit_with(
	    context, HOST, &(struct peer_spec){ .chain = { server, ca } }));
	ck_assert_uint_eq(used(context), 0);
	ck_assert_ok(visit_with(
	    context, HOST, &(struct peer_spec){ .chain = { server, ca } }));
	ck_assert_uint_eq(used(context), 1);
}
END_TEST

START_TEST(other_staple_is_looked_at)
{
	const gnutls_datum_t *good = factory_ocsp(
	    factory, ca, server, &(struct ocsp_spec){ .status = 0 });
	const gnutls_datum_t *revoked = factory_ocsp(
	    factory, ca, server, &(struct ocsp_spec){ .status = 1 });
	struct peer_spec spec = { .chain = { server } };

	ck_assert_ok(visit_with(context, HOST, &spec));
	spec.staple[0] = revoked;
	ck_assert_int_eq(
	    visit_with(context, HOST, &spec), SMTPTLS_E_CERTIFICATE);
	spec.staple[0] = good;
	ck_assert_ok(visit_with(context, HOST, &spec));
	ck_assert_uint_eq(used(context), 0);
	ck_assert_ok(visit_with(context, HOST, &spec));
	ck_assert_uint_eq(used(context), 1);
	spec.staple[0] = revoked;
	ck_assert_int_eq(
	    visit_with(context, HOST, &spec), SMTPTLS_E_CERTIFICATE);
}
END_TEST

START_TEST(staple_that_has_expired_is_looked_at)
{
	struct peer_spec spec = { .chain = { server },
		.staple = { factory_ocsp(factory, ca, server,
		    &(struct ocsp_spec){ .next_update = 600 }) } };

	ck_assert_ok(visit_with(context, HOST, &spec));
	clock_move(500);
	ck_assert_ok(visit_with(context, HOST, &spec));
	ck_assert_uint_eq(used(context), 1);
	clock_move(700);
	ck_assert_int_eq(
	    visit_with(context, HOST, &spec), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(used(context), 0);
}
END_TEST

START_TEST(certificate_that_has_expired_is_looked_at)
{
	const struct cert *brief = CERT(factory, ca, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER, .not_after = 600);

	ck_assert_ok(visit(context, HOST, brief));
	clock_move(700);
	ck_assert_int_eq(visit(context, HOST, brief), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(used(context), 0);
}
END_TEST

/* What is good now need not have been good before. */
START_TEST(clock_that_was_set_back_is_a_reason_to_look)
{
	const struct cert *young = CERT(factory, ca, .names = "DNS:" HOST,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER, .not_before = -600);

	ck_assert_ok(visit(context, HOST, young));
	clock_move(-300);
	ck_assert_ok(visit(context, HOST, young));
	clock_move(-900);
	ck_assert_int_eq(visit(context, HOST, young), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(used(context), 0);
}
END_TEST

START_TEST(nothing_bad_is_remembered)
{
	const struct cert *stranger = CERT(factory, NULL, .names = "DNS:" HOST);

	ck_assert_int_eq(visit(context, HOST, stranger), SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(visit(context, HOST, stranger), SMTPTLS_E_CERTIFICATE);
	ck_assert_uint_eq(used(context), 0);
	ck_assert_uint_eq(context->verdicts.next, 0);
}
END_TEST

START_TEST(with_revocation_lists_nothing_is_remembered)
{
	const char *pem = factory_crl(factory, ca, &(struct crl_spec){ 0 });

	ck_assert_ok(smtptls_context_load_crl_mem(context, pem, strlen(pem)));
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_uint_eq(used(context), 0);
}
END_TEST

START_TEST(store_that_may_change_is_asked_each_time)
{
	context->trust.is_live = true;
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_uint_eq(used(context), 0);
}
END_TEST

START_TEST(store_of_the_system_may_change)
{
	struct smtptls_context *of_system = NULL;

	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &of_system));
	ck_assert(!of_system->trust.is_live);
	/* It may be empty here. */
	(void)smtptls_context_load_default_certs(of_system);
	ck_assert(of_system->trust.is_live);
	smtptls_context_free(of_system);
}
END_TEST

/* As in the child of a process that forked in a bad moment. */
START_TEST(nobody_waits_for_the_memory)
{
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_ok(pthread_mutex_lock(&context->verdicts.lock));
	ck_assert_ok(visit(context, HOST, server));
	ck_assert_ok(visit(context, OTHER, server));
	ck_assert_ok(pthread_mutex_unlock(&context->verdicts.lock));
	ck_assert_uint_eq(used(context), 0);
	ck_assert_uint_eq(context->verdicts.next, 1);
}
END_TEST

START_TEST(oldest_verdict_makes_room)
{
	unsigned char about[STLS_DIGEST_LEN] = { 0 };
	struct stls_verdicts verdicts;
	time_t until = 0;
	int i;

	ck_assert_ok(stls_verdicts_init(&verdicts));
	ck_assert(!stls_verdicts_find(&verdicts, about, 5, &until));
	for (i = 0; i <= STLS_VERDICTS_MAX; i++) {
		about[0] = (unsigned char)i;
		stls_verdicts_add(&verdicts, about, 10, 20 + i);
	}
	for (i = 0; i <= STLS_VERDICTS_MAX; i++) {
		about[0] = (unsigned char)i;
		ck_assert_int_eq(
		    stls_verdicts_find(&verdicts, about, 15, &until), i > 0);
		if (i > 0)
			ck_assert_int_eq(until, 20 + i);
	}
	/* From, and until. */
	ck_assert(stls_verdicts_find(&verdicts, about, 10, &until));
	ck_assert(!stls_verdicts_find(&verdicts, about, 9, &until));
	ck_assert(!stls_verdicts_find(&verdicts, about, until, &until));
	stls_verdicts_done(&verdicts);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verdicts");
	TCase *tc = tcase_create("verdicts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, same_peer_is_looked_at_once);
	tcase_add_test(tc, same_certificate_is_looked_at_for_each_name);
	tcase_add_test(tc, same_peer_is_looked_at_by_each_context);
	tcase_add_test(tc, verdict_of_a_lax_context_is_its_own);
	tcase_add_test(tc, other_certificate_is_looked_at);
	tcase_add_test(tc, other_chain_is_looked_at);
	tcase_add_test(tc, other_staple_is_looked_at);
	tcase_add_test(tc, staple_that_has_expired_is_looked_at);
	tcase_add_test(tc, certificate_that_has_expired_is_looked_at);
	tcase_add_test(tc, clock_that_was_set_back_is_a_reason_to_look);
	tcase_add_test(tc, nothing_bad_is_remembered);
	tcase_add_test(tc, with_revocation_lists_nothing_is_remembered);
	tcase_add_test(tc, store_that_may_change_is_asked_each_time);
	tcase_add_test(tc, store_of_the_system_may_change);
	tcase_add_test(tc, nobody_waits_for_the_memory);
	tcase_add_test(tc, oldest_verdict_makes_room);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
