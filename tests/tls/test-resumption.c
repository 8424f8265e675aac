/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "ends.h"
#include "freed.h"
#include "tls/session.h"

/*
 * GnuTLS says of a resumed session that its certificate is good, whatever it
 * was when the session was new. These tests are the server that counts on it.
 */

static void
teardown(void)
{
	clock_move(0);
	ends_teardown();
}

static struct peer *
server_with(int version, const struct cert *cert)
{
	return PEER(.priority = ends_versions[version], .chain = { cert },
	    .ticket_key = &ends.ticket_key);
}

/* Let a ticket that came behind the handshake arrive. */
static void
take_tickets(struct smtptls_session *session)
{
	char byte;
	size_t len;

	ck_assert_int_eq(
	    smtptls_session_read(session, &byte, 1, &len), SMTPTLS_AGAIN);
}

/* Connect once and save. */
static struct smtptls_resumption *
visit(int version, struct smtptls_context *with, const char *host,
    const struct cert *cert)
{
	struct peer *peer = server_with(version, cert);
	struct smtptls_session *session = peer_session(peer, with, host);
	struct smtptls_resumption *saved = NULL;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	take_tickets(session);
	ck_assert_msg(smtptls_session_save(session, &saved) == SMTPTLS_OK, "%s",
	    smtptls_session_error(session));
	smtptls_session_free(session);
	peer_free(peer);
	return saved;
}

/* Connect once and take what GnuTLS has, asking nobody. */
static gnutls_datum_t
steal(int version, struct smtptls_context *with, const char *host,
    const struct peer_spec *base)
{
	struct peer_spec spec = *base;
	struct peer *peer;
	struct smtptls_session *session;
	gnutls_datum_t data = { NULL, 0 };

	spec.priority = ends_versions[version];
	spec.ticket_key = &ends.ticket_key;
	peer = peer_new(&spec);
	session = peer_session(peer, with, host);
	ck_assert_msg(peer_handshake(peer, session) == SMTPTLS_OK, "%s",
	    smtptls_session_error(session));
	take_tickets(session);
	ck_assert_int_ge(gnutls_session_get_data2(session->tls, &data), 0);
	smtptls_session_free(session);
	peer_free(peer);
	return data;
}

/*
 * Force data into a session and shake hands with a server that has another
 * key and certificate: it can only come to an end by resuming. Returns what
 * the session answered; it must have been resumed.
 */
static int
force(int version, struct smtptls_context *with, const char *host,
    gnutls_datum_t *data, char sentence[512])
{
	const struct cert *stranger = CERT(
	    ends.factory, NULL, .names = "DNS:" ENDS_HOST);
	struct peer *peer = server_with(version, stranger);
	struct smtptls_session *session = peer_session(peer, with, host);
	int r;

	ck_assert_int_ge(
	    gnutls_session_set_data(session->tls, data->data, data->size), 0);
	gnutls_free(data->data);
	r = peer_handshake(peer, session);
	ck_assert_int_ne(gnutls_session_is_resumed(session->tls), 0);
	ck_assert_int_eq(smtptls_session_is_verified(session), r == SMTPTLS_OK);
	snprintf(sentence, 512, "%s", smtptls_session_error(session));
	smtptls_session_free(session);
	peer_free(peer);
	return r;
}

START_TEST(a_session_is_resumed_and_verified_again)
{
	struct smtptls_resumption *saved = visit(
	    _i, ends.context, ENDS_HOST, ends.server);
	const struct cert *stranger = CERT(
	    ends.factory, NULL, .cn = "stranger");
	struct peer *peer = server_with(_i, stranger);
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	struct smtptls_cert_info info;

	ck_assert_ok(smtptls_session_resume(session, saved));
	ck_assert_int_eq(smtptls_session_is_resumed(session), 0);
	ck_assert_msg(peer_handshake(peer, session) == SMTPTLS_OK, "%s",
	    smtptls_session_error(session));
	ck_assert_int_eq(smtptls_session_is_resumed(session), 1);
	ck_assert_int_ne(gnutls_session_is_resumed(peer->tls), 0);
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	/* It is the certificate of then. */
	ck_assert_ok(smtptls_session_get_peer_cert_info(session, 0, &info));
	ck_assert_str_eq(info.subject, "CN=server");
	smtptls_resumption_free(saved);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(a_resumed_session_can_be_saved_again)
{
	struct smtptls_resumption *first = visit(
	    _i, ends.context, ENDS_HOST, ends.server);
	struct smtptls_resumption *second = NULL;
	struct peer *peer = server_with(_i, ends.server);
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);

	ck_assert_ok(smtptls_session_resume(session, first));
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	take_tickets(session);
	ck_assert_msg(smtptls_session_save(session, &second) == SMTPTLS_OK,
	    "%s", smtptls_session_error(session));
	smtptls_session_free(session);
	peer_free(peer);

	peer = server_with(_i, ends.server);
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_ok(smtptls_session_resume(session, second));
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_is_resumed(session), 1);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_resumption_free(first);
	smtptls_resumption_free(second);
}
END_TEST

START_TEST(a_server_that_forgot_gets_a_full_handshake)
{
	struct smtptls_resumption *saved = visit(
	    _i, ends.context, ENDS_HOST, ends.server);
	gnutls_datum_t other_key;
	struct peer *peer;
	struct smtptls_session *session;

	ck_assert_int_ge(gnutls_session_ticket_key_generate(&other_key), 0);
	peer = PEER(.priority = ends_versions[_i], .chain = { ends.server },
	    .ticket_key = &other_key);
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_ok(smtptls_session_resume(session, saved));
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_is_resumed(session), 0);
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	smtptls_resumption_free(saved);
	smtptls_session_free(session);
	peer_free(peer);
	gnutls_free(other_key.data);
}
END_TEST

START_TEST(what_was_saved_is_for_its_context_and_host_alone)
{
	const struct cert *both = factory_server(
	    ends.factory, ends.ca, "DNS:" ENDS_HOST " DNS:other.example.org");
	struct smtptls_resumption *saved = visit(
	    _i, ends.context, ENDS_HOST, both);
	struct smtptls_context *twin = peer_client_context(
	    ends.factory, ends.ca);
	struct peer *peer = server_with(_i, both);
	struct smtptls_session *session = peer_session(
	    peer, ends.context, "other.example.org");

	ck_assert_int_eq(
	    smtptls_session_resume(session, saved), SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_session_error(session),
	    "what was saved is of another context or another host");
	/* The session is as it was, and not resumed. */
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_is_resumed(session), 0);
	smtptls_session_free(session);
	peer_free(peer);

	peer = server_with(_i, both);
	session = peer_session(peer, twin, ENDS_HOST);
	ck_assert_int_eq(
	    smtptls_session_resume(session, saved), SMTPTLS_E_INVALID);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_is_resumed(session), 0);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(twin);
	smtptls_resumption_free(saved);
}
END_TEST

START_TEST(only_a_verified_session_is_saved)
{
	struct smtptls_context *lax = peer_client_context(
	    ends.factory, ends.ca);
	struct smtptls_resumption *saved = NULL;
	struct smtptls_session *session;
	struct peer *peer;

	ck_assert_ok(smtptls_context_insecure_no_check_hostname(lax));
	peer = server_with(_i, ends.server);
	session = peer_session(peer, lax, ENDS_HOST);
	ck_assert_int_eq(
	    smtptls_session_save(session, &saved), SMTPTLS_E_STATE);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	take_tickets(session);
	ck_assert_int_eq(
	    smtptls_session_save(session, &saved), SMTPTLS_E_STATE);
	ck_assert_str_eq(
	    smtptls_session_error(session), "only a verified session is saved");
	ck_assert_ptr_null(saved);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(lax);
}
END_TEST

static unsigned char of_session[32];
static int freed_sessions;

static void
look_for_session(const void *block, size_t size)
{
	freed_sessions += memmem(block, size, of_session, sizeof(of_session)) !=
	    NULL;
}

START_TEST(what_was_saved_is_wiped)
{
	struct peer *peer = server_with(_i, ends.server);
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	struct smtptls_resumption *saved = NULL;
	gnutls_datum_t data = { NULL, 0 };

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	take_tickets(session);
	ck_assert_ok(smtptls_session_save(session, &saved));
	/* A part of it that is the same each time. */
	ck_assert_int_ge(gnutls_session_get_data2(session->tls, &data), 0);
	memcpy(of_session, data.data + data.size / 2, sizeof(of_session));
	freed_tell_all(look_for_session);
	smtptls_resumption_free(saved);
	ck_assert_int_eq(freed_sessions, 0);
	/* So that could have failed. */
	gnutls_free(data.data);
	freed_tell_all(NULL);
	ck_assert_int_eq(freed_sessions, 1);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(without_a_ticket_there_is_nothing_to_save)
{
	struct peer *peer = PEER(.priority = ends_versions[0],
	    .chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	struct smtptls_resumption *saved = NULL;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(
	    smtptls_session_save(session, &saved), SMTPTLS_E_UNSUPPORTED);
	ck_assert_ptr_null(saved);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* RFC 7627 section 5.4. */
START_TEST(a_session_without_extended_master_secret_is_not_saved)
{
	struct peer *peer =
	    PEER(.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH",
		.chain = { ends.server }, .ticket_key = &ends.ticket_key);
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	struct smtptls_resumption *saved = NULL;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(
	    smtptls_session_save(session, &saved), SMTPTLS_E_UNSUPPORTED);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(resuming_comes_before_the_handshake)
{
	struct smtptls_resumption *saved = visit(
	    _i, ends.context, ENDS_HOST, ends.server);
	struct peer *peer = server_with(_i, ends.server);
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);

	ck_assert_int_eq(
	    smtptls_session_resume(session, NULL), SMTPTLS_E_INVALID);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(
	    smtptls_session_resume(session, saved), SMTPTLS_E_STATE);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_resumption_free(saved);
	smtptls_resumption_free(NULL);
}
END_TEST

/* ---- what GnuTLS would let by ---- */

START_TEST(a_session_of_a_good_server_may_be_forced)
{
	gnutls_datum_t data = steal(_i, ends.context, ENDS_HOST,
	    &(struct peer_spec){ .chain = { ends.server } });
	char sentence[512];

	ck_assert_int_eq(
	    force(_i, ends.context, ENDS_HOST, &data, sentence), SMTPTLS_OK);
}
END_TEST

/* Addresses: of names GnuTLS's server looks whether the same one is sent. */
START_TEST(a_session_of_another_name_does_not_become_verified)
{
	const struct cert *other = factory_server(
	    ends.factory, ends.ca, "IP:192.0.2.2");
	gnutls_datum_t data = steal(_i, ends.context, "192.0.2.2",
	    &(struct peer_spec){ .chain = { other } });
	char sentence[512];

	ck_assert_int_eq(force(_i, ends.context, "192.0.2.1", &data, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(
	    sentence, "the certificate names 192.0.2.2, not 192.0.2.1");
}
END_TEST

START_TEST(a_session_of_another_trust_store_does_not_become_verified)
{
	const struct cert *other_ca = CERT(
	    ends.factory, NULL, .cn = "Other Root", .ca = true);
	const struct cert *other = factory_server(
	    ends.factory, other_ca, "DNS:" ENDS_HOST);
	struct smtptls_context *trusting = peer_client_context(
	    ends.factory, other_ca);
	gnutls_datum_t data = steal(
	    _i, trusting, ENDS_HOST, &(struct peer_spec){ .chain = { other } });
	char sentence[512];

	ck_assert_int_eq(force(_i, ends.context, ENDS_HOST, &data, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(sentence, "\"CN=Other Root\""));
	smtptls_context_free(trusting);
}
END_TEST

START_TEST(a_session_of_an_insecure_context_does_not_become_verified)
{
	const struct cert *self = CERT(
	    ends.factory, NULL, .names = "DNS:" ENDS_HOST);
	struct smtptls_context *lax = peer_client_context(
	    ends.factory, ends.ca);
	gnutls_datum_t data;
	char sentence[512];

	ck_assert_ok(smtptls_context_insecure_no_check_hostname(lax));
	ck_assert_ok(smtptls_context_insecure_no_verify(lax));
	data = steal(
	    _i, lax, ENDS_HOST, &(struct peer_spec){ .chain = { self } });
	ck_assert_int_eq(force(_i, ends.context, ENDS_HOST, &data, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(sentence,
	    "certificate of " ENDS_HOST
	    " is self-signed and not trusted itself");
	smtptls_context_free(lax);
}
END_TEST

START_TEST(a_session_of_a_lax_context_does_not_become_verified)
{
	const struct cert *old = CERT(ends.factory, ends.ca,
	    .names = "DNS:" ENDS_HOST, .eku = GNUTLS_KP_TLS_WWW_SERVER,
	    .no_authority_key_id = true);
	struct smtptls_context *lax = peer_client_context(
	    ends.factory, ends.ca);
	struct smtptls_resumption *saved;
	struct smtptls_session *session;
	struct peer *peer;
	gnutls_datum_t data;
	char sentence[512];

	ck_assert_ok(smtptls_context_insecure_allow_lax_profile(lax));
	data = steal(
	    _i, lax, ENDS_HOST, &(struct peer_spec){ .chain = { old } });
	ck_assert_int_eq(force(_i, ends.context, ENDS_HOST, &data, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(sentence,
	    "certificate of " ENDS_HOST " has no authority key identifier");
	/* It is resumed where it was, and the other is not even asked. */
	saved = visit(_i, lax, ENDS_HOST, old);
	peer = server_with(_i, old);
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(
	    smtptls_session_resume(session, saved), SMTPTLS_E_INVALID);
	smtptls_session_free(session);
	session = peer_session(peer, lax, ENDS_HOST);
	ck_assert_ok(smtptls_session_resume(session, saved));
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_is_resumed(session), 1);
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_resumption_free(saved);
	smtptls_context_free(lax);
}
END_TEST

START_TEST(a_certificate_that_expired_meanwhile_is_refused)
{
	const struct cert *brief = CERT(ends.factory, ends.ca,
	    .names = "DNS:" ENDS_HOST, .eku = GNUTLS_KP_TLS_WWW_SERVER,
	    .not_after = 600);
	struct smtptls_resumption *saved = visit(
	    _i, ends.context, ENDS_HOST, brief);
	struct peer *peer = server_with(_i, ends.server);
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	gnutls_datum_t data = steal(_i, ends.context, ENDS_HOST,
	    &(struct peer_spec){ .chain = { brief } });
	char sentence[512];

	clock_move(1200);
	/* Forced, it is refused; asked nicely, it is not even offered. */
	ck_assert_int_eq(force(_i, ends.context, ENDS_HOST, &data, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(
	    strstr(sentence, "certificate of " ENDS_HOST " expired on "));
	ck_assert_ok(smtptls_session_resume(session, saved));
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_is_resumed(session), 0);
	smtptls_resumption_free(saved);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(a_certificate_that_was_revoked_meanwhile_is_refused)
{
	gnutls_datum_t data = steal(_i, ends.context, ENDS_HOST,
	    &(struct peer_spec){ .chain = { ends.server } });
	struct smtptls_context *knowing = peer_client_context(
	    ends.factory, ends.ca);
	const char *pem = factory_crl(ends.factory, ends.ca,
	    &(struct crl_spec){ .revoked = { ends.server } });
	char sentence[512];

	ck_assert_ok(smtptls_context_load_crl_mem(knowing, pem, strlen(pem)));
	ck_assert_int_eq(force(_i, knowing, ENDS_HOST, &data, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(sentence, " was revoked on "));
	smtptls_context_free(knowing);
}
END_TEST

/* The staple of then is part of what is resumed. */
START_TEST(a_certificate_that_demands_a_staple_can_be_resumed)
{
	const struct cert *strict = CERT(ends.factory, ends.ca,
	    .names = "DNS:" ENDS_HOST, .eku = GNUTLS_KP_TLS_WWW_SERVER,
	    .must_staple = true);
	const gnutls_datum_t *staple = factory_ocsp(
	    ends.factory, ends.ca, strict, &(struct ocsp_spec){ .status = 0 });
	gnutls_datum_t data = steal(_i, ends.context, ENDS_HOST,
	    &(struct peer_spec){ .chain = { strict }, .staple = { staple } });
	char sentence[512];
	int r = force(_i, ends.context, ENDS_HOST, &data, sentence);

	ck_assert_msg(r == SMTPTLS_OK, "%s", sentence);
}
END_TEST

START_TEST(a_staple_that_expired_meanwhile_is_refused)
{
	const gnutls_datum_t *staple = factory_ocsp(ends.factory, ends.ca,
	    ends.server, &(struct ocsp_spec){ .next_update = 600 });
	gnutls_datum_t data = steal(_i, ends.context, ENDS_HOST,
	    &(struct peer_spec){
		.chain = { ends.server }, .staple = { staple } });
	char sentence[512];

	clock_move(1200);
	ck_assert_int_eq(force(_i, ends.context, ENDS_HOST, &data, sentence),
	    SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(sentence,
	    "OCSP response for certificate of " ENDS_HOST " has expired");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("resumption");
	TCase *tc = tcase_create("resumption");

	tcase_add_checked_fixture(tc, ends_setup, teardown);
	tcase_add_loop_test(tc, a_session_is_resumed_and_verified_again, 0, 2);
	tcase_add_loop_test(tc, a_resumed_session_can_be_saved_again, 0, 2);
	tcase_add_loop_test(
	    tc, a_server_that_forgot_gets_a_full_handshake, 0, 2);
	tcase_add_loop_test(
	    tc, what_was_saved_is_for_its_context_and_host_alone, 0, 2);
	tcase_add_loop_test(tc, only_a_verified_session_is_saved, 0, 2);
	tcase_add_loop_test(tc, what_was_saved_is_wiped, 0, 2);
	tcase_add_test(tc, without_a_ticket_there_is_nothing_to_save);
	tcase_add_test(
	    tc, a_session_without_extended_master_secret_is_not_saved);
	tcase_add_loop_test(tc, resuming_comes_before_the_handshake, 0, 2);
	tcase_add_loop_test(tc, a_session_of_a_good_server_may_be_forced, 0, 2);
	tcase_add_loop_test(
	    tc, a_session_of_another_name_does_not_become_verified, 0, 2);
	tcase_add_loop_test(tc,
	    a_session_of_another_trust_store_does_not_become_verified, 0, 2);
	tcase_add_loop_test(tc,
	    a_session_of_an_insecure_context_does_not_become_verified, 0, 2);
	tcase_add_loop_test(
	    tc, a_session_of_a_lax_context_does_not_become_verified, 0, 2);
	tcase_add_loop_test(
	    tc, a_certificate_that_expired_meanwhile_is_refused, 0, 2);
	tcase_add_loop_test(
	    tc, a_certificate_that_was_revoked_meanwhile_is_refused, 0, 2);
	tcase_add_loop_test(
	    tc, a_certificate_that_demands_a_staple_can_be_resumed, 0, 2);
	tcase_add_loop_test(
	    tc, a_staple_that_expired_meanwhile_is_refused, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
