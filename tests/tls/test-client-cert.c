/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <unistd.h>

#include "factory.h"
#include "peer.h"

#define HOST "mail.example.org"

static struct factory *factory;
static const struct cert *ca, *server, *user;
static struct smtptls_context *client_context, *server_context;
static struct smtptls_session *client, *serving;
static int fds[2];

static void
setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	server = factory_server(factory, ca, "DNS:" HOST);
	user = CERT(factory, ca, .cn = "user", .names = "EMAIL:u@example.org",
	    .eku = GNUTLS_KP_TLS_WWW_CLIENT);
	client_context = peer_client_context(factory, ca);
	server_context = peer_server_context(factory, server, NULL);
	fds[0] = fds[1] = -1;
}

static void
hang_up(void)
{
	smtptls_session_free(client);
	smtptls_session_free(serving);
	client = serving = NULL;
	if (fds[0] >= 0) {
		close(fds[0]);
		close(fds[1]);
	}
	fds[0] = fds[1] = -1;
}

static void
teardown(void)
{
	hang_up();
	smtptls_context_free(client_context);
	smtptls_context_free(server_context);
	factory_free(factory);
}

static void
ask_for_certificates(enum smtptls_verify_mode mode)
{
	const char *pem = factory_pem(factory, ca, NULL, NULL);

	ck_assert_ok(
	    smtptls_context_load_verify_mem(server_context, pem, strlen(pem)));
	ck_assert_ok(smtptls_context_set_verify_mode(server_context, mode));
}

static void
give_certificate(const struct cert *cert)
{
	ck_assert_ok(smtptls_context_load_cert_chain(client_context,
	    factory_file(
		factory, "user.pem", factory_pem(factory, cert, NULL, NULL)),
	    factory_file(factory, "user.key", factory_key_pem(factory, cert)),
	    NULL, NULL));
}

static void
only_version(int version)
{
	ck_assert_ok(smtptls_context_set_maximum_version(
	    client_context, version == 0 ? SMTPTLS_TLS_1_3 : SMTPTLS_TLS_1_2));
}

static int
shake_hands(void)
{
	ck_assert_ok(smtptls_session_new(client_context, HOST, &client));
	ck_assert_ok(smtptls_session_new(server_context, NULL, &serving));
	return peer_pair(client, serving, fds);
}

/* Which modes ask, and what comes of it. */
static const struct {
	enum smtptls_verify_mode mode;
	bool has_certificate;
	int code; /* of the server */
	int sent, verified;
} modes[] = {
	{ SMTPTLS_CERT_NONE, false, SMTPTLS_OK, 0, 0 },
	{ SMTPTLS_CERT_NONE, true, SMTPTLS_OK, 0, 0 },
	{ SMTPTLS_CERT_OPTIONAL, false, SMTPTLS_OK, 0, 0 },
	{ SMTPTLS_CERT_OPTIONAL, true, SMTPTLS_OK, 1, 1 },
	{ SMTPTLS_CERT_REQUIRED, false, SMTPTLS_E_CERTIFICATE, 0, 0 },
	{ SMTPTLS_CERT_REQUIRED, true, SMTPTLS_OK, 1, 1 },
};

#define MODES COUNT(modes)

START_TEST(a_server_asks_as_its_context_says)
{
	size_t row = (size_t)_i / 2;
	struct smtptls_cert_info info;
	int r;

	only_version(_i % 2);
	ask_for_certificates(modes[row].mode);
	if (modes[row].has_certificate)
		give_certificate(user);
	r = shake_hands();
	if (modes[row].code != SMTPTLS_OK) {
		ck_assert_int_lt(r, 0);
		ck_assert_int_eq(
		    smtptls_session_handshake(serving), modes[row].code);
		ck_assert_str_eq(smtptls_session_error(serving),
		    "the client sent no certificate");
	} else {
		ck_assert_msg(r == SMTPTLS_OK, "%s, %s",
		    smtptls_session_error(client),
		    smtptls_session_error(serving));
		ck_assert_int_eq(smtptls_session_is_verified(client), 1);
	}
	ck_assert_int_eq(
	    smtptls_session_sent_certificate(client), modes[row].sent);
	ck_assert_int_eq(smtptls_session_sent_certificate(serving), 0);
	ck_assert_int_eq(
	    smtptls_session_is_verified(serving), modes[row].verified);
	if (modes[row].verified) {
		ck_assert_ok(
		    smtptls_session_get_peer_cert_info(serving, 0, &info));
		ck_assert_str_eq(info.subject, "CN=user");
		ck_assert_str_eq(info.names, "email:u@example.org");
	}
}
END_TEST

/* What is wrong with a certificate is the same for clients. */
static const struct {
	const char *eku;
	long not_after;
	bool stranger;
	const char *sentence;
} bad[] = {
	{ GNUTLS_KP_TLS_WWW_SERVER, 0, false,
	    "client certificate \"CN=bad\" is not for TLS clients (its "
	    "extended "
	    "key usage does not have clientAuth)" },
	{ GNUTLS_KP_TLS_WWW_CLIENT, 0, true,
	    "client certificate \"CN=bad\" is issued by \"CN=Stranger\", which "
	    "is not known: a CA that is not trusted, or an intermediate "
	    "certificate is missing" },
	{ GNUTLS_KP_TLS_WWW_CLIENT, -FACTORY_DAY, false,
	    "client certificate \"CN=bad\" expired on " },
};

START_TEST(a_bad_certificate_of_a_client_is_refused)
{
	size_t row = (size_t)_i / 2;
	const struct cert *issuer = bad[row].stranger
	    ? CERT(factory, NULL, .cn = "Stranger", .ca = true)
	    : ca;
	char buf[8];
	size_t len;
	int r;

	only_version(_i % 2);
	/* Optional is no excuse for a bad one. */
	ask_for_certificates(SMTPTLS_CERT_OPTIONAL);
	give_certificate(CERT(factory, issuer, .cn = "bad", .eku = bad[row].eku,
	    .not_after = bad[row].not_after));
	r = shake_hands();
	ck_assert_int_eq(r, SMTPTLS_E_CERTIFICATE);
	ck_assert_msg(strncmp(smtptls_session_error(serving), bad[row].sentence,
			  strlen(bad[row].sentence)) == 0,
	    "%s", smtptls_session_error(serving));
	ck_assert_int_eq(smtptls_session_is_verified(serving), 0);
	/* And the client is told. */
	r = smtptls_session_handshake(client);
	if (r == SMTPTLS_OK)
		r = smtptls_session_read(client, buf, sizeof(buf), &len);
	ck_assert_int_eq(r, SMTPTLS_E_TLS);
	ck_assert_str_eq(smtptls_session_error(client),
	    "the server refused our certificate (alert bad_certificate)");
}
END_TEST

START_TEST(a_server_without_cas_verifies_no_client)
{
	ck_assert_ok(smtptls_context_set_verify_mode(
	    server_context, SMTPTLS_CERT_REQUIRED));
	give_certificate(user);
	ck_assert_int_eq(shake_hands(), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(smtptls_session_error(serving),
	    "no certificate can be verified: no CA was loaded");
}
END_TEST

/* TLS 1.3 sends tickets behind the handshake. */
static void
take_tickets(void)
{
	char byte;
	size_t len;

	ck_assert_int_eq(
	    smtptls_session_read(client, &byte, 1, &len), SMTPTLS_AGAIN);
}

START_TEST(a_resumed_session_is_that_of_the_same_client)
{
	struct smtptls_resumption *saved = NULL;
	struct smtptls_cert_info info;
	int i;

	only_version(_i);
	ask_for_certificates(SMTPTLS_CERT_REQUIRED);
	give_certificate(user);
	ck_assert_int_eq(shake_hands(), SMTPTLS_OK);
	take_tickets();
	ck_assert_ok(smtptls_session_save(client, &saved));
	/* What a server has is not to be saved. */
	ck_assert_int_eq(
	    smtptls_session_save(serving, &saved), SMTPTLS_E_UNSUPPORTED);
	hang_up();

	ck_assert_ok(smtptls_session_new(client_context, HOST, &client));
	ck_assert_ok(smtptls_session_new(server_context, NULL, &serving));
	ck_assert_ok(smtptls_session_resume(client, saved));
	i = peer_pair(client, serving, fds);
	ck_assert_int_eq(i, SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_is_resumed(client), 1);
	ck_assert_int_eq(smtptls_session_is_resumed(serving), 1);
	ck_assert_int_eq(smtptls_session_is_verified(client), 1);
	ck_assert_int_eq(smtptls_session_is_verified(serving), 1);
	ck_assert_int_eq(smtptls_session_sent_certificate(client), 1);
	ck_assert_ok(smtptls_session_get_peer_cert_info(serving, 0, &info));
	ck_assert_str_eq(info.subject, "CN=user");
	smtptls_resumption_free(saved);
}
END_TEST

/* A certificate of another CA than those the server names is sent as well. */
START_TEST(any_server_that_asks_gets_the_certificate)
{
	const struct cert *other = CERT(
	    factory, NULL, .cn = "self", .eku = GNUTLS_KP_TLS_WWW_CLIENT);
	struct peer *peer;
	unsigned int count = 0;

	give_certificate(other);
	peer = PEER(.chain = { server }, .asks_for_cert = _i == 0);
	client = peer_session(peer, client_context, HOST);
	ck_assert_int_eq(peer_handshake(peer, client), SMTPTLS_OK);
	ck_assert_int_eq(
	    smtptls_session_sent_certificate(client), _i == 0 ? 1 : 0);
	if (_i == 0)
		ck_assert_ptr_nonnull(
		    gnutls_certificate_get_peers(peer->tls, &count));
	ck_assert_uint_eq(count, _i == 0 ? 1 : 0);
	peer_free(peer);
}
END_TEST

/* Only a server that is verified learns who the client is. */
START_TEST(a_server_that_is_refused_gets_no_certificate)
{
	static const char *const versions[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.3",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2",
	};
	const struct cert *evil = CERT(factory, NULL, .names = "DNS:" HOST);
	struct peer *peer = PEER(.priority = versions[_i], .chain = { evil },
	    .asks_for_cert = true);
	unsigned int count = 0;

	give_certificate(user);
	client = peer_session(peer, client_context, HOST);
	ck_assert_int_eq(peer_handshake(peer, client), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(smtptls_session_error(client),
	    "certificate of " HOST " is self-signed and not trusted itself");
	ck_assert_int_eq(smtptls_session_is_verified(client), 0);
	ck_assert_int_eq(peer->result, GNUTLS_E_FATAL_ALERT_RECEIVED);
	ck_assert_int_eq(gnutls_alert_get(peer->tls), GNUTLS_A_BAD_CERTIFICATE);
	ck_assert_ptr_null(gnutls_certificate_get_peers(peer->tls, &count));
	peer_free(peer);
}
END_TEST

START_TEST(asked_without_having_one_nothing_was_sent)
{
	struct peer *peer = PEER(.chain = { server }, .asks_for_cert = true);

	client = peer_session(peer, client_context, HOST);
	ck_assert_int_eq(peer_handshake(peer, client), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_sent_certificate(client), 0);
	peer_free(peer);
}
END_TEST

/* The profile is one for both ends, and so is the way back. */
START_TEST(a_malformed_certificate_of_a_client_is_refused)
{
	const struct cert *old = CERT(factory, ca, .cn = "old",
	    .eku = GNUTLS_KP_TLS_WWW_CLIENT, .no_authority_key_id = true);
	bool is_lax = _i % 2 != 0;
	int r;

	only_version(_i / 2);
	ask_for_certificates(SMTPTLS_CERT_REQUIRED);
	if (is_lax)
		ck_assert_ok(
		    smtptls_context_insecure_allow_lax_profile(server_context));
	give_certificate(old);
	shake_hands();
	r = smtptls_session_handshake(serving);
	ck_assert_int_eq(r, is_lax ? SMTPTLS_OK : SMTPTLS_E_CERTIFICATE);
	ck_assert_int_eq(smtptls_session_is_verified(serving), is_lax);
	ck_assert_str_eq(smtptls_session_error(serving),
	    is_lax ? ""
		   : "client certificate \"CN=old\" has no authority key "
		     "identifier");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client-cert");
	TCase *tc = tcase_create("client-cert");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, a_server_asks_as_its_context_says, 0, 2 * MODES);
	tcase_add_loop_test(tc, a_bad_certificate_of_a_client_is_refused, 0, 6);
	tcase_add_test(tc, a_server_without_cas_verifies_no_client);
	tcase_add_loop_test(
	    tc, a_resumed_session_is_that_of_the_same_client, 0, 2);
	tcase_add_loop_test(
	    tc, any_server_that_asks_gets_the_certificate, 0, 2);
	tcase_add_loop_test(
	    tc, a_server_that_is_refused_gets_no_certificate, 0, 2);
	tcase_add_test(tc, asked_without_having_one_nothing_was_sent);
	tcase_add_loop_test(
	    tc, a_malformed_certificate_of_a_client_is_refused, 0, 4);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
