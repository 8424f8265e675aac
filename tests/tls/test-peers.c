/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include <smtptls/context.h>

#include "base/cleanup.h"
#include "factory.h"
#include "tls/context.h"

/*
 * What a context comes to with a TLS peer that is set up by hand: the
 * priorities only, nothing is verified here.
 */
static struct factory *factory;
static const struct cert *rsa, *ecdsa;
static const char *own_pem, *own_key;
static struct smtptls_context *context;
static gnutls_session_t ours, peer;
static gnutls_certificate_credentials_t peer_cert;
static gnutls_anon_server_credentials_t peer_anon;
static int fds[2];

/* As many turns as the longest handshake needs, twice. */
#define TURNS_MAX 64

/* Keys take a while: they are made once, before Check forks. */
static void
make_certificates(void)
{
	const struct cert *ca;

	factory = factory_new();
	ca = factory_ca(factory);
	ecdsa = CERT(factory, ca, .names = "DNS:mx.example.org");
	rsa = CERT(
	    factory, ca, .names = "DNS:mx.example.org", .rsa_bits = 2048);
	own_pem = factory_file(
	    factory, "own.pem", factory_pem(factory, rsa, NULL, NULL));
	own_key = factory_file(
	    factory, "own.key", factory_key_pem(factory, rsa));
}

static void
free_certificates(void)
{
	factory_free(factory);
}

static void
add_key(const struct cert *cert)
{
	gnutls_x509_crt_t crt = cert->crt;

	ck_assert_int_ge(
	    gnutls_certificate_set_x509_key(peer_cert, &crt, 1, cert->key), 0);
}

static void
setup(void)
{
	ck_assert_ok(gnutls_certificate_allocate_credentials(&peer_cert));
	add_key(ecdsa);
	add_key(rsa);
	gnutls_certificate_set_known_dh_params(
	    peer_cert, GNUTLS_SEC_PARAM_MEDIUM);
	ck_assert_ok(gnutls_anon_allocate_server_credentials(&peer_anon));
	ck_assert_ok(socketpair(
	    AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
	context = NULL;
	ours = peer = NULL;
}

static void
teardown(void)
{
	gnutls_deinit(ours);
	gnutls_deinit(peer);
	gnutls_certificate_free_credentials(peer_cert);
	gnutls_anon_free_server_credentials(peer_anon);
	smtptls_context_free(context);
	close(fds[0]);
	close(fds[1]);
}

static void
start_ours(unsigned int side)
{
	ck_assert_ok(gnutls_init(&ours, side | GNUTLS_NONBLOCK));
	ck_assert_ok(gnutls_priority_set(ours, context->priority));
	ck_assert_ok(gnutls_credentials_set(
	    ours, GNUTLS_CRD_CERTIFICATE, context->credentials.cert));
	gnutls_transport_set_int(ours, fds[0]);
}

static void
start_peer(unsigned int side, const char *priority)
{
	const char *where;

	ck_assert_ok(gnutls_init(&peer, side | GNUTLS_NONBLOCK));
	ck_assert_msg(gnutls_priority_set_direct(peer, priority, &where) == 0,
	    "%s", where);
	ck_assert_ok(
	    gnutls_credentials_set(peer, GNUTLS_CRD_CERTIFICATE, peer_cert));
	if (side == GNUTLS_SERVER)
		ck_assert_ok(
		    gnutls_credentials_set(peer, GNUTLS_CRD_ANON, peer_anon));
	gnutls_transport_set_int(peer, fds[1]);
}

/* 0, or the error that one of them ends with. */
static int
shake_hands(void)
{
	int a = GNUTLS_E_AGAIN, b = GNUTLS_E_AGAIN, turn;

	for (turn = 0; turn < TURNS_MAX && (a != 0 || b != 0); turn++) {
		if (a != 0)
			a = gnutls_handshake(ours);
		if (a < 0 && gnutls_error_is_fatal(a))
			return a;
		if (b != 0)
			b = gnutls_handshake(peer);
		if (b < 0 && gnutls_error_is_fatal(b))
			return b;
	}
	ck_assert_int_lt(turn, TURNS_MAX);
	return 0;
}

static void
own_certificate(void)
{
	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, own_pem, own_key, NULL, NULL));
}

#define ONLY(version) "NORMAL:-VERS-ALL:+VERS-" version

static const struct {
	const char *priority;
	gnutls_protocol_t version; /* 0: the handshake fails */
} peers[] = {
	{ ONLY("TLS1.3"), GNUTLS_TLS1_3 },
	{ ONLY("TLS1.2"), GNUTLS_TLS1_2 },
	{ ONLY("TLS1.2") ":-KX-ALL:+ECDHE-RSA", GNUTLS_TLS1_2 },
	{ ONLY("TLS1.2") ":-KX-ALL:+ECDHE-ECDSA", GNUTLS_TLS1_2 },
	{ ONLY("TLS1.2") ":-KX-ALL:+DHE-RSA", GNUTLS_TLS1_2 },
	{ ONLY("TLS1.2") ":-CIPHER-ALL:+CHACHA20-POLY1305", GNUTLS_TLS1_2 },
	{ ONLY("TLS1.3") ":-CIPHER-ALL:+AES-128-CCM", GNUTLS_TLS1_3 },
	{ ONLY("TLS1.3") ":-GROUP-ALL:+GROUP-X448", GNUTLS_TLS1_3 },
	{ ONLY("TLS1.3") ":-GROUP-ALL:+GROUP-FFDHE2048", GNUTLS_TLS1_3 },
	{ ONLY("TLS1.1"), 0 },
	{ ONLY("TLS1.0"), 0 },
	{ ONLY("TLS1.2") ":-KX-ALL:+RSA", 0 },
	{ ONLY("TLS1.2") ":-KX-ALL:+ANON-ECDH", 0 },
	{ ONLY("TLS1.2") ":-KX-ALL:+ANON-DH", 0 },
	{ ONLY("TLS1.2") ":-CIPHER-ALL:+ARCFOUR-128:+SHA1", 0 },
	{ ONLY("TLS1.2") ":-CIPHER-ALL:+3DES-CBC:+SHA1", 0 },
	{ ONLY("TLS1.2") ":-CIPHER-ALL:+AES-128-CBC:+SHA1", 0 },
	{ ONLY("TLS1.2") ":-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA256", 0 },
	{ ONLY("TLS1.2") ":-CIPHER-ALL:+AES-128-CCM-8", 0 },
	{ ONLY("TLS1.2") ":-CIPHER-ALL:+NULL:+SHA256", 0 },
	{ ONLY("TLS1.2") ":-SIGN-ALL:+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA1", 0 },
	{ ONLY("TLS1.3") ":-GROUP-ALL:+GROUP-SECP224R1:+GROUP-SECP192R1", 0 },
};

static void
assert_outcome(int r, gnutls_protocol_t version)
{
	if (version == 0) {
		ck_assert_int_lt(r, 0);
		return;
	}
	ck_assert_msg(r == 0, "%s", gnutls_strerror(r));
	ck_assert_int_eq(gnutls_protocol_get_version(ours), version);
}

START_TEST(a_client_shakes_hands_with_safe_servers_only)
{
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	start_ours(GNUTLS_CLIENT);
	start_peer(GNUTLS_SERVER, peers[_i].priority);
	assert_outcome(shake_hands(), peers[_i].version);
}
END_TEST

START_TEST(a_server_shakes_hands_with_safe_clients_only)
{
	gnutls_protocol_t version = peers[_i].version;

	ck_assert_ok(smtptls_context_new(SMTPTLS_CLIENT_AUTH, &context));
	own_certificate();
	start_ours(GNUTLS_SERVER);
	start_peer(GNUTLS_CLIENT, peers[_i].priority);
	/* It has an RSA certificate alone. */
	if (strstr(peers[_i].priority, "+ECDHE-ECDSA") != NULL)
		version = 0;
	assert_outcome(shake_hands(), version);
}
END_TEST

static const struct {
	enum smtptls_tls_version allowed;
	const char *priority;
	gnutls_protocol_t version;
} old_peers[] = {
	{ SMTPTLS_TLS_1_0, ONLY("TLS1.0"), GNUTLS_TLS1_0 },
	{ SMTPTLS_TLS_1_0, ONLY("TLS1.1"), GNUTLS_TLS1_1 },
	{ SMTPTLS_TLS_1_0, ONLY("TLS1.0") ":-KX-ALL:+RSA", GNUTLS_TLS1_0 },
	{ SMTPTLS_TLS_1_0, "NORMAL", GNUTLS_TLS1_3 },
	{ SMTPTLS_TLS_1_1, ONLY("TLS1.1"), GNUTLS_TLS1_1 },
	{ SMTPTLS_TLS_1_1, ONLY("TLS1.0"), 0 },
	{ SMTPTLS_TLS_1_0, ONLY("TLS1.0") ":-CIPHER-ALL:+ARCFOUR-128", 0 },
	{ SMTPTLS_TLS_1_0, ONLY("TLS1.0") ":-CIPHER-ALL:+3DES-CBC", 0 },
	{ SMTPTLS_TLS_1_0, ONLY("TLS1.0") ":-KX-ALL:+ANON-ECDH", 0 },
	{ SMTPTLS_TLS_1_0, ONLY("TLS1.0") ":-CIPHER-ALL:+NULL", 0 },
};

/* Some distributions have no TLS 1.0 and 1.1 any more. */
static bool
allow(enum smtptls_tls_version version)
{
	if (smtptls_context_insecure_allow_legacy(context, version) == 0)
		return true;
	ck_assert_ptr_nonnull(
	    strstr(smtptls_context_error(context), "has switched"));
	return false;
}

START_TEST(legacy_versions_are_spoken_where_they_are_allowed)
{
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	if (!allow(old_peers[_i].allowed))
		return;
	start_ours(GNUTLS_CLIENT);
	start_peer(GNUTLS_SERVER, old_peers[_i].priority);
	assert_outcome(shake_hands(), old_peers[_i].version);
}
END_TEST

START_TEST(a_server_may_allow_legacy_versions_too)
{
	ck_assert_ok(smtptls_context_new(SMTPTLS_CLIENT_AUTH, &context));
	own_certificate();
	if (!allow(old_peers[_i].allowed))
		return;
	start_ours(GNUTLS_SERVER);
	start_peer(GNUTLS_CLIENT, old_peers[_i].priority);
	assert_outcome(shake_hands(), old_peers[_i].version);
}
END_TEST

/* GnuTLS cannot be an SSL 3.0 server, so its answer is written by hand. */
START_TEST(an_answer_in_ssl_3_is_refused_even_with_legacy_versions)
{
	static const unsigned char hello[] = { 0x16, 3, 0, 0, 42, 2, 0, 0, 38,
		3, 0, [43] = 0, 0, 0x2f, 0 };
	unsigned char bytes[sizeof(hello)];
	int r;

	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	if (_i == 1 && !allow(SMTPTLS_TLS_1_0))
		return;
	start_ours(GNUTLS_CLIENT);
	ck_assert_int_eq(gnutls_handshake(ours), GNUTLS_E_AGAIN);
	memcpy(bytes, hello, sizeof(hello));
	ck_assert_int_eq(
	    write(fds[1], bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	r = gnutls_handshake(ours);
	ck_assert_int_eq(r, GNUTLS_E_UNSUPPORTED_VERSION_PACKET);
}
END_TEST

static const struct {
	const char *ciphers;
	const char *priority;
	gnutls_cipher_algorithm_t cipher; /* 0: the handshake fails */
} chosen[] = {
	{ "AES-256-GCM", "NORMAL", GNUTLS_CIPHER_AES_256_GCM },
	{ "CHACHA20-POLY1305", "NORMAL", GNUTLS_CIPHER_CHACHA20_POLY1305 },
	{ "CHACHA20-POLY1305", ONLY("TLS1.2"),
	    GNUTLS_CIPHER_CHACHA20_POLY1305 },
	{ "CHACHA20-POLY1305", "NORMAL:-CHACHA20-POLY1305", 0 },
	{ "TLS_AES_128_GCM_SHA256", ONLY("TLS1.3"), GNUTLS_CIPHER_AES_128_GCM },
	{ "TLS_AES_128_GCM_SHA256", ONLY("TLS1.2"), 0 },
	{ "!DHE-RSA", ONLY("TLS1.2") ":-KX-ALL:+DHE-RSA", 0 },
};

START_TEST(only_chosen_ciphers_are_used)
{
	int r;

	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	ck_assert_ok(smtptls_context_set_ciphers(context, chosen[_i].ciphers));
	start_ours(GNUTLS_CLIENT);
	start_peer(GNUTLS_SERVER, chosen[_i].priority);
	r = shake_hands();
	if (chosen[_i].cipher == 0) {
		ck_assert_int_lt(r, 0);
		return;
	}
	ck_assert_ok(r);
	ck_assert_int_eq(gnutls_cipher_get(ours), chosen[_i].cipher);
}
END_TEST

START_TEST(a_minimum_version_shuts_older_peers_out)
{
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	ck_assert_ok(
	    smtptls_context_set_minimum_version(context, SMTPTLS_TLS_1_3));
	start_ours(GNUTLS_CLIENT);
	start_peer(GNUTLS_SERVER, _i == 0 ? ONLY("TLS1.3") : ONLY("TLS1.2"));
	assert_outcome(shake_hands(), _i == 0 ? GNUTLS_TLS1_3 : 0);
}
END_TEST

START_TEST(a_maximum_version_is_not_passed)
{
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	ck_assert_ok(
	    smtptls_context_set_maximum_version(context, SMTPTLS_TLS_1_2));
	start_ours(GNUTLS_CLIENT);
	start_peer(GNUTLS_SERVER, _i == 0 ? "NORMAL" : ONLY("TLS1.3"));
	assert_outcome(shake_hands(), _i == 0 ? GNUTLS_TLS1_2 : 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("peers");
	TCase *tc = tcase_create("peers");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, a_client_shakes_hands_with_safe_servers_only, 0, COUNT(peers));
	tcase_add_loop_test(
	    tc, a_server_shakes_hands_with_safe_clients_only, 0, COUNT(peers));
	tcase_add_loop_test(tc,
	    legacy_versions_are_spoken_where_they_are_allowed, 0,
	    COUNT(old_peers));
	tcase_add_loop_test(
	    tc, a_server_may_allow_legacy_versions_too, 0, COUNT(old_peers));
	tcase_add_loop_test(
	    tc, an_answer_in_ssl_3_is_refused_even_with_legacy_versions, 0, 2);
	tcase_add_loop_test(tc, only_chosen_ciphers_are_used, 0, COUNT(chosen));
	tcase_add_loop_test(tc, a_minimum_version_shuts_older_peers_out, 0, 2);
	tcase_add_loop_test(tc, a_maximum_version_is_not_passed, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
