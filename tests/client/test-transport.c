/* SPDX-License-Identifier: MIT */
/* Connections that the program has made, and callbacks in their place. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/deadline.h"
#include "client/talk.h"

#define SHORT_MS talk_ms(200)
#define FAULTS_MAX 2000

/* Where many conversations are had: who waits for callbacks is slow. */
#define LOOP_MODE(i) ((i) % 2 == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP)

#define MESSAGE                                                                \
	PREFIX("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n"),           \
	    PREFIX("RCPT TO:<bob@example.org>"), SEND("250 ok\r\n"),           \
	    LINE("DATA"), SEND("354 go\r\n"), STEP(CONTENT),                   \
	    SEND("250 queued\r\n")

static const struct step whole[] = {
	SEND("250-mail.example.org\r\n250-AUTH PLAIN\r\n250 SIZE 100000\r\n"),
	LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	SEND("235 ok\r\n"),
	MESSAGE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

/* By another name in C: libc's prototype may have attributes of its own. */
int fake_gethostname(char *name, size_t len) __asm__("gethostname");

/* A name without a dot is none to greet with. */
int
fake_gethostname(char *name, size_t len)
{
	snprintf(name, len, "laptop");
	return 0;
}

/* A connected socket, blocking, to the server of the talk. */
static int
open_connection(const struct talk *talk)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(server_port(talk->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_ok(connect(fd, (struct sockaddr *)&in, sizeof(in)));
	return fd;
}

/* --- a descriptor --- */

static int
give_fd(struct talk *talk)
{
	int fd;

	talk_renew_client(talk);
	fd = open_connection(talk);
	ck_assert_ok(smtptls_client_set_fd(talk->client, fd));
	return fd;
}

START_TEST(given_connection_is_used_and_closed)
{
	int fd, nodelay = 0;
	struct talk talk;
	socklen_t len = sizeof(nodelay);
	char peer[64];

	talk_begin(&talk, _i, whole);
	fd = give_fd(&talk);
	ck_assert_ok(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len));
	ck_assert_int_ne(nodelay, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_str_eq(smtptls_client_peer(talk.client), "");
	ck_assert_str_eq(smtptls_client_step(talk.client), "connect");
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	snprintf(peer, sizeof(peer), "127.0.0.1:%u",
	    (unsigned int)server_port(talk.server));
	ck_assert_str_eq(smtptls_client_peer(talk.client), peer);
	ck_assert_int_eq(
	    smtptls_session_is_verified(smtptls_client_session(talk.client)),
	    1);
	ck_assert_ok(talk_quit(&talk));
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	talk_finish(&talk);
}
END_TEST

START_TEST(given_connection_proves_the_host_of_the_url)
{
	struct server_options options = {
		.cert = factory_server(
		    world.factory, world.ca, "DNS:localhost IP:127.0.0.1"),
		.scripts = { (const struct step[]){ STEP(TLS_FAILS), END } },
	};
	struct talk talk;

	talk_begin_with(&talk, IMPLICIT_BLOCKING, "smtps", NULL, &options);
	give_fd(&talk);
	talk_set_credentials(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_CERTIFICATE,
	    "not mail.example.org");
	talk_finish(&talk);
}
END_TEST

/* The name that is looked up leads there, and proves nothing. */
START_TEST(name_of_the_place_to_connect_to_is_not_that_of_the_url)
{
	struct server_options options = {
		.cert = factory_server(
		    world.factory, world.ca, "DNS:localhost IP:127.0.0.1"),
		.scripts = { (const struct step[]){ STEP(TLS_FAILS), END } },
	};
	char place[64];
	struct talk talk;

	talk_begin_with(&talk, IMPLICIT_BLOCKING, "smtps", NULL, &options);
	snprintf(place, sizeof(place), "localhost:%u",
	    (unsigned int)server_port(talk.server));
	ck_assert_ok(smtptls_client_set_connect_to(talk.client, place));
	talk_set_credentials(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_CERTIFICATE,
	    "not mail.example.org");
	talk_finish(&talk);
}
END_TEST

START_TEST(given_connection_may_be_of_lmtp)
{
	static const struct step script[] = { SEND("250 x\r\n"), LINE("QUIT"),
		SEND("221 bye\r\n"), END };
	struct talk talk;

	talk_begin_lmtp(&talk, _i, script);
	give_fd(&talk);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

static int
open_pipe(void)
{
	int fds[2];

	ck_assert_ok(pipe(fds));
	close(fds[1]);
	return fds[0];
}

static int
open_file(void)
{
	return open("/dev/null", O_RDWR);
}

static int
open_unconnected(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
open_listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_ok(listen(fd, 1));
	return fd;
}

static int
open_datagram(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_ok(connect(fd, (struct sockaddr *)&in, sizeof(in)));
	return fd;
}

static int
open_nothing(void)
{
	return -1;
}

static int (*const openers[])(
    void) = { open_pipe, open_file, open_datagram, open_nothing };

START_TEST(what_is_no_connection_is_refused_and_left_alone)
{
	struct smtptls_client *client = NULL;
	int fd = openers[_i](), flags = fcntl(fd, F_GETFL);
	int fd_flags = fcntl(fd, F_GETFD);

	ck_assert_ok(
	    smtptls_client_new("smtp://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(smtptls_client_set_fd(client, fd), SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(client), "is no stream socket"));
	ck_assert_int_eq(smtptls_client_start(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
	ck_assert_int_eq(fcntl(fd, F_GETFL), flags);
	ck_assert_int_eq(fcntl(fd, F_GETFD), fd_flags);
	if (fd >= 0)
		ck_assert_ok(close(fd));
}
END_TEST

START_TEST(socket_that_is_not_connected_fails_at_once)
{
	struct smtptls_client *client = NULL;
	int fd = _i / 2 == 0 ? open_unconnected() : open_listener();

	ck_assert_ok(
	    smtptls_client_new(_i % 2 == 0 ? "smtp://" TALK_HOST : TALK_HOST,
		world.context, &client));
	ck_assert_ok(smtptls_client_set_fd(client, fd));
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_IO);
	ck_assert_str_eq(
	    smtptls_client_peer(client), "a socket that is not connected");
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	smtptls_client_free(client);
}
END_TEST

static const struct step nothing[] = { STEP(SWALLOW), END };

START_TEST(connection_that_comes_too_late_stays_the_callers)
{
	struct talk talk;
	int fd;

	talk_begin_raw(&talk, STARTTLS_LOOP, nothing);
	fd = open_connection(&talk);
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_int_eq(
	    smtptls_client_set_fd(talk.client, fd), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_set_callbacks(talk.client, NULL, NULL, NULL),
	    SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_add_address(talk.client, "192.0.2.1:25"),
	    SMTPTLS_E_STATE);
	smtptls_client_free(talk.client);
	talk.client = NULL;
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_ok(close(fd));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* Freed before it began, or it cannot begin. */
START_TEST(given_connection_is_closed_whatever_becomes_of_the_client)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_LOOP, nothing);
	give_fd(&talk);
	if (_i > 0)
		talk_set_credentials(&talk);
	if (_i == 1) {
		talk.is_in_clear = true;
		ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
		ck_assert_int_eq(
		    smtptls_client_start(talk.client), SMTPTLS_E_INVALID);
	}
	if (_i == 2)
		ck_assert_int_eq(smtptls_client_set_ehlo_name(talk.client, ""),
		    SMTPTLS_E_INVALID);
	if (_i == 3)
		ck_assert_ok(smtptls_client_start(talk.client));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

START_TEST(child_closes_its_copy_of_a_given_connection_alone)
{
	struct talk talk;
	int fd, r, status = 1;
	pid_t pid;

	talk_begin(&talk, _i, whole);
	fd = give_fd(&talk);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		r = smtptls_client_connect(talk.client);
		smtptls_client_free(talk.client);
		talk_leave_child(
		    r == SMTPTLS_E_FORKED && fcntl(fd, F_GETFD) < 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

static sem_t is_given;

static void
wait_until_given(void *arg)
{
	(void)arg;
	while (sem_wait(&is_given) < 0)
		;
}

START_TEST(connection_that_is_gone_meanwhile_is_told)
{
	static const struct step script[] = { CALL(wait_until_given, NULL),
		STEP(RESET), END };
	struct talk talk;
	int fd;

	sem_init(&is_given, 0, 0);
	talk_begin_raw(&talk, _i, script);
	fd = give_fd(&talk);
	sem_post(&is_given);
	/* Until the kernel has heard of it. */
	ck_assert_int_eq(
	    poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20000), 1);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_IO, NULL);
	talk_hang_up_early(&talk);
	talk_end(&talk);
	sem_destroy(&is_given);
}
END_TEST

/* --- callbacks --- */

enum way_to_fail {
	NO_FAULT,
	SHORT,	     /* one octet at a time */
	INTERRUPTED, /* every other call */
	BLOCKED,     /* every other call */
	BROKEN_READ, /* the n-th, and all behind it */
	BROKEN_WRITE
};

static struct {
	int fd;
	enum way_to_fail fault;
	long reads, writes, n;
	bool has_failed;
	long read_result, write_result; /* instead, if not 0 */
	bool said_to_wait;		/* the last call, which was to read */
} io;

static long
fault_of(long calls)
{
	switch (io.fault) {
	case INTERRUPTED:
		return calls % 2 != 0 ? -EINTR : 0;
	case BLOCKED:
		return calls % 2 != 0 ? -EAGAIN : 0;
	default:
		return 0;
	}
}

static long
broken(enum way_to_fail which, long calls)
{
	if (io.fault != which || calls < io.n)
		return 0;
	io.has_failed = true;
	return which == BROKEN_READ ? -ECONNRESET : -EPIPE;
}

static long
read_io(void *buf, size_t cap, void *arg)
{
	long fault = fault_of(++io.reads);
	ssize_t n;

	ck_assert_ptr_eq(arg, &io);
	fault = fault != 0 ? fault : broken(BROKEN_READ, io.reads);
	if (io.read_result != 0)
		return io.read_result;
	if (fault != 0)
		return fault;
	n = recv(io.fd, buf, io.fault == SHORT ? 1 : cap, MSG_DONTWAIT);
	io.said_to_wait = n < 0;
	return n < 0 ? -errno : n;
}

static long
write_io(const void *data, size_t len, void *arg)
{
	long fault = fault_of(++io.writes);
	ssize_t n;

	ck_assert_ptr_eq(arg, &io);
	ck_assert_uint_gt(len, 0);
	io.said_to_wait = false;
	fault = fault != 0 ? fault : broken(BROKEN_WRITE, io.writes);
	if (io.write_result == LONG_MAX)
		return (long)len + 1;
	if (io.write_result == -1)
		return 0;
	if (io.write_result != 0)
		return io.write_result;
	if (fault != 0)
		return fault;
	n = send(io.fd, data, io.fault == SHORT ? 1 : len,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static void
give_callbacks(struct talk *talk, enum way_to_fail fault)
{
	talk_renew_client(talk);
	memset(&io, 0, sizeof(io));
	io.fault = fault;
	io.fd = open_connection(talk);
	talk->callback_fd = io.fd;
	ck_assert_ok(
	    smtptls_client_set_callbacks(talk->client, read_io, write_io, &io));
}

/* The client does not close what it does not know. */
static void
close_io(struct talk *talk)
{
	smtptls_client_free(talk->client);
	talk->client = NULL;
	ck_assert_ok(close(io.fd));
}

static const enum way_to_fail harmless[] = { NO_FAULT, SHORT, INTERRUPTED,
	BLOCKED };

START_TEST(message_is_sent_over_callbacks)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), whole);
	give_callbacks(&talk, harmless[ROW(_i)]);
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_uint_eq(smtptls_client_pollfds(talk.client, NULL, 0), 0);
	ck_assert_int_eq(smtptls_client_events(talk.client), POLLIN);
	ck_assert_str_eq(smtptls_client_peer(talk.client), "callbacks");
	ck_assert_int_eq(
	    smtptls_session_is_verified(smtptls_client_session(talk.client)),
	    1);
	ck_assert_ok(talk_quit(&talk));
	ck_assert_int_eq(smtptls_client_events(talk.client), 0);
	close_io(&talk);
	talk_hang_up(&talk);
	ck_assert_mem_eq(server_content(talk.server, 0)->data, TALK_CONTENT,
	    sizeof(TALK_CONTENT) - 1);
	talk_end(&talk);
}
END_TEST

START_TEST(callbacks_prove_the_host_of_the_url)
{
	struct server_options options = {
		.cert = factory_server(
		    world.factory, world.ca, "DNS:localhost IP:127.0.0.1"),
		.scripts = { (const struct step[]){ STEP(TLS_FAILS), END } },
	};
	struct talk talk;

	talk_begin_with(&talk, IMPLICIT_BLOCKING, "smtps", NULL, &options);
	give_callbacks(&talk, NO_FAULT);
	talk_set_credentials(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_CERTIFICATE,
	    "not mail.example.org");
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

static const struct step injecting[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"),
	STEP(SWALLOW),
	END,
};

/* Found in the buffer, or by one read more. */
START_TEST(octets_behind_the_220_are_refused_from_callbacks)
{
	enum way_to_fail fault = STARTTLS_ROW(_i) == 0 ? NO_FAULT : SHORT;
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), injecting);
	give_callbacks(&talk, fault);
	talk_set_credentials(&talk);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_PROTOCOL,
	    fault == SHORT ? "in clear" : NULL);
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

static const struct step ends_behind_220[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	LINE("STARTTLS"),
	SEND("220 go\r\n"),
	STEP(FIN),
	STEP(SWALLOW),
	END,
};

START_TEST(end_behind_the_220_is_told_from_callbacks)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_MODE(_i), ends_behind_220);
	give_callbacks(&talk, NO_FAULT);
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_IO, NULL);
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

/* Whether there is a socket or not. */
START_TEST(name_to_greet_with_is_an_address)
{
	static const struct step script[] = { SEND("220 x ESMTP\r\n"),
		LINE("EHLO [127.0.0.1]"), SEND("250 x\r\n"), END };
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, script);
	if (_i == 0)
		give_fd(&talk);
	else
		give_callbacks(&talk, NO_FAULT);
	talk_assert_failed(
	    &talk, talk_connect(&talk), SMTPTLS_E_NO_STARTTLS, NULL);
	if (_i != 0)
		close_io(&talk);
	talk_finish(&talk);
}
END_TEST

static const struct madness {
	long read_result, write_result;
	const char *sentence;
} madnesses[] = {
	{ LONG_MAX, 0, "reading from the server: Input/output error" },
	{ 16385, 0, "reading from the server: Input/output error" },
	{ LONG_MIN, 0, "reading from the server: Input/output error" },
	{ -ECONNRESET, 0, "reading from the server: Connection reset" },
	{ 0, LONG_MAX, "writing to the server: Input/output error" },
	{ 0, LONG_MIN, "writing to the server: Input/output error" },
	{ 0, -EPIPE, "writing to the server: Broken pipe" },
};

/* In clear, and in a handshake, which has words of its own. */
START_TEST(callback_that_claims_too_much_is_an_error)
{
	static const struct step script[] = { SEND("220 x ESMTP\r\n"),
		STEP(SWALLOW), END };
	const struct madness *row = &madnesses[ROW(_i)];
	int mode = MODE(_i);
	struct talk talk;

	talk_begin_raw(&talk, mode, mode < STARTTLS_MODES ? script : nothing);
	give_callbacks(&talk, NO_FAULT);
	io.read_result = row->read_result;
	io.write_result = row->write_result;
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_IO,
	    mode < STARTTLS_MODES ? row->sentence : NULL);
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

/* Nothing comes, or nothing goes: ten times in the time there is, or so. */
START_TEST(call_that_waits_for_callbacks_does_not_spin)
{
	static const struct step script[] = { SEND("220 x ESMTP\r\n"),
		STEP(SWALLOW), END };
	struct talk talk;
	int64_t before;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, script);
	give_callbacks(&talk, NO_FAULT);
	io.read_result = _i == 0 ? -EAGAIN : 0;
	io.write_result = _i == 0 ? 0 : -1;
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_GREETING, SHORT_MS));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_COMMAND, SHORT_MS));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_E_TIMEOUT, NULL);
	ck_assert_int_ge(stls_now_ms() - before, SHORT_MS);
	ck_assert_int_le(io.reads + io.writes, 4 * SHORT_MS / 20);
	ck_assert_int_ge(io.reads, 3);
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

START_TEST(connection_that_breaks_at_any_callback_is_told_honestly)
{
	enum way_to_fail fault = _i / 2 == 0 ? BROKEN_READ : BROKEN_WRITE;
	enum smtptls_outcome outcome;
	bool has_failed = true;
	struct talk talk;
	int r, n;

	for (n = 1; has_failed; n++) {
		ck_assert_int_lt(n, FAULTS_MAX);
		talk_begin(&talk, LOOP_MODE(_i), whole);
		give_callbacks(&talk, fault);
		io.n = n;
		talk_set_credentials(&talk);
		talk_set_message(&talk);
		r = talk_send(&talk);
		if (r == SMTPTLS_OK)
			(void)talk_quit(&talk);
		has_failed = io.has_failed;
		ck_assert(has_failed || r == SMTPTLS_OK);
		close_io(&talk);
		talk_hang_up_early(&talk);
		outcome = smtptls_message_outcome(talk.message, 0);
		if (outcome == SMTPTLS_OUTCOME_ACCEPTED)
			ck_assert_uint_gt(server_contents(talk.server), 0);
		else if (outcome == SMTPTLS_OUTCOME_NOT_TRIED)
			ck_assert_uint_eq(server_contents(talk.server), 0);
		else
			ck_assert_int_eq(outcome, SMTPTLS_OUTCOME_IN_DOUBT);
		talk_end(&talk);
	}
}
END_TEST

/* No line of it begins with a dot, so it fills two pieces to the octet. */
static char two_pieces[2 * 16384];

static int
see_nothing_failed(struct smtptls_message *message, void *arg)
{
	bool *was_called = arg;

	(void)message;
	ck_assert(!io.has_failed);
	*was_called = true;
	return SMTPTLS_OK;
}

/* What was gathered leaves before the hook; that may be what breaks. */
START_TEST(hook_is_not_called_where_the_content_did_not_leave)
{
	bool has_failed = true, was_called = false;
	struct talk talk;
	size_t i;
	int n;

	for (i = 0; i < sizeof(two_pieces); i++)
		two_pieces[i] = "0123456789abcdef012345678901\r\n"[i % 30];
	memcpy(two_pieces + sizeof(two_pieces) - 2, "\r\n", 2);
	for (n = 1; has_failed; n++) {
		ck_assert_int_lt(n, FAULTS_MAX);
		talk_begin(&talk, LOOP_MODE(_i), whole);
		give_callbacks(&talk, BROKEN_WRITE);
		io.n = n;
		talk_set_credentials(&talk);
		talk_set_message(&talk);
		ck_assert_ok(smtptls_message_set_body_mem(
		    talk.message, two_pieces, sizeof(two_pieces)));
		was_called = false;
		ck_assert_ok(smtptls_message_set_before_end(
		    talk.message, see_nothing_failed, &was_called));
		if (talk_send(&talk) == SMTPTLS_OK)
			(void)talk_quit(&talk);
		has_failed = io.has_failed;
		close_io(&talk);
		talk_hang_up_early(&talk);
		talk_end(&talk);
	}
	ck_assert(was_called);
}
END_TEST

static struct talk *below;

static long
call_from_below(void *buf, size_t cap, void *arg)
{
	struct smtptls_client *client = below->client;

	ck_assert_int_eq(smtptls_client_drive(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_noop(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_quit(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_submit(client, below->message), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_set_fd(client, 0), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_events(client), 0);
	return read_io(buf, cap, arg);
}

START_TEST(callback_of_the_transport_cannot_go_on_with_the_client)
{
	struct talk talk;

	talk_begin(&talk, _i, whole);
	give_callbacks(&talk, NO_FAULT);
	ck_assert_ok(smtptls_client_set_callbacks(
	    talk.client, call_from_below, write_io, &io));
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	below = &talk;
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	ck_assert_int_gt(io.reads, 0);
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

static long
cancel_from_below(void *buf, size_t cap, void *arg)
{
	(void)buf;
	(void)cap;
	(void)arg;
	io.reads++;
	smtptls_client_cancel(below->client);
	return -EAGAIN;
}

START_TEST(callback_may_cancel)
{
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, nothing);
	give_callbacks(&talk, NO_FAULT);
	ck_assert_ok(smtptls_client_set_callbacks(
	    talk.client, cancel_from_below, write_io, &io));
	below = &talk;
	ck_assert_int_eq(talk_connect(&talk), SMTPTLS_E_CANCELLED);
	ck_assert_int_eq(io.reads, 1);
	close_io(&talk);
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

START_TEST(child_says_nothing_by_the_callbacks_of_its_parent)
{
	struct talk talk;
	int r, status = 1;
	long calls;
	pid_t pid;

	talk_begin(&talk, _i, whole);
	give_callbacks(&talk, NO_FAULT);
	talk_set_credentials(&talk);
	ck_assert_ok(talk_connect(&talk));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		calls = io.reads + io.writes;
		r = smtptls_client_noop(talk.client);
		smtptls_client_free(talk.client);
		talk_leave_child(
		    r == SMTPTLS_E_FORKED && io.reads + io.writes == calls);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

static const struct step in_clear[] = {
	SEND("220 mail.example.org ESMTP\r\n"),
	PREFIX("EHLO "),
	SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),
	MESSAGE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(callbacks_carry_clear_text_where_that_was_asked_for)
{
	struct talk talk;

	talk_begin_raw(&talk, MODE(_i), in_clear);
	snprintf(talk.url, sizeof(talk.url), "smtp://" TALK_HOST);
	give_callbacks(&talk, harmless[ROW(_i)]);
	talk.is_in_clear = true;
	ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

/*
 * Below them there may be more than a descriptor tells of: what is kept in a
 * buffer, or what came while something was written.
 */
START_TEST(nobody_waits_before_the_callbacks_say_to_wait)
{
	bool is_in_clear = _i / 2 == 2;
	struct pollfd fd;
	struct talk talk;
	int r;

	if (is_in_clear) {
		talk_begin_raw(&talk, STARTTLS_LOOP, in_clear);
		snprintf(talk.url, sizeof(talk.url), "smtp://" TALK_HOST);
	} else {
		talk_begin(&talk, LOOP_MODE(_i / 2), whole);
	}
	give_callbacks(&talk, _i % 2 == 0 ? NO_FAULT : SHORT);
	talk.is_in_clear = is_in_clear;
	if (is_in_clear)
		ck_assert_ok(smtptls_client_insecure_no_tls(talk.client));
	else
		talk_set_credentials(&talk);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	while ((r = smtptls_client_drive(talk.client)) == SMTPTLS_AGAIN) {
		fd = (struct pollfd){ .fd = io.fd,
			.events = smtptls_client_events(talk.client) };
		ck_assert(io.said_to_wait || (fd.events & POLLOUT) != 0);
		ck_assert_int_eq(poll(&fd, 1, talk_ms(20000)), 1);
	}
	ck_assert_ok(r);
	ck_assert_ok(smtptls_message_status(talk.message));
	close_io(&talk);
	talk_finish(&talk);
}
END_TEST

START_TEST(transport_needs_both_callbacks)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtp://" TALK_HOST, world.context, &client));
	ck_assert_int_eq(
	    smtptls_client_set_callbacks(client, _i == 0 ? read_io : NULL,
		_i == 0 ? NULL : write_io, NULL),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

/* --- a server that wants another connection for another message --- */

static const struct step one_message[] = {
	SEND("250-mail.example.org\r\n250 LIMITS MAILMAX=1\r\n"),
	MESSAGE,
	STEP(SWALLOW),
	END,
};

static struct smtptls_message *
submit_two(struct talk *talk)
{
	struct smtptls_message *second;

	talk_set_message(talk);
	second = talk->message;
	talk->message = NULL;
	talk_set_message(talk);
	ck_assert_ok(smtptls_client_start(talk->client));
	ck_assert_ok(smtptls_client_submit(talk->client, talk->message));
	ck_assert_ok(smtptls_client_submit(talk->client, second));
	return second;
}

static void
take_done(struct talk *talk)
{
	struct smtptls_message *done;

	while ((done = smtptls_client_next_done(talk->client)) != NULL)
		smtptls_message_free(done);
}

START_TEST(second_connection_cannot_be_had_and_that_is_told)
{
	struct smtptls_message *second;
	struct talk talk;
	int r;

	talk_begin(&talk, LOOP_MODE(_i), one_message);
	if (_i / 2 == 0)
		give_fd(&talk);
	else
		give_callbacks(&talk, NO_FAULT);
	second = submit_two(&talk);
	r = talk_drive(&talk);
	talk_assert_failed(
	    &talk, r, SMTPTLS_E_REFUSED_LATER, "and there is no other");
	ck_assert_ok(smtptls_message_status(talk.message));
	ck_assert_int_eq(
	    smtptls_message_status(second), SMTPTLS_E_REFUSED_LATER);
	ck_assert_int_eq(
	    smtptls_message_outcome(second, 0), SMTPTLS_OUTCOME_NOT_TRIED);
	take_done(&talk);
	smtptls_message_free(second);
	if (_i / 2 != 0)
		close_io(&talk);
	talk_finish(&talk);
}
END_TEST

/* To an address there is one more connection, as to a name. */
START_TEST(second_connection_is_made_where_it_can_be)
{
	struct server_options options = {
		.prologue = talk_prologue(LOOP_MODE(_i)),
		.scripts = { one_message, one_message },
	};
	struct smtptls_message *second;
	struct talk talk;
	char address[64];

	talk_begin_with(&talk, LOOP_MODE(_i), _i % 2 == 0 ? "smtp" : "smtps",
	    NULL, &options);
	if (_i / 2 == 0) {
		snprintf(address, sizeof(address), "127.0.0.1:%u",
		    (unsigned int)server_port(talk.server));
		talk_renew_client(&talk);
		ck_assert_ok(smtptls_client_add_address(talk.client, address));
	}
	second = submit_two(&talk);
	ck_assert_ok(talk_drive(&talk));
	ck_assert_ok(smtptls_message_status(talk.message));
	ck_assert_ok(smtptls_message_status(second));
	take_done(&talk);
	smtptls_message_free(second);
	talk_hang_up(&talk);
	ck_assert_int_eq(server_connections(talk.server), 2);
	talk_end(&talk);
}
END_TEST

/* --- memory --- */

/* All of it, over a descriptor or callbacks; the first failure is told. */
static int
run_with_little_memory(struct talk *talk, bool by_callbacks, int *fd)
{
	int r;

	r = smtptls_client_new(talk->url, world.context, &talk->client);
	if (r < 0)
		return r;
	if (by_callbacks)
		r = smtptls_client_set_callbacks(
		    talk->client, read_io, write_io, &io);
	else
		r = smtptls_client_set_fd(talk->client, *fd);
	if (r < 0)
		return r;
	if (!by_callbacks)
		*fd = -1;
	r = smtptls_client_set_credentials(
	    talk->client, TALK_USER, TALK_PASSWORD);
	if (r == SMTPTLS_OK)
		r = talk_send(talk);
	if (r == SMTPTLS_OK)
		r = talk_quit(talk);
	return r;
}

START_TEST(memory_that_runs_out_leaves_no_descriptor)
{
	bool by_callbacks = _i / 2 != 0, has_failed = true;
	struct talk talk;
	unsigned long n;
	int r, fd;

	for (n = 1; has_failed; n++) {
		ck_assert_uint_lt(n, FAULTS_MAX);
		talk_begin(&talk, LOOP_MODE(_i), whole);
		talk_set_message(&talk);
		smtptls_client_free(talk.client);
		talk.client = NULL;
		memset(&io, 0, sizeof(io));
		fd = io.fd = open_connection(&talk);
		talk.callback_fd = by_callbacks ? io.fd : 0;
		stls_alloc_fail_at(n);
		r = run_with_little_memory(&talk, by_callbacks, &fd);
		has_failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert(has_failed || r == SMTPTLS_OK);
		ck_assert_msg(r == SMTPTLS_OK || r == SMTPTLS_E_NOMEM ||
			r == SMTPTLS_E_IN_DOUBT,
		    "%lu: %d", n, r);
		if (fd >= 0)
			ck_assert_ok(close(fd));
		talk_hang_up_early(&talk);
		talk_end(&talk);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

/* --- one way --- */

enum way {
	PLACE,
	ADDRESS,
	FD,
	CALLBACKS,
	WAYS
};

static int
go(struct smtptls_client *client, enum way way, int fd)
{
	switch (way) {
	case PLACE:
		return smtptls_client_set_connect_to(client, "192.0.2.1:25");
	case ADDRESS:
		return smtptls_client_add_address(client, "192.0.2.1:25");
	case FD:
		return smtptls_client_set_fd(client, fd);
	default:
		return smtptls_client_set_callbacks(
		    client, read_io, write_io, NULL);
	}
}

START_TEST(client_connects_in_one_way)
{
	enum way first = (enum way)(_i / WAYS), second = (enum way)(_i % WAYS);
	bool fits = first == second && first != FD;
	struct smtptls_client *client = NULL;
	int fds[2], other[2];

	ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, other));
	ck_assert_ok(
	    smtptls_client_new("smtp://" TALK_HOST, world.context, &client));
	ck_assert_ok(go(client, first, fds[0]));
	ck_assert_int_eq(go(client, second, other[0]),
	    fits ? SMTPTLS_OK : SMTPTLS_E_INVALID);
	if (!fits)
		ck_assert_str_eq(smtptls_client_error(client),
		    "there is another way to connect already");
	smtptls_client_free(client);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD) < 0, first == FD);
	if (first != FD)
		close(fds[0]);
	ck_assert_ok(close(other[0]));
	close(fds[1]);
	close(other[1]);
}
END_TEST

START_TEST(address_that_is_none_spoils_the_client)
{
	static const char *const bad[] = { NULL, "", "mail.example.org:25",
		"192.0.2.1", "unix:/run/x" };
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtp://" TALK_HOST, world.context, &client));
	ck_assert_ok(smtptls_client_add_address(client, "[::1]:25"));
	ck_assert_int_eq(
	    smtptls_client_add_address(client, bad[_i]), SMTPTLS_E_INVALID);
	ck_assert_str_ne(smtptls_client_error(client), "");
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_INVALID);
	smtptls_client_free(client);
}
END_TEST

/* What is verified is the host of the URL, and nobody asks for its address. */
START_TEST(given_address_is_connected_to)
{
	struct talk talk;
	char address[64];

	talk_begin(&talk, _i, whole);
	snprintf(address, sizeof(address), "127.0.0.1:%u",
	    (unsigned int)server_port(talk.server));
	talk_renew_client(&talk);
	ck_assert_ok(smtptls_client_add_address(talk.client, address));
	talk_set_credentials(&talk);
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_str_eq(smtptls_client_peer(talk.client), address);
	ck_assert_ok(talk_quit(&talk));
	talk_finish(&talk);
}
END_TEST

START_TEST(nothing_is_given_to_nobody)
{
	ck_assert_int_lt(smtptls_client_set_fd(NULL, 0), 0);
	ck_assert_int_lt(
	    smtptls_client_set_callbacks(NULL, read_io, write_io, NULL), 0);
	ck_assert_int_lt(smtptls_client_add_address(NULL, "192.0.2.1:25"), 0);
	ck_assert_int_lt(smtptls_client_set_socket_cb(NULL, NULL, NULL), 0);
	ck_assert_int_eq(smtptls_client_events(NULL), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("transport");
	TCase *tc = talk_case(suite, "transport");

	add_in_modes(tc, given_connection_is_used_and_closed);
	tcase_add_test(tc, given_connection_proves_the_host_of_the_url);
	tcase_add_test(
	    tc, name_of_the_place_to_connect_to_is_not_that_of_the_url);
	add_in_starttls_modes(tc, given_connection_may_be_of_lmtp);
	tcase_add_loop_test(tc, what_is_no_connection_is_refused_and_left_alone,
	    0, COUNT(openers));
	tcase_add_loop_test(
	    tc, socket_that_is_not_connected_fails_at_once, 0, 4);
	tcase_add_test(tc, connection_that_comes_too_late_stays_the_callers);
	tcase_add_loop_test(tc,
	    given_connection_is_closed_whatever_becomes_of_the_client, 0, 4);
	add_in_modes(tc, child_closes_its_copy_of_a_given_connection_alone);
	add_in_modes(tc, connection_that_is_gone_meanwhile_is_told);
	add_rows_in_modes(tc, message_is_sent_over_callbacks, harmless);
	tcase_add_test(tc, callbacks_prove_the_host_of_the_url);
	talk_add(tc, octets_behind_the_220_are_refused_from_callbacks, 2,
	    STARTTLS_MODES);
	add_in_starttls_modes(tc, end_behind_the_220_is_told_from_callbacks);
	tcase_add_loop_test(tc, name_to_greet_with_is_an_address, 0, 2);
	add_rows_in_modes(
	    tc, callback_that_claims_too_much_is_an_error, madnesses);
	tcase_add_loop_test(
	    tc, call_that_waits_for_callbacks_does_not_spin, 0, 2);
	tcase_add_loop_test(
	    tc, connection_that_breaks_at_any_callback_is_told_honestly, 0, 4);
	tcase_add_loop_test(
	    tc, hook_is_not_called_where_the_content_did_not_leave, 0, 2);
	add_in_modes(
	    tc, callback_of_the_transport_cannot_go_on_with_the_client);
	tcase_add_test(tc, callback_may_cancel);
	add_in_modes(tc, child_says_nothing_by_the_callbacks_of_its_parent);
	add_rows_in_modes(
	    tc, callbacks_carry_clear_text_where_that_was_asked_for, harmless);
	tcase_add_loop_test(
	    tc, nobody_waits_before_the_callbacks_say_to_wait, 0, 6);
	tcase_add_loop_test(tc, transport_needs_both_callbacks, 0, 2);
	tcase_add_loop_test(
	    tc, second_connection_cannot_be_had_and_that_is_told, 0, 4);
	tcase_add_loop_test(
	    tc, second_connection_is_made_where_it_can_be, 0, 4);
	tcase_add_loop_test(
	    tc, memory_that_runs_out_leaves_no_descriptor, 0, 4);
	tcase_add_loop_test(tc, client_connects_in_one_way, 0, WAYS * WAYS);
	tcase_add_loop_test(tc, address_that_is_none_spoils_the_client, 0, 5);
	add_in_modes(tc, given_address_is_connected_to);
	tcase_add_test(tc, nothing_is_given_to_nobody);
	return talk_run(suite);
}
