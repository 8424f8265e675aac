/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "factory.h"
#include "peer.h"
#include "tls/context.h"

#define HOST "mail.example.org"

static struct factory *factory;
static const struct cert *ca, *server;
static struct smtptls_context *context;

static void
setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	server = CERT(factory, ca, .names = "DNS:" HOST, .rsa_bits = 2048,
	    .eku = GNUTLS_KP_TLS_WWW_SERVER);
	context = peer_client_context(factory, ca);
}

static void
teardown(void)
{
	smtptls_context_free(context);
	factory_free(factory);
}

/* ---- peers that are none ---- */

/* The head of a ServerHello without extensions, with a version and a suite. */
#define HELLO(version, suite)                                                  \
	"\x16\x03" version "\x00\x2a\x02\x00\x00\x26\x03" version              \
	"0123456789abcdef0123456789abcdef"                                     \
	"\x00" suite "\x00"
#define HELLO_LEN 47

#define ALERT(number) "\x15\x03\x03\x00\x02\x02" number
#define ALERT_LEN 7

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *data; /* all that the peer sends; then it closes */
	size_t len;
	int code;
	const char *sentence;
} fakes[] = {
	{ TEXT("220 mail.example.org ESMTP Postfix\r\n"), SMTPTLS_E_TLS,
	    "the server does not speak TLS on this port (it answered \"220 "
	    "mail.example.org ESMTP Postfix\"; is it a STARTTLS port?)" },
	{ TEXT("220-mail.example.org\r\n220 ESMTP\r\n"), SMTPTLS_E_TLS,
	    "the server does not speak TLS on this port (it answered "
	    "\"220-mail.example.org\"; is it a STARTTLS port?)" },
	{ TEXT("HTTP/1.1 400 Bad Request\r\n\r\n"), SMTPTLS_E_TLS,
	    "the server does not speak TLS on this port (it answered "
	    "\"HTTP/1.1 400 Bad Request\")" },
	{ TEXT("\x1b[2Jhi"), SMTPTLS_E_TLS,
	    "the server does not speak TLS on this port (it answered "
	    "\"\\x1b[2Jhi\")" },
	{ TEXT("5"), SMTPTLS_E_TLS,
	    "the server does not speak TLS on this port (it answered \"5\")" },
	{ TEXT(""), SMTPTLS_E_IO,
	    "the server closed the connection during the TLS handshake" },
	{ TEXT("\x16"), SMTPTLS_E_IO,
	    "the server closed the connection during the TLS handshake" },
	{ HELLO("\x00", "\x00\x05"), HELLO_LEN, SMTPTLS_E_TLS,
	    "the server offers no TLS version above SSLv3 (allowed are "
	    "TLSv1.2 and later)" },
	{ HELLO("\x01", "\xc0\x13"), HELLO_LEN, SMTPTLS_E_TLS,
	    "the server offers no TLS version above TLSv1.0 (allowed are "
	    "TLSv1.2 and later)" },
	{ HELLO("\x02", "\xc0\x13"), HELLO_LEN, SMTPTLS_E_TLS,
	    "the server offers no TLS version above TLSv1.1 (allowed are "
	    "TLSv1.2 and later)" },
	/* RC4 and an anonymous suite, which nobody offered. */
	{ HELLO("\x03", "\x00\x05"), HELLO_LEN, SMTPTLS_E_TLS,
	    "the server has no cipher suite in common with what is allowed "
	    "here (no RC4, no 3DES, nothing anonymous)" },
	{ HELLO("\x03", "\x00\xa6"), HELLO_LEN, SMTPTLS_E_TLS,
	    "the server has no cipher suite in common with what is allowed "
	    "here (no RC4, no 3DES, nothing anonymous)" },
	{ ALERT("\x46"), ALERT_LEN, SMTPTLS_E_TLS,
	    "the server speaks no version of TLS that is allowed here "
	    "(TLSv1.2 and later)" },
	{ ALERT("\x28"), ALERT_LEN, SMTPTLS_E_TLS,
	    "the server accepts none of the TLS versions, cipher suites, "
	    "groups or signatures that are allowed here (alert "
	    "handshake_failure)" },
	{ ALERT("\x47"), ALERT_LEN, SMTPTLS_E_TLS,
	    "the server accepts none of the TLS versions, cipher suites, "
	    "groups or signatures that are allowed here (alert "
	    "insufficient_security)" },
	{ ALERT("\x2a"), ALERT_LEN, SMTPTLS_E_TLS,
	    "the server refused our certificate (alert bad_certificate)" },
	{ ALERT("\x74"), ALERT_LEN, SMTPTLS_E_TLS,
	    "the server wants a client certificate (alert "
	    "certificate_required)" },
	{ ALERT("\x70"), ALERT_LEN, SMTPTLS_E_TLS,
	    "the server ended the TLS session with the alert "
	    "unrecognized_name" },
	{ ALERT("\xee"), ALERT_LEN, SMTPTLS_E_TLS,
	    "the server ended the TLS session with the alert 238" },
	{ TEXT("\x16\x03\x03\xff\xff\x02"), SMTPTLS_E_LIMIT,
	    "the server sent a record that is too large" },
};

START_TEST(a_peer_that_is_none_is_told_for_what_it_is)
{
	struct smtptls_session *session = NULL;
	char rest[4096];
	int fds[2], r, i;
	ssize_t n;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(write(fds[1], fakes[_i].data, fakes[_i].len),
	    (ssize_t)fakes[_i].len);
	shutdown(fds[1], SHUT_WR);
	ck_assert_ok(smtptls_session_new(context, HOST, &session));
	ck_assert_ok(smtptls_session_set_fd(session, fds[0]));
	r = smtptls_session_handshake(session);
	ck_assert_str_eq(smtptls_session_error(session), fakes[_i].sentence);
	ck_assert_int_eq(r, fakes[_i].code);
	smtptls_session_free(session);
	close(fds[0]);
	/* Who speaks no TLS gets nothing but the ClientHello. */
	n = recv(fds[1], rest, sizeof(rest), MSG_WAITALL);
	ck_assert_int_gt(n, 5);
	i = 5 + ((unsigned char)rest[3] << 8 | (unsigned char)rest[4]);
	if (fakes[_i].len > 0 && (fakes[_i].data[0] & 0x60) != 0)
		ck_assert_int_eq(n, i);
	close(fds[1]);
}
END_TEST

START_TEST(a_client_that_speaks_no_tls_is_told_for_what_it_is)
{
	struct smtptls_context *ours = peer_server_context(
	    factory, server, NULL);
	struct smtptls_session *session = NULL;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(write(fds[1], "EHLO a\r\n", 8), 8);
	shutdown(fds[1], SHUT_WR);
	ck_assert_ok(smtptls_session_new(ours, NULL, &session));
	ck_assert_ok(smtptls_session_set_fd(session, fds[0]));
	ck_assert_int_eq(smtptls_session_handshake(session), SMTPTLS_E_TLS);
	ck_assert_str_eq(smtptls_session_error(session),
	    "the client does not speak TLS here (it sent \"EHLO a\")");
	smtptls_session_free(session);
	close(fds[0]);
	close(fds[1]);
	smtptls_context_free(ours);
}
END_TEST

/* ---- servers that have nothing but what is not allowed ---- */

#define NO_SUITE                                                               \
	"the server accepts none of the TLS versions, cipher suites, groups "  \
	"or signatures that are allowed here (alert handshake_failure)"

static const struct {
	const char *bad;
	const char *good; /* what is missing above */
	bool anonymous;
	const char *sentence;
} poor[] = {
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.1",
	    "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.2", false, NO_SUITE },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.0", "NORMAL:-VERS-ALL:+VERS-TLS1.3",
	    false, NO_SUITE },
	{ "NONE:+VERS-TLS1.2:+RSA:+ECDHE-RSA:+ARCFOUR-128:+SHA1:+SIGN-ALL:"
	  "+GROUP-ALL:+COMP-NULL",
	    "NONE:+VERS-TLS1.2:+RSA:+ECDHE-RSA:+ARCFOUR-128:+AES-128-GCM:"
	    "+SHA1:+AEAD:+SIGN-ALL:+GROUP-ALL:+COMP-NULL",
	    false, NO_SUITE },
	{ "NONE:+VERS-TLS1.2:+RSA:+ECDHE-RSA:+3DES-CBC:+SHA1:+SIGN-ALL:"
	  "+GROUP-ALL:+COMP-NULL",
	    "NONE:+VERS-TLS1.2:+RSA:+ECDHE-RSA:+3DES-CBC:+AES-128-GCM:+SHA1:"
	    "+AEAD:+SIGN-ALL:+GROUP-ALL:+COMP-NULL",
	    false, NO_SUITE },
	{ "NONE:+VERS-TLS1.2:+ANON-ECDH:+ANON-DH:+AES-128-GCM:+AEAD:"
	  "+SIGN-ALL:+GROUP-ALL:+COMP-NULL",
	    "NONE:+VERS-TLS1.2:+ANON-ECDH:+ECDHE-RSA:+AES-128-GCM:+AEAD:"
	    "+SIGN-ALL:+GROUP-ALL:+COMP-NULL",
	    true, NO_SUITE },
};

START_TEST(a_server_that_is_too_poor_is_told_so)
{
	struct peer *peer;
	struct smtptls_session *session;
	int r;

	peer = PEER(.priority = poor[_i].bad, .chain = { server },
	    .anonymous = poor[_i].anonymous);
	session = peer_session(peer, context, HOST);
	r = peer_handshake(peer, session);
	/* GnuTLS's server says so only if it is told to. */
	if (r == SMTPTLS_E_IO) {
		smtptls_session_free(session);
		peer_free(peer);
		peer = PEER(.priority = poor[_i].bad, .chain = { server },
		    .anonymous = poor[_i].anonymous);
		session = peer_session(peer, context, HOST);
		ck_assert_int_eq(
		    smtptls_session_handshake(session), SMTPTLS_AGAIN);
		peer_step(peer);
		gnutls_alert_send_appropriate(peer->tls, peer->result);
		r = smtptls_session_handshake(session);
	}
	ck_assert_int_eq(r, SMTPTLS_E_TLS);
	ck_assert_str_eq(smtptls_session_error(session), poor[_i].sentence);
	smtptls_session_free(session);
	peer_free(peer);

	peer = PEER(.priority = poor[_i].good, .chain = { server });
	session = peer_session(peer, context, HOST);
	ck_assert_msg(peer_handshake(peer, session) == SMTPTLS_OK, "%s",
	    smtptls_session_error(session));
	ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/*
 * RFC 2409 section 6.2: the Oakley group of 1024 bits, which a priority does
 * not keep out.
 */
static const char oakley_2[] =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";

START_TEST(a_small_diffie_hellman_group_is_refused)
{
	gnutls_datum_t hex = { (unsigned char *)oakley_2,
		sizeof(oakley_2) - 1 };
	gnutls_datum_t prime, generator = { (unsigned char *)"\x02", 1 };
	struct smtptls_session *session;
	gnutls_dh_params_t params;
	struct peer *peer;
	int r;

	ck_assert_int_ge(gnutls_hex_decode2(&hex, &prime), 0);
	ck_assert_int_ge(gnutls_dh_params_init(&params), 0);
	ck_assert_int_ge(
	    gnutls_dh_params_import_raw(params,
		_i == 0 ? &prime : &gnutls_ffdhe_2048_group_prime, &generator),
	    0);
	peer = PEER(.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:"
				"+DHE-RSA:-GROUP-ALL",
	    .chain = { server }, .dh = params);
	/*
	 * GnuTLS's server takes named groups where the client knows them, so
	 * ours forgets them: that is how it is with servers that know none.
	 */
	gnutls_priority_deinit(context->priority);
	ck_assert_int_ge(
	    gnutls_priority_init(&context->priority,
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:-GROUP-ALL",
		NULL),
	    0);
	session = peer_session(peer, context, HOST);
	r = peer_handshake(peer, session);
	ck_assert_str_eq(smtptls_session_error(session),
	    _i == 0 ? "the server offers a Diffie-Hellman group that is too "
		      "small (1024 bits)"
		    : "");
	ck_assert_int_eq(r, _i == 0 ? SMTPTLS_E_TLS : SMTPTLS_OK);
	smtptls_session_free(session);
	peer_free(peer);
	gnutls_dh_params_deinit(params);
	gnutls_free(prime.data);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tc = tcase_create("explain");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, a_peer_that_is_none_is_told_for_what_it_is, 0, COUNT(fakes));
	tcase_add_test(tc, a_client_that_speaks_no_tls_is_told_for_what_it_is);
	tcase_add_loop_test(
	    tc, a_server_that_is_too_poor_is_told_so, 0, COUNT(poor));
	tcase_add_loop_test(tc, a_small_diffie_hellman_group_is_refused, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
