/* SPDX-License-Identifier: MIT */
/* What an event loop is told of descriptors, against what there is. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>
#endif

#include "base/alloc.h"
#include "client/talk.h"
#include "net/fake-names.h"

#define FDS_MAX 8
#define DRIVES_MAX 1000
#define FAULTS_MAX 2000

/* Connections to 192.0.2.1 hang: the end of a full pipe takes their place. */
static int
hang(int fd)
{
	char block[4096] = { 0 };
	int fds[2];

	ck_assert_ok(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
	while (write(fds[1], block, sizeof(block)) > 0)
		;
	ck_assert_int_ge(dup2(fds[1], fd), 0);
	close(fds[1]);
	/* Open as long as the socket that it takes the place of. */
	return fds[0];
}

/* The ends to read from; closed when their test is over. */
static int hanging[16];
static int hanging_count;

/* By another name in C: libc's prototype may have a type of its own. */
int fake_connect(int fd, const struct sockaddr *address, socklen_t len) __asm__(
    "connect");

int
fake_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t);

	if (address->sa_family == AF_INET &&
	    ((const struct sockaddr_in *)(const void *)address)
		    ->sin_addr.s_addr == inet_addr("192.0.2.1")) {
		ck_assert_int_lt(hanging_count, 16);
		hanging[hanging_count++] = hang(fd);
		errno = EINPROGRESS;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	return real(fd, address, len);
}

/* --- an event loop that trusts nobody --- */

struct loop {
	struct pollfd fds[FDS_MAX];
	size_t count;
	int calls;
	int most; /* descriptors at once */
	int epoll;
	pid_t pid;
	bool checks_calls; /* that they do not go on with the client */
	bool cancels;
};

static struct pollfd *
find(struct loop *loop, int fd)
{
	size_t i;

	for (i = 0; i < loop->count; i++) {
		if (loop->fds[i].fd == fd)
			return &loop->fds[i];
	}
	return NULL;
}

/* As a program would; the kernel knows better than the test what is right. */
static void
tell_kernel(const struct loop *loop, int fd, short events, bool is_known)
{
#ifdef __linux__
	struct epoll_event event = { .data.fd = fd };
	int op = events == 0 ? EPOLL_CTL_DEL
	    : is_known	     ? EPOLL_CTL_MOD
			     : EPOLL_CTL_ADD;

	event.events = (uint32_t)((events & POLLIN ? EPOLLIN : 0) |
	    (events & POLLOUT ? EPOLLOUT : 0));
	ck_assert_msg(epoll_ctl(loop->epoll, op, fd, &event) == 0,
	    "%d of %d for %d: %s", op, fd, events, strerror(errno));
#else
	(void)loop;
	(void)events;
	(void)is_known;
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
#endif
}

static void
go_on(struct smtptls_client *client)
{
	/* When it is over there is nothing to go on with. */
	if (strcmp(smtptls_client_step(client), "QUIT") != 0)
		ck_assert_int_eq(smtptls_client_drive(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_noop(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_start_quit(client), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_set_socket_cb(client, NULL, NULL), SMTPTLS_E_STATE);
	ck_assert_str_ne(smtptls_client_step(client), "");
}

static void
watch(struct smtptls_client *client, int fd, short events, void *arg)
{
	struct loop *loop = arg;
	struct pollfd *known = find(loop, fd);

	ck_assert_int_eq(getpid(), loop->pid);
	loop->calls++;
	if (loop->checks_calls)
		go_on(client);
	if (loop->cancels)
		smtptls_client_cancel(client);
	tell_kernel(loop, fd, events, known != NULL);
	if (events == 0) {
		ck_assert_ptr_nonnull(known);
		*known = loop->fds[--loop->count];
		return;
	}
	if (known == NULL) {
		ck_assert_uint_lt(loop->count, FDS_MAX);
		known = &loop->fds[loop->count++];
		known->fd = fd;
	} else {
		/* It is called for what changes. */
		ck_assert_int_ne(known->events, events);
	}
	known->events = events;
	if ((int)loop->count > loop->most)
		loop->most = (int)loop->count;
}

static void
assert_agrees(struct loop *loop, struct smtptls_client *client)
{
	struct pollfd fds[FDS_MAX];
	const struct pollfd *known;
	size_t count, i;

	count = smtptls_client_pollfds(client, fds, FDS_MAX);
	ck_assert_uint_eq(count, loop->count);
	for (i = 0; i < count; i++) {
		known = find(loop, fds[i].fd);
		ck_assert_ptr_nonnull(known);
		ck_assert_int_eq(known->events, fds[i].events);
	}
}

static void
begin_loop(struct loop *loop, struct talk *talk)
{
	memset(loop, 0, sizeof(*loop));
	loop->pid = getpid();
	hanging_count = 0;
#ifdef __linux__
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_ge(loop->epoll, 0);
#endif
	ck_assert_ok(smtptls_client_set_socket_cb(talk->client, watch, loop));
}

static void
end_loop(struct loop *loop)
{
	ck_assert_uint_eq(loop->count, 0);
#ifdef __linux__
	close(loop->epoll);
#endif
	while (hanging_count > 0)
		close(hanging[--hanging_count]);
}

static void
wait_for_something(struct loop *loop, struct smtptls_client *client)
{
	int timeout_ms = smtptls_client_timeout_ms(client);
#ifdef __linux__
	struct epoll_event event;

	ck_assert_int_ge(epoll_wait(loop->epoll, &event, 1, timeout_ms), 0);
#else
	ck_assert_int_ge(poll(loop->fds, (nfds_t)loop->count, timeout_ms), 0);
#endif
}

static int
step(struct loop *loop, struct smtptls_client *client)
{
	int r = smtptls_client_drive(client);

	assert_agrees(loop, client);
	return r;
}

/* Drive so often, or to the end. */
static int
drive(struct loop *loop, struct smtptls_client *client, int times)
{
	int r = SMTPTLS_AGAIN, i;

	for (i = 0; i < times && r == SMTPTLS_AGAIN; i++) {
		if (i > 0)
			wait_for_something(loop, client);
		r = step(loop, client);
	}
	return r;
}

/* --- a conversation with everything in it --- */

static const struct step whole[] = {
	SEND("250-mail.example.org\r\n250 8BITMIME\r\n"),
	PREFIX("MAIL FROM:<alice@example.org>"),
	SEND("250 ok\r\n"),
	PREFIX("RCPT TO:<bob@example.org>"),
	SEND("250 ok\r\n"),
	LINE("DATA"),
	SEND("354 go\r\n"),
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

static uint16_t
closed_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_ok(bind(fd, (struct sockaddr *)&in, len));
	ck_assert_ok(getsockname(fd, (struct sockaddr *)&in, &len));
	close(fd);
	return ntohs(in.sin_port);
}

/* The name has two addresses that hang, one that refuses, and the server's. */
static void
begin_race(
    struct talk *talk, struct loop *loop, int mode, const struct step *script)
{
	talk_begin(talk, mode, script);
	talk_renew_client(talk);
	fake_names_clear();
	fake_names_add("192.0.2.1", 25);
	fake_names_add("192.0.2.1", 26);
	fake_names_add("127.0.0.1", closed_port());
	fake_names_add("127.0.0.1", server_port(talk->server));
	begin_loop(loop, talk);
}

static void
set_content_from(struct talk *talk, int fd)
{
	ck_assert_ok(smtptls_message_new(&talk->message));
	ck_assert_ok(smtptls_message_set_sender(talk->message, TALK_SENDER));
	ck_assert_ok(
	    smtptls_message_add_recipient(talk->message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_fd(talk->message, fd));
}

/* The thread of a look-up that was given up has descriptors of its own. */
static void
finish(struct talk *talk, struct loop *loop)
{
	smtptls_client_free(talk->client);
	talk->client = NULL;
	end_loop(loop);
	talk_hang_up_early(talk);
	fake_names_wait_for_threads();
	talk_end(talk);
}

/* The server has seen all of its script. */
static void
assert_played(struct talk *talk)
{
	const char *problem;

	smtptls_client_free(talk->client);
	talk->client = NULL;
	problem = server_finish(talk->server);
	ck_assert_msg(problem == NULL, "%s", problem);
}

/* The program writes when the content is waited for. */
static int
drive_and_feed(struct loop *loop, struct smtptls_client *client, int fds[2])
{
	bool is_fed = false;
	int r, i;

	for (i = 0; i < DRIVES_MAX; i++) {
		r = step(loop, client);
		if (r != SMTPTLS_AGAIN)
			break;
		if (!is_fed && find(loop, fds[0]) != NULL) {
			ck_assert_int_gt(write(fds[1], TALK_CONTENT,
					     sizeof(TALK_CONTENT) - 1),
			    0);
			close(fds[1]);
			is_fed = true;
		}
		wait_for_something(loop, client);
	}
	ck_assert(is_fed);
	return r;
}

START_TEST(loop_is_told_of_each_change_in_a_whole_conversation)
{
	struct talk talk;
	struct loop loop;
	int fds[2];

	begin_race(&talk, &loop, _i, whole);
	loop.checks_calls = true;
	ck_assert_ok(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
	set_content_from(&talk, fds[0]);
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	/* It waits for the content, which comes when it waits. */
	ck_assert_ok(
	    smtptls_client_set_deadline_ms(talk.client, talk_ms(20000)));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	ck_assert_ok(drive_and_feed(&loop, talk.client, fds));
	ck_assert_ok(smtptls_message_status(talk.message));
	ck_assert_uint_eq(loop.count, 0);
	/* Two attempts at once, the server, the content; and all go. */
	ck_assert_int_ge(loop.calls, 8);
	ck_assert_int_ge(loop.most, 2);
	assert_played(&talk);
	ck_assert_ok(close(fds[0]));
	finish(&talk, &loop);
}
END_TEST

/* So often, or until it waits for content that does not come. */
static int
drive_until_starved(
    struct loop *loop, struct smtptls_client *client, int times, int source)
{
	int r = SMTPTLS_AGAIN, i;

	for (i = 0; i < times; i++) {
		if (i > 0)
			wait_for_something(loop, client);
		r = step(loop, client);
		ck_assert_int_eq(r, SMTPTLS_AGAIN);
		if (find(loop, source) != NULL)
			return SMTPTLS_OK;
	}
	return r;
}

/* In a race, in TLS, while content is waited for: all is forgotten. */
START_TEST(loop_is_told_of_all_when_the_client_is_freed)
{
	struct talk talk;
	struct loop loop;
	int fds[2], n, r = SMTPTLS_AGAIN;

	for (n = 0; r == SMTPTLS_AGAIN; n++) {
		ck_assert_int_lt(n, DRIVES_MAX);
		begin_race(&talk, &loop, _i, whole);
		/* Without what hangs, for it is many times. */
		if (n > 2) {
			fake_names_clear();
			fake_names_add("127.0.0.1", server_port(talk.server));
		}
		ck_assert_ok(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
		set_content_from(&talk, fds[0]);
		ck_assert_int_eq(write(fds[1], "x\r\n", 3), 3);
		ck_assert_ok(smtptls_client_start(talk.client));
		ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
		r = drive_until_starved(&loop, talk.client, n, fds[0]);
		smtptls_client_free(talk.client);
		talk.client = NULL;
		ck_assert_ok(close(fds[0]));
		close(fds[1]);
		finish(&talk, &loop);
	}
	ck_assert_int_ge(n, 4);
}
END_TEST

START_TEST(loop_is_told_when_the_calls_wait)
{
	struct talk talk;
	struct loop loop;

	begin_race(&talk, &loop, _i, whole);
	talk_set_message(&talk);
	talk_assert_failed(&talk,
	    smtptls_client_send(talk.client, talk.message), SMTPTLS_OK, NULL);
	assert_agrees(&loop, talk.client);
	ck_assert_uint_eq(loop.count, 1);
	ck_assert_ok(smtptls_client_quit(talk.client));
	ck_assert_uint_eq(loop.count, 0);
	assert_played(&talk);
	finish(&talk, &loop);
}
END_TEST

static const struct step breaking[] = { SEND("250 x\r\n"), STEP(RESET), END };

/* Nobody listens; the server goes; it is cancelled. */
START_TEST(loop_is_told_of_all_when_the_conversation_fails)
{
	struct talk talk;
	struct loop loop;
	int r;

	if (_i == 0) {
		talk_begin(&talk, STARTTLS_LOOP, whole);
		talk_renew_client(&talk);
		fake_names_clear();
		fake_names_add("127.0.0.1", closed_port());
		fake_names_add("127.0.0.1", closed_port());
		begin_loop(&loop, &talk);
	} else {
		begin_race(
		    &talk, &loop, STARTTLS_LOOP, _i == 1 ? breaking : whole);
	}
	loop.cancels = _i == 2;
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	r = drive(&loop, talk.client, DRIVES_MAX);
	ck_assert_int_lt(r, 0);
	if (_i == 2)
		ck_assert_int_eq(r, SMTPTLS_E_CANCELLED);
	ck_assert_uint_eq(loop.count, 0);
	ck_assert(_i == 0 || loop.calls > 0);
	finish(&talk, &loop);
}
END_TEST

/* An epoll instance is one, on both sides of fork(2). */
START_TEST(child_says_nothing_to_the_loop_of_its_parent)
{
	struct talk talk;
	struct loop loop;
	int status = 1, calls;
	pid_t pid;

	begin_race(&talk, &loop, STARTTLS_LOOP, whole);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_start(talk.client));
	(void)drive(&loop, talk.client, _i);
	calls = loop.calls;
	ck_assert(_i == 0 || calls > 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)smtptls_client_drive(talk.client);
		smtptls_client_free(talk.client);
		talk_leave_child(loop.calls == calls);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	ck_assert_ok(drive(&loop, talk.client, DRIVES_MAX));
	assert_played(&talk);
	finish(&talk, &loop);
}
END_TEST

START_TEST(loop_is_set_before_it_begins_or_not)
{
	struct talk talk;
	struct loop loop;

	begin_race(&talk, &loop, STARTTLS_LOOP, whole);
	ck_assert_ok(smtptls_client_set_socket_cb(talk.client, NULL, NULL));
	ck_assert_ok(smtptls_client_start(talk.client));
	ck_assert_int_eq(
	    smtptls_client_set_socket_cb(talk.client, watch, &loop),
	    SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_drive(talk.client), SMTPTLS_AGAIN);
	ck_assert_int_eq(loop.calls, 0);
	finish(&talk, &loop);
}
END_TEST

START_TEST(memory_that_runs_out_is_no_reason_to_forget_nothing)
{
	struct smtptls_message *done;
	bool has_failed = true;
	struct talk talk;
	struct loop loop;
	unsigned long n;
	int r;

	for (n = 1; has_failed; n++) {
		ck_assert_uint_lt(n, FAULTS_MAX);
		begin_race(&talk, &loop, _i, whole);
		fake_names_clear();
		fake_names_add("127.0.0.1", closed_port());
		fake_names_add("127.0.0.1", server_port(talk.server));
		talk_set_message(&talk);
		stls_alloc_fail_at(n);
		r = smtptls_client_start(talk.client);
		if (r == SMTPTLS_OK)
			r = smtptls_client_submit(talk.client, talk.message);
		if (r == SMTPTLS_OK)
			r = smtptls_client_start_quit(talk.client);
		if (r == SMTPTLS_OK)
			r = drive(&loop, talk.client, DRIVES_MAX);
		has_failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_msg(has_failed || r == SMTPTLS_OK, "%s",
		    smtptls_client_error(talk.client));
		while ((done = smtptls_client_next_done(talk.client)) != NULL)
			smtptls_message_free(done);
		finish(&talk, &loop);
	}
	ck_assert_uint_gt(n, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("watch");
	TCase *tc = talk_case(suite, "watch");

	add_in_modes(tc, loop_is_told_of_each_change_in_a_whole_conversation);
	add_in_modes(tc, loop_is_told_of_all_when_the_client_is_freed);
	add_in_modes(tc, loop_is_told_when_the_calls_wait);
	tcase_add_loop_test(
	    tc, loop_is_told_of_all_when_the_conversation_fails, 0, 3);
	tcase_add_loop_test(
	    tc, child_says_nothing_to_the_loop_of_its_parent, 0, 5);
	tcase_add_test(tc, loop_is_set_before_it_begins_or_not);
	add_in_modes(tc, memory_that_runs_out_is_no_reason_to_forget_nothing);
	return talk_run(suite);
}
