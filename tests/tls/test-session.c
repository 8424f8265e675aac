/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ends.h"
#include "tls/session.h"

/* ---- making one ---- */

START_TEST(a_session_needs_a_context_and_a_valid_host)
{
	static const char *const hosts[] = { NULL, "", ".", "a..example.org",
		"https://" ENDS_HOST, "a b.example.org", "*.example.org",
		"[::1", "mail.example.org:25" };
	struct smtptls_session *session = NULL;
	size_t i;

	ck_assert_int_eq(smtptls_session_new(ends.context, ENDS_HOST, NULL),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_session_new(NULL, ENDS_HOST, &session), SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_session_error(session), "there is no context");
	smtptls_session_free(session);
	for (i = 0; i < COUNT(hosts); i++) {
		ck_assert_int_eq(
		    smtptls_session_new(ends.context, hosts[i], &session),
		    SMTPTLS_E_INVALID);
		ck_assert_str_ne(smtptls_session_error(session), "");
		/* It exists for its sentence; nothing else works. */
		ck_assert_int_eq(
		    smtptls_session_set_fd(session, 0), SMTPTLS_E_INVALID);
		ck_assert_int_eq(
		    smtptls_session_handshake(session), SMTPTLS_E_INVALID);
		ck_assert_int_eq(smtptls_session_is_verified(session), 0);
		ck_assert_int_eq(smtptls_session_events(session), 0);
		smtptls_session_free(session);
	}
	smtptls_session_free(NULL);
	ck_assert_str_eq(smtptls_session_error(NULL), "out of memory");
}
END_TEST

START_TEST(a_session_of_a_spoiled_context_has_its_error)
{
	struct smtptls_session *session = NULL;

	ck_assert_int_eq(smtptls_context_load_verify_file(
			     ends.context, "/nonexistent/ca.pem"),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_session_new(ends.context, ENDS_HOST, &session),
	    SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_session_error(session),
	    smtptls_context_error(ends.context));
	smtptls_session_free(session);
}
END_TEST

START_TEST(a_server_has_no_host_to_verify)
{
	struct smtptls_context *ours = peer_server_context(
	    ends.factory, ends.server, NULL);
	struct smtptls_session *session = NULL;

	ck_assert_int_eq(
	    smtptls_session_new(ours, ENDS_HOST, &session), SMTPTLS_E_INVALID);
	smtptls_session_free(session);
	ck_assert_ok(smtptls_session_new(ours, NULL, &session));
	smtptls_session_free(session);
	smtptls_context_free(ours);
}
END_TEST

START_TEST(the_session_keeps_its_context)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);

	smtptls_context_free(ends.context);
	ends.context = NULL;
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(calls_come_in_their_order)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = NULL;
	char buf[8];
	size_t len = 77;

	ck_assert_ok(smtptls_session_new(ends.context, ENDS_HOST, &session));
	ck_assert_int_eq(smtptls_session_handshake(session), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_session_set_fd(session, -1), SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_session_set_callbacks(session, NULL, NULL, NULL),
	    SMTPTLS_E_INVALID);
	ck_assert_ok(smtptls_session_set_fd(session, peer->other));
	ck_assert_int_eq(
	    smtptls_session_set_fd(session, peer->other), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_session_read(session, buf, 8, &len), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_session_write(session, "x", 1, &len), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_session_close(session), SMTPTLS_E_STATE);
	ck_assert_uint_eq(smtptls_session_pending(session), 0);

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_handshake(session), SMTPTLS_OK);
	ck_assert_int_eq(
	    smtptls_session_insecure_log_keys(session), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_session_read(session, NULL, 8, &len), SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_session_read(session, buf, 0, &len), SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_session_write(session, "", 0, &len), SMTPTLS_E_INVALID);
	/* None of this did any harm. */
	ck_assert_ok(smtptls_session_write(session, "x", 1, &len));
	ck_assert_ok(smtptls_session_close(session));
	ck_assert_ok(smtptls_session_close(session));
	ck_assert_int_eq(
	    smtptls_session_write(session, "x", 1, &len), SMTPTLS_E_STATE);
	peer_write(peer, "y", 1);
	ck_assert_ok(smtptls_session_read(session, buf, 8, &len));
	ck_assert_uint_eq(len, 1);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* ---- data ---- */

START_TEST(a_client_talks_to_a_verified_server)
{
	struct peer *peer = PEER(.priority = ends_versions[_i],
	    .chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
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
	struct smtptls_session *session;
	struct peer *peer;
	char buf[16];
	size_t len;

	peer = PEER(.priority = ends_versions[_i], .chain = { ends.server },
	    .ticket_key = &ends.ticket_key);
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_ok(peer_handshake(peer, session));
	/* The ticket of TLS 1.3 and this come by one recv(2). */
	peer_write(peer, "220 a\r\n", 7);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_AGAIN);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* That a write had to wait says nothing about what is there to read. */
START_TEST(what_comes_behind_a_ticket_is_there_while_a_write_waits)
{
	static const unsigned char data[16384];
	struct smtptls_session *session;
	struct peer *peer;
	char buf[16];
	size_t len;
	int r;

	peer = PEER(.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3",
	    .chain = { ends.server }, .ticket_key = &ends.ticket_key);
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_ok(peer_handshake(peer, session));
	/* All of them come by one recv(2). */
	peer_write(peer, "250-a\r\n", 7);
	ck_assert_ok(gnutls_session_ticket_send(peer->tls, 1, 0));
	peer_write(peer, "250 b\r\n", 7);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	do
		r = smtptls_session_write(session, data, sizeof(data), &len);
	while (r == SMTPTLS_OK);
	ck_assert_int_eq(r, SMTPTLS_AGAIN);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* A connection that ends is no end of the data: it may have been cut. */
START_TEST(an_end_without_close_notify_is_an_error)
{
	struct peer *peer = PEER(.priority = ends_versions[_i],
	    .chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	char buf[16];
	size_t len = 77;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	peer_write(peer, "250 a\r\n", 7);
	shutdown(peer->fd, SHUT_WR);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_E_IO);
	ck_assert_uint_eq(len, 7);
	ck_assert_str_eq(smtptls_session_error(session),
	    "the server closed the connection without saying so (no "
	    "close_notify): something may be missing");
	/* The failure stays. */
	ck_assert_int_eq(
	    smtptls_session_write(session, "x", 1, &len), SMTPTLS_E_IO);
	ck_assert_int_eq(smtptls_session_is_verified(session), 0);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* SIGPIPE would end the test. */
START_TEST(writing_to_a_closed_connection_is_an_error)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	size_t len;

	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	close(peer->fd);
	peer->fd = -1;
	ck_assert_int_eq(
	    smtptls_session_write(session, "x", 1, &len), SMTPTLS_E_IO);
	ck_assert_str_eq(smtptls_session_error(session),
	    "writing to the server: Broken pipe");
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(what_the_peer_said_before_it_closed_can_be_read)
{
	struct peer *peer = PEER(.priority = ends_versions[_i],
	    .chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	char buf[16];
	size_t len = 0;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	peer_write(peer, "421 a\r\n", 7);
	close(peer->fd);
	peer->fd = -1;
	ck_assert_int_eq(
	    smtptls_session_write(session, "x", 1, &len), SMTPTLS_E_IO);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_mem_eq(buf, "421 a\r\n", 7);
	ck_assert_int_eq(smtptls_session_read(session, buf, sizeof(buf), &len),
	    SMTPTLS_E_IO);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(a_write_that_did_not_fit_goes_on_with_the_same_data)
{
	struct peer *peer = PEER(.priority = ends_versions[_i],
	    .chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	static unsigned char data[16384], got[16384];
	size_t len, i, sent = 0, read = 0;
	int r, again = 0;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	while ((r = smtptls_session_write(session, data, sizeof(data), &len)) ==
	    SMTPTLS_OK) {
		ck_assert_uint_eq(len, sizeof(data));
		sent++;
		ck_assert_uint_lt(sent, 1000);
	}
	ck_assert_int_eq(r, SMTPTLS_AGAIN);
	ck_assert_int_eq(smtptls_session_events(session), POLLOUT);
	/* Less than before is a mistake, a close now would cut a record. */
	ck_assert_int_eq(
	    smtptls_session_write(session, data, 10, &len), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_session_close(session), SMTPTLS_E_STATE);
	while (read < sent + 1) {
		peer_read(peer, got, sizeof(got));
		ck_assert_mem_eq(got, data, sizeof(got));
		read++;
		if (again == 0) {
			r = smtptls_session_write(
			    session, data, sizeof(data), &len);
			again = r == SMTPTLS_OK;
			if (again)
				ck_assert_uint_eq(len, sizeof(data));
		}
	}
	ck_assert_int_eq(again, 1);
	ck_assert_ok(smtptls_session_close(session));
	ck_assert_int_eq(gnutls_record_recv(peer->tls, got, 1), 0);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(a_write_takes_one_record_at_most)
{
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	static unsigned char data[40000];
	size_t len = 0;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_ok(smtptls_session_write(session, data, sizeof(data), &len));
	ck_assert_uint_eq(len, 16384);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* ---- transports ---- */

/* Over the socket of a peer, with what a transport may do. */
struct wire {
	int fd;
	size_t at_most; /* bytes per call; 0: no limit */
	int interrupts; /* every n-th call is interrupted */
	unsigned int reads, writes, calls;
	long read_error, write_error;
};

static long
wire_read(void *buf, size_t cap, void *arg)
{
	struct wire *w = arg;
	ssize_t n;

	if (w->read_error != 0)
		return w->read_error;
	if (w->interrupts != 0 && ++w->calls % (unsigned)w->interrupts == 0)
		return -EINTR;
	if (w->at_most != 0 && cap > w->at_most)
		cap = w->at_most;
	n = recv(w->fd, buf, cap, 0);
	if (n >= 0)
		w->reads++;
	return n < 0 ? -errno : n;
}

static long
wire_write(const void *data, size_t len, void *arg)
{
	struct wire *w = arg;
	ssize_t n;

	if (w->write_error != 0)
		return w->write_error;
	if (w->interrupts != 0 && ++w->calls % (unsigned)w->interrupts == 0)
		return -EINTR;
	if (w->at_most != 0 && len > w->at_most)
		len = w->at_most;
	w->writes++;
	n = send(w->fd, data, len, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static struct smtptls_session *
session_over(struct wire *wire, struct peer *peer)
{
	struct smtptls_session *session = NULL;

	wire->fd = peer->other;
	ck_assert_ok(smtptls_session_new(ends.context, ENDS_HOST, &session));
	ck_assert_ok(smtptls_session_set_callbacks(
	    session, wire_read, wire_write, wire));
	return session;
}

START_TEST(callbacks_may_be_slow_and_interrupted)
{
	static const struct wire wires[] = {
		{ .at_most = 0 },
		{ .at_most = 1 },
		{ .at_most = 3, .interrupts = 2 },
		{ .interrupts = 2 },
	};
	struct wire wire = wires[_i / 2];
	struct peer *peer = PEER(.priority = ends_versions[_i % 2],
	    .chain = { ends.server });
	struct smtptls_session *session = session_over(&wire, peer);
	char buf[16];
	size_t len;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_ok(smtptls_session_write(session, "EHLO\r\n", 6, &len));
	peer_read(peer, buf, 6);
	ck_assert_mem_eq(buf, "EHLO\r\n", 6);
	peer_write(peer, "250 a\r\n", 7);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* GnuTLS alone would read the head of a record first, then the rest. */
START_TEST(a_reply_costs_one_read)
{
	struct wire wire = { .at_most = 0 };
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = session_over(&wire, peer);
	char buf[16];
	size_t len;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	peer_write(peer, "250-a\r\n", 7);
	peer_write(peer, "250 b\r\n", 7);
	wire.reads = 0;
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_uint_eq(wire.reads, 1);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* poll(2) does not know of a record that is in the buffer already. */
START_TEST(a_record_that_was_read_ahead_is_pending)
{
	struct peer *peer = PEER(.priority = ends_versions[_i],
	    .chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	char buf[16];
	size_t len;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	peer_write(peer, "250-a\r\n", 7);
	peer_write(peer, "250 b\r\n", 7);
	ck_assert_uint_eq(smtptls_session_pending(session), 0);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_uint_gt(smtptls_session_pending(session), 0);
	ck_assert_ok(smtptls_session_read(session, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_uint_eq(smtptls_session_pending(session), 0);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

static const struct {
	long read_error, write_error;
	const char *sentence;
} errors[] = {
	{ -ECONNRESET, 0, "reading from the server: Connection reset by peer" },
	{ -EIO, 0, "reading from the server: Input/output error" },
	{ 100000, 0, "reading from the server: Input/output error" },
	{ 0, -EPIPE, "writing to the server: Broken pipe" },
	{ 0, 100000, "writing to the server: Input/output error" },
};

START_TEST(what_a_transport_says_is_told)
{
	struct wire wire = { .at_most = 0 };
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = session_over(&wire, peer);
	char buf[16];
	size_t len;
	int r;

	if (_i % 2 == 0)
		ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	wire.read_error = errors[_i / 2].read_error;
	wire.write_error = errors[_i / 2].write_error;
	if (_i % 2 == 1)
		r = peer_handshake(peer, session);
	else if (wire.read_error != 0)
		r = smtptls_session_read(session, buf, sizeof(buf), &len);
	else
		r = smtptls_session_write(session, "x", 1, &len);
	ck_assert_int_eq(r, SMTPTLS_E_IO);
	ck_assert_str_eq(
	    smtptls_session_error(session), errors[_i / 2].sentence);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* A callback that takes nothing makes no progress: that is to wait. */
START_TEST(a_write_of_nothing_is_again)
{
	struct wire wire = { .at_most = 0 };
	struct peer *peer = PEER(.chain = { ends.server });
	struct smtptls_session *session = session_over(&wire, peer);
	char buf[1];
	size_t len;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	wire.write_error = -EAGAIN;
	ck_assert_int_eq(
	    smtptls_session_write(session, "x", 1, &len), SMTPTLS_AGAIN);
	ck_assert_int_eq(smtptls_session_events(session), POLLOUT);
	wire.write_error = 0;
	ck_assert_ok(smtptls_session_write(session, "x", 1, &len));
	peer_read(peer, buf, 1);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* ---- facts ---- */

START_TEST(a_session_tells_what_was_agreed)
{
	struct peer *peer = PEER(.priority = _i == 0
		? "NONE:+VERS-TLS1.3:+AES-256-GCM:+AEAD:+SIGN-ALL:+GROUP-X25519"
		: "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+AES-128-GCM:+AEAD:+SIGN-ALL:"
		  "+GROUP-SECP256R1",
	    .chain = { ends.server });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, ENDS_HOST);
	struct smtptls_cipher cipher;

	ck_assert_int_eq(
	    smtptls_session_cipher(session, &cipher), SMTPTLS_E_STATE);
	ck_assert_str_eq(smtptls_session_group(session), "");
	ck_assert_str_eq(smtptls_session_signature(session), "");
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	ck_assert_ok(smtptls_session_cipher(session, &cipher));
	ck_assert_str_eq(cipher.name,
	    _i == 0 ? "TLS_AES_256_GCM_SHA384"
		    : "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256");
	ck_assert_int_eq(cipher.strength_bits, _i == 0 ? 256 : 128);
	ck_assert_int_eq(
	    cipher.version, _i == 0 ? SMTPTLS_TLS_1_3 : SMTPTLS_TLS_1_2);
	ck_assert_str_eq(
	    smtptls_session_group(session), _i == 0 ? "X25519" : "SECP256R1");
	ck_assert_str_eq(smtptls_session_signature(session),
	    _i == 0 ? "ECDSA-SECP256R1-SHA256" : "ECDSA-SHA256");
	ck_assert_int_eq(smtptls_session_has_ocsp_staple(session), 0);
	ck_assert_str_eq(
	    smtptls_tls_version_name(smtptls_session_version(session)),
	    _i == 0 ? "TLSv1.3" : "TLSv1.2");
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(every_version_has_a_name)
{
	ck_assert_str_eq(smtptls_tls_version_name(SMTPTLS_TLS_NONE), "none");
	ck_assert_str_eq(smtptls_tls_version_name(SMTPTLS_SSL_3_0), "SSLv3");
	ck_assert_str_eq(smtptls_tls_version_name(SMTPTLS_TLS_1_0), "TLSv1.0");
	ck_assert_str_eq(smtptls_tls_version_name(SMTPTLS_TLS_1_1), "TLSv1.1");
	ck_assert_str_eq(
	    smtptls_tls_version_name((enum smtptls_tls_version)77), "none");
}
END_TEST

START_TEST(a_name_is_sent_and_an_address_is_not)
{
	const struct cert *both = factory_server(
	    ends.factory, ends.ca, "DNS:" ENDS_HOST " IP:192.0.2.1");
	struct peer *peer = PEER(.chain = { both });
	struct smtptls_session *session = peer_session(
	    peer, ends.context, _i == 0 ? "Mail.Example.org." : "192.0.2.1");
	char name[64];
	size_t len = sizeof(name);
	unsigned int type;
	int r;

	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
	r = gnutls_server_name_get(peer->tls, name, &len, &type, 0);
	if (_i == 0) {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(name, ENDS_HOST);
	} else {
		ck_assert_int_eq(r, GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
	}
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* ---- what is not secure says so ---- */

START_TEST(an_insecure_session_works_and_is_not_verified)
{
	static const struct {
		bool no_hostname, no_verify;
		const char *host; /* whom is asked for */
		bool unknown_ca;
	} table[] = {
		{ true, false, "other.example.org", false },
		{ true, false, NULL, false },
		{ true, true, "other.example.org", true },
		{ true, true, NULL, true },
	};
	const struct cert *self = CERT(
	    ends.factory, NULL, .names = "DNS:" ENDS_HOST);
	struct peer *peer;
	struct smtptls_session *session;

	if (table[_i].no_hostname)
		ck_assert_ok(
		    smtptls_context_insecure_no_check_hostname(ends.context));
	if (table[_i].no_verify)
		ck_assert_ok(smtptls_context_insecure_no_verify(ends.context));
	peer = PEER(.chain = { table[_i].unknown_ca ? self : ends.server });
	session = peer_session(peer, ends.context, table[_i].host);
	ck_assert_msg(peer_handshake(peer, session) == SMTPTLS_OK, "%s",
	    smtptls_session_error(session));
	ck_assert_int_eq(smtptls_session_is_verified(session), 0);
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

/* An old protocol says nothing against the certificate. */
START_TEST(a_legacy_session_is_verified_as_strictly)
{
	const struct cert *weak = CERT(ends.factory, ends.ca,
	    .names = "DNS:" ENDS_HOST, .digest = GNUTLS_DIG_SHA1);
	struct peer *peer = PEER(.priority = _i < 2
		? "NORMAL:-VERS-ALL:+VERS-TLS1.0"
		: "NORMAL",
	    .chain = { _i % 2 == 0 ? ends.server : weak });
	struct smtptls_session *session;

	ck_assert_ok(smtptls_context_insecure_allow_legacy(
	    ends.context, SMTPTLS_TLS_1_0));
	session = peer_session(peer, ends.context, ENDS_HOST);
	if (_i % 2 == 0) {
		ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_OK);
		ck_assert_int_eq(smtptls_session_is_verified(session), 1);
	} else {
		ck_assert_int_eq(
		    peer_handshake(peer, session), SMTPTLS_E_CERTIFICATE);
		ck_assert_str_eq(smtptls_session_error(session),
		    "certificate of " ENDS_HOST
		    " has a weak signature (ECDSA-SHA1)");
	}
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(without_a_check_of_names_the_rest_is_still_checked)
{
	const struct cert *self = CERT(
	    ends.factory, NULL, .names = "DNS:" ENDS_HOST);
	struct peer *peer = PEER(.chain = { self });
	struct smtptls_session *session;

	ck_assert_ok(smtptls_context_insecure_no_check_hostname(ends.context));
	session = peer_session(peer, ends.context, ENDS_HOST);
	ck_assert_int_eq(peer_handshake(peer, session), SMTPTLS_E_CERTIFICATE);
	ck_assert_str_eq(smtptls_session_error(session),
	    "server certificate \"CN=test\" is self-signed and not trusted "
	    "itself");
	smtptls_session_free(session);
	peer_free(peer);
}
END_TEST

START_TEST(a_session_is_small)
{
	ck_assert_uint_lt(sizeof(struct smtptls_session), 2048);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tc = tcase_create("session");

	tcase_add_checked_fixture(tc, ends_setup, ends_teardown);
	tcase_add_test(tc, a_session_needs_a_context_and_a_valid_host);
	tcase_add_test(tc, a_session_of_a_spoiled_context_has_its_error);
	tcase_add_test(tc, a_server_has_no_host_to_verify);
	tcase_add_test(tc, the_session_keeps_its_context);
	tcase_add_test(tc, calls_come_in_their_order);
	tcase_add_loop_test(tc, a_client_talks_to_a_verified_server, 0, 2);
	tcase_add_loop_test(
	    tc, what_comes_right_behind_a_ticket_needs_no_second_look, 0, 2);
	tcase_add_test(
	    tc, what_comes_behind_a_ticket_is_there_while_a_write_waits);
	tcase_add_loop_test(tc, an_end_without_close_notify_is_an_error, 0, 2);
	tcase_add_test(tc, writing_to_a_closed_connection_is_an_error);
	tcase_add_loop_test(
	    tc, what_the_peer_said_before_it_closed_can_be_read, 0, 2);
	tcase_add_loop_test(
	    tc, a_write_that_did_not_fit_goes_on_with_the_same_data, 0, 2);
	tcase_add_test(tc, a_write_takes_one_record_at_most);
	tcase_add_loop_test(tc, callbacks_may_be_slow_and_interrupted, 0, 8);
	tcase_add_test(tc, a_reply_costs_one_read);
	tcase_add_loop_test(tc, a_record_that_was_read_ahead_is_pending, 0, 2);
	tcase_add_loop_test(
	    tc, what_a_transport_says_is_told, 0, 2 * COUNT(errors));
	tcase_add_test(tc, a_write_of_nothing_is_again);
	tcase_add_loop_test(tc, a_session_tells_what_was_agreed, 0, 2);
	tcase_add_test(tc, every_version_has_a_name);
	tcase_add_loop_test(tc, a_name_is_sent_and_an_address_is_not, 0, 2);
	tcase_add_loop_test(
	    tc, an_insecure_session_works_and_is_not_verified, 0, 4);
	tcase_add_loop_test(tc, a_legacy_session_is_verified_as_strictly, 0, 4);
	tcase_add_test(tc, without_a_check_of_names_the_rest_is_still_checked);
	tcase_add_test(tc, a_session_is_small);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
