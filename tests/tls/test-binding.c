/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include <gnutls/crypto.h>

#include "ends.h"

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
connect_to(const char *priority)
{
	peer = PEER(.priority = priority, .chain = { ends.server });
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
}

#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

/* Which binding there is with which session. */
static const struct {
	const char *priority;
	const char *type;
	gnutls_channel_binding_t number;
	size_t len; /* 0: not with this session */
} table[] = {
	{ TLS13, "tls-exporter", GNUTLS_CB_TLS_EXPORTER, 32 },
	{ TLS13, "tls-server-end-point", GNUTLS_CB_TLS_SERVER_END_POINT, 32 },
	{ TLS13, "tls-unique", GNUTLS_CB_TLS_UNIQUE, 0 },
	{ TLS12, "tls-exporter", GNUTLS_CB_TLS_EXPORTER, 32 },
	{ TLS12, "tls-unique", GNUTLS_CB_TLS_UNIQUE, 12 },
	{ TLS12, "tls-server-end-point", GNUTLS_CB_TLS_SERVER_END_POINT, 32 },
	{ TLS12 ":%NO_SESSION_HASH", "tls-exporter", GNUTLS_CB_TLS_EXPORTER,
	    0 },
	/* GnuTLS gives this one: RFC 7627 says why we do not. */
	{ TLS12 ":%NO_SESSION_HASH", "tls-unique", GNUTLS_CB_TLS_UNIQUE, 0 },
	{ TLS12 ":%NO_SESSION_HASH", "tls-server-end-point",
	    GNUTLS_CB_TLS_SERVER_END_POINT, 32 },
};

START_TEST(both_ends_have_the_same_binding)
{
	unsigned char ours[64];
	size_t len = 0;
	gnutls_datum_t theirs = { NULL, 0 };
	int r;

	connect_to(table[_i].priority);
	r = smtptls_session_get_channel_binding(
	    session, table[_i].type, ours, sizeof(ours), &len);
	if (table[_i].len == 0) {
		ck_assert_int_eq(r, SMTPTLS_E_UNSUPPORTED);
		ck_assert_ptr_nonnull(
		    strstr(smtptls_session_error(session), table[_i].type));
		return;
	}
	ck_assert_int_eq(r, SMTPTLS_OK);
	ck_assert_uint_eq(len, table[_i].len);
	ck_assert_int_ge(gnutls_session_channel_binding(
			     peer->tls, table[_i].number, &theirs),
	    0);
	ck_assert_uint_eq(theirs.size, len);
	ck_assert_mem_eq(theirs.data, ours, len);
	gnutls_free(theirs.data);
}
END_TEST

START_TEST(the_end_point_is_the_hash_of_the_certificate)
{
	const gnutls_datum_t *der = factory_der(ends.factory, ends.server);
	unsigned char ours[64], hash[32];
	size_t len = 0;

	connect_to(TLS13);
	ck_assert_ok(smtptls_session_get_channel_binding(
	    session, "tls-server-end-point", ours, sizeof(ours), &len));
	ck_assert_int_ge(
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->size, hash), 0);
	ck_assert_uint_eq(len, 32);
	ck_assert_mem_eq(ours, hash, 32);
}
END_TEST

START_TEST(two_sessions_have_two_exporter_values)
{
	unsigned char first[64], second[64];
	size_t len;

	connect_to(TLS13);
	ck_assert_ok(smtptls_session_get_channel_binding(
	    session, "tls-exporter", first, sizeof(first), &len));
	smtptls_session_free(session);
	peer_free(peer);
	connect_to(TLS13);
	ck_assert_ok(smtptls_session_get_channel_binding(
	    session, "tls-exporter", second, sizeof(second), &len));
	ck_assert_mem_ne(first, second, len);
}
END_TEST

START_TEST(a_binding_needs_a_handshake_a_known_name_and_place)
{
	unsigned char out[64];
	size_t len = 77;

	peer = PEER(.chain = { ends.server });
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(smtptls_session_get_channel_binding(
			     session, "tls-exporter", out, sizeof(out), &len),
	    SMTPTLS_E_STATE);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_get_channel_binding(
			     session, "tls-best", out, sizeof(out), &len),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_session_get_channel_binding(
			     session, "tls-exporter", out, 31, &len),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_session_get_channel_binding(
			     session, NULL, out, sizeof(out), &len),
	    SMTPTLS_E_INVALID);
	ck_assert_uint_eq(len, 77);
	ck_assert_ok(smtptls_session_get_channel_binding(
	    session, "tls-exporter", out, 32, &len));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("binding");
	TCase *tc = tcase_create("binding");

	tcase_add_checked_fixture(tc, ends_setup, teardown);
	tcase_add_loop_test(
	    tc, both_ends_have_the_same_binding, 0, COUNT(table));
	tcase_add_test(tc, the_end_point_is_the_hash_of_the_certificate);
	tcase_add_test(tc, two_sessions_have_two_exporter_values);
	tcase_add_test(tc, a_binding_needs_a_handshake_a_known_name_and_place);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
