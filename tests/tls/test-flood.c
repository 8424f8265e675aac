/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "ends.h"

/*
 * What a server can send behind the handshake that is no data. A little of it
 * is normal; each of it costs us work, so that it must have an end.
 */

static struct peer *peer;
static struct smtptls_session *session;

static void
teardown(void)
{
	smtptls_session_free(session);
	peer_free(peer);
	ends_teardown();
}

static void
connect_with(int version)
{
	peer = PEER(.priority = ends_versions[version],
	    .chain = { ends.server }, .ticket_key = &ends.ticket_key);
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
}

static void
send_ticket(void)
{
	ck_assert_int_ge(gnutls_session_ticket_send(peer->tls, 1, 0), 0);
}

static void
send_key_update(void)
{
	ck_assert_int_ge(gnutls_session_key_update(peer->tls, 0), 0);
}

static void
send_warning(void)
{
	ck_assert_int_ge(gnutls_alert_send(peer->tls, GNUTLS_AL_WARNING,
			     GNUTLS_A_NO_RENEGOTIATION),
	    0);
}

static void
send_nothing(void)
{
	/* Only with padding does GnuTLS send a record without data. */
	ck_assert_int_ge(gnutls_record_send2(peer->tls, "", 0, 1, 0), 0);
}

static const struct {
	void (*send)(void);
	int version;
	int normal; /* how much of it is fine */
	int flood;  /* how much is not */
	int limit;  /* of what is sent one by one */
} table[] = {
	{ send_ticket, 0, 20, 100, 34 },
	{ send_key_update, 0, 4, 100, 34 },
	{ send_warning, 1, 20, 100, 66 },
};

#define ROWS COUNT(table)

START_TEST(a_little_of_it_is_fine)
{
	char buf[8];
	size_t len;
	int i, round;

	connect_with(table[_i].version);
	/* Data in between starts the count anew. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < table[_i].normal; i++)
			table[_i].send();
		peer_write(peer, "x", 1);
		ck_assert_int_eq(
		    smtptls_session_read(session, buf, sizeof(buf), &len),
		    SMTPTLS_OK);
		ck_assert_uint_eq(len, 1);
	}
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
}
END_TEST

START_TEST(a_flood_of_it_is_not)
{
	char buf[8];
	size_t len;
	int i, r = SMTPTLS_AGAIN;

	connect_with(table[_i].version);
	for (i = 0; i < table[_i].flood && r == SMTPTLS_AGAIN; i++) {
		table[_i].send();
		r = smtptls_session_read(session, buf, sizeof(buf), &len);
	}
	ck_assert_int_eq(r, SMTPTLS_E_LIMIT);
	ck_assert_str_eq(smtptls_session_error(session),
	    "the server sent too many messages that are not data");
	ck_assert_int_le(i, table[_i].limit);
	ck_assert_int_eq(smtptls_session_is_verified(session), 0);
}
END_TEST

START_TEST(a_flood_that_comes_at_once_is_not)
{
	char buf[8];
	size_t len;
	int i;

	connect_with(table[_i].version);
	for (i = 0; i < table[_i].flood; i++)
		table[_i].send();
	peer_write(peer, "x", 1);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_E_LIMIT);
}
END_TEST

/* An empty record is neither data nor the end. */
START_TEST(an_empty_record_is_not_the_end)
{
	char buf[8];
	size_t len = 77;

	connect_with(0);
	send_nothing();
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	ck_assert_uint_eq(len, 77);
	send_nothing();
	peer_write(peer, "x", 1);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 1);
}
END_TEST

START_TEST(empty_records_without_end_are_refused)
{
	char buf[8];
	size_t len;
	int i, r = SMTPTLS_AGAIN;

	connect_with(0);
	for (i = 0; i < 1000 && r == SMTPTLS_AGAIN; i++) {
		send_nothing();
		r = smtptls_session_read(session, buf, sizeof(buf), &len);
	}
	ck_assert_int_eq(r, SMTPTLS_E_LIMIT);
}
END_TEST

START_TEST(renegotiation_is_refused)
{
	char buf[8];
	size_t len;

	connect_with(1);
	ck_assert_int_ge(gnutls_rehandshake(peer->tls), 0);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_E_TLS);
	ck_assert_str_eq(smtptls_session_error(session),
	    "the server asked to renegotiate, which is never done");
	ck_assert_int_eq(smtptls_session_is_verified(session), 0);
}
END_TEST

START_TEST(a_server_of_ours_refuses_renegotiation)
{
	struct smtptls_context *ours = peer_server_context(
	    ends.factory, ends.server, NULL);
	char buf[8];
	size_t len;

	peer = PEER(.priority = ends_versions[1], .is_client = true);
	session = peer_session(peer, ours, NULL);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(gnutls_handshake(peer->tls), GNUTLS_E_AGAIN);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_E_TLS);
	ck_assert_str_eq(smtptls_session_error(session),
	    "the client asked to renegotiate, which is never done");
	smtptls_context_free(ours);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("flood");
	TCase *tc = tcase_create("flood");

	tcase_add_checked_fixture(tc, ends_setup, teardown);
	tcase_add_loop_test(tc, a_little_of_it_is_fine, 0, ROWS);
	tcase_add_loop_test(tc, a_flood_of_it_is_not, 0, ROWS);
	tcase_add_loop_test(tc, a_flood_that_comes_at_once_is_not, 0, ROWS);
	tcase_add_test(tc, an_empty_record_is_not_the_end);
	tcase_add_test(tc, empty_records_without_end_are_refused);
	tcase_add_test(tc, renegotiation_is_refused);
	tcase_add_test(tc, a_server_of_ours_refuses_renegotiation);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
