/* SPDX-License-Identifier: MIT */
/* Connections that the program has made. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/own-io.h"

START_TEST(given_connection_is_used_and_closed)
{
	int fd, nodelay = 0;
	struct talk talk;
	socklen_t len = sizeof(nodelay);
	char peer[64];

	talk_begin(&talk, _i, own_whole);
	fd = own_give_fd(&talk);
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
	own_give_fd(&talk);
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
	own_give_fd(&talk);
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

START_TEST(connection_that_comes_too_late_stays_the_callers)
{
	struct talk talk;
	int fd;

	talk_begin_raw(&talk, STARTTLS_LOOP, own_nothing);
	fd = own_open(&talk);
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

	talk_begin_raw(&talk, STARTTLS_LOOP, own_nothing);
	own_give_fd(&talk);
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

	talk_begin(&talk, _i, own_whole);
	fd = own_give_fd(&talk);
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
	fd = own_give_fd(&talk);
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

static const struct step one_message[] = {
	SEND("250-mail.example.org\r\n250 LIMITS MAILMAX=1\r\n"),
	OWN_MESSAGE,
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
		own_give_fd(&talk);
	else
		own_give_callbacks(&talk, NO_FAULT);
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
		own_close(&talk);
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
		    client, own_read, own_write, NULL);
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

	talk_begin(&talk, _i, own_whole);
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
	    smtptls_client_set_callbacks(NULL, own_read, own_write, NULL), 0);
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
	tcase_add_loop_test(
	    tc, second_connection_cannot_be_had_and_that_is_told, 0, 4);
	tcase_add_loop_test(
	    tc, second_connection_is_made_where_it_can_be, 0, 4);
	tcase_add_loop_test(tc, client_connects_in_one_way, 0, WAYS * WAYS);
	tcase_add_loop_test(tc, address_that_is_none_spoils_the_client, 0, 5);
	add_in_modes(tc, given_address_is_connected_to);
	tcase_add_test(tc, nothing_is_given_to_nobody);
	return talk_run(suite);
}
