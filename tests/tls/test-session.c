/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "factory.h"
#include "peer.h"

#define HOST "mail.example.org"

static struct factory *factory;
static const struct cert *ca, *server;
static struct smtptls_context *context;

static const char *const versions[] = {
	"NORMAL:-VERS-ALL:+VERS-TLS1.3",
	"NORMAL:-VERS-ALL:+VERS-TLS1.2",
};

static void
setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	server = factory_server(factory, ca, "DNS:" HOST);
	context = peer_client_context(factory, ca);
}

static void
teardown(void)
{
	smtptls_context_free(context);
	factory_free(factory);
}

START_TEST(a_client_talks_to_a_verified_server)
{
	struct peer *peer = PEER(.priority = versions[_i], .chain = { server });
	struct smtptls_session *session = peer_session(peer, context, HOST);
	char buf[16];
	size_t len;
	int r;

	ck_assert_int_eq(smtptls_session_is_verified(session), 0);
	ck_assert_int_eq(smtptls_session_version(session), SMTPTLS_TLS_NONE);
	r = peer_handshake(peer, session);
	ck_assert_msg(r == SMTPTLS_OK, "%s", smtptls_session_error(session));
	ck_assert_int_eq(peer->result, 0);
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	ck_assert_int_eq(smtptls_session_version(session),
	    _i == 0 ? SMTPTLS_TLS_1_3 : SMTPTLS_TLS_1_2);

	ck_assert_ok(smtptls_session_write(session, "EHLO\r\n", 6, &len));
	ck_assert_uint_eq(len, 6);
	peer_read(peer, buf, 6);
	ck_assert_mem_eq(buf, "EHLO\r\n", 6);
	peer_write(peer, "250 a\r\n", 7);
	ck_assert_ok(smtptls_session_read(session, buf, 3, &len));
	ck_assert_uint_eq(len, 3);
	ck_assert_uint_eq(smtptls_session_pending(session), 4);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_mem_eq(buf, " a\r\n", 4);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	ck_assert_int_eq(smtptls_session_events(session), POLLIN);

	ck_assert_int_ge(gnutls_bye(peer->tls, GNUTLS_SHUT_WR), 0);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_ok(smtptls_session_close(session));
	ck_assert_int_eq(gnutls_record_recv(peer->tls, buf, sizeof(buf)), 0);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(what_comes_right_behind_a_ticket_needs_no_second_look)
{
	gnutls_datum_t ticket_key;
	struct smtptls_session *session;
	struct peer *peer;
	char buf[16];
	size_t len;

	ck_assert_int_ge(gnutls_session_ticket_key_generate(&ticket_key), 0);
	peer = PEER(.priority = versions[_i], .chain = { server },
	    .ticket_key = &ticket_key);
	session = peer_session(peer, context, HOST);
	ck_assert_ok(peer_handshake(peer, session));
	/* The ticket of TLS 1.3 and this come by one recv(2). */
	peer_write(peer, "220 a\r\n", 7);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	smtptls_session_free(session);
	peer_free(peer);
	gnutls_free(ticket_key.data);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tc = tcase_create("session");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_client_talks_to_a_verified_server, 0, 2);
	tcase_add_loop_test(
	    tc, what_comes_right_behind_a_ticket_needs_no_second_look, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
