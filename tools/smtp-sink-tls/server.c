/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/deadline.h"

/* Far above what tests need; each connection may take some 100 KB. No RFC. */
#define CONNECTIONS_MAX 4096

/* When accept(2) lacks descriptors or memory: time for others to end. */
#define ACCEPT_PAUSE_MS 100

/* How long clients may finish after the last message was taken. */
#define FINISH_MS 5000

#define LISTENER_COUNT 2

struct loop {
	struct sink_server *server;
	struct sink_conn **conns;
	struct pollfd *fds; /* the listeners, then the connections */
	size_t count;
	int64_t accept_again; /* not before */
};

static volatile sig_atomic_t must_end;

static void
on_signal(int signal_number)
{
	(void)signal_number;
	must_end = 1;
}

void
sink_server_catch_signals(struct sink_server *server)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action;
	sigset_t set;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigemptyset(&action.sa_mask);
	sigemptyset(&set);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaddset(&set, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	/* A full disk and a closed pipe are errors, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, &server->signals);
	/* A parent may have blocked them for good. */
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigdelset(&server->signals, numbers[i]);
}

static int
bind_and_listen(int fd, int port, int *out_port)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	int on = 1;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)port);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, len) < 0 ||
	    listen(fd, CONNECTIONS_MAX) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -1;
	*out_port = ntohs(address.sin_port);
	return 0;
}

int
sink_server_listen(
    struct stls_err *err, struct sink_listener *listener, int port)
{
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "socket");
	if (bind_and_listen(fd, port, &listener->port) < 0) {
		stls_err_errno(err, SMTPTLS_E_IO, errno, "127.0.0.1:%d", port);
		close(fd);
		return err->code;
	}
	listener->fd = fd;
	return SMTPTLS_OK;
}

static void
add_connection(struct loop *loop, int fd, bool is_implicit)
{
	struct sink_conn *conn;
	int on = 1;

	/* A flight is written at once, so nothing is gained by waiting. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	loop->server->policy->stats->connections++;
	conn = sink_conn_new(loop->server->conn_config, fd, is_implicit);
	if (conn != NULL)
		loop->conns[loop->count++] = conn;
}

static void
accept_from(struct loop *loop, const struct sink_listener *listener)
{
	int fd;

	while (loop->count < CONNECTIONS_MAX) {
		fd = accept4(
		    listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			add_connection(loop, fd, listener->is_implicit);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			loop->accept_again = stls_deadline_in(ACCEPT_PAUSE_MS);
		return;
	}
}

static void
drop_connection(struct loop *loop, size_t index)
{
	sink_conn_free(loop->conns[index]);
	loop->count--;
	loop->conns[index] = loop->conns[loop->count];
	loop->fds[LISTENER_COUNT + index] =
	    loop->fds[LISTENER_COUNT + loop->count];
}

static bool
is_finished(const struct loop *loop, int64_t now)
{
	const struct sink_server *server = loop->server;

	return must_end || now >= server->end ||
	    (server->policy->is_finishing && loop->count == 0);
}

/* All messages are there: let those who are still talking say goodbye. */
static void
check_message_count(struct sink_server *server, int64_t now)
{
	if (server->policy->is_finishing || server->max_messages == 0 ||
	    server->policy->stats->messages < server->max_messages)
		return;
	server->policy->is_finishing = true;
	if (server->end > now + FINISH_MS)
		server->end = now + FINISH_MS;
}

static void
prepare_listener(
    struct loop *loop, const struct sink_listener *listener, struct pollfd *fd)
{
	bool is_open = loop->count < CONNECTIONS_MAX &&
	    loop->accept_again == STLS_NEVER &&
	    !loop->server->policy->is_finishing;

	fd->fd = is_open ? listener->fd : -1;
	fd->events = POLLIN;
	fd->revents = 0;
}

/* Fill in what to wait for. Returns until when. */
static stls_deadline
prepare(struct loop *loop)
{
	stls_deadline until;
	struct sink_conn *conn;
	struct pollfd *fd;
	size_t i;

	prepare_listener(loop, &loop->server->smtp, &loop->fds[0]);
	prepare_listener(loop, &loop->server->smtps, &loop->fds[1]);
	until = stls_deadline_first(loop->server->end, loop->accept_again);
	for (i = 0; i < loop->count; i++) {
		conn = loop->conns[i];
		fd = &loop->fds[LISTENER_COUNT + i];
		/* poll(2) tells of a hang-up even where nothing is asked. */
		fd->fd = conn->events != 0 ? conn->wire.fd : -1;
		fd->events = conn->events;
		fd->revents = 0;
		until = stls_deadline_first(until, conn->idle);
		until = stls_deadline_first(until, conn->gate);
		if (conn->is_eager)
			until = 0;
	}
	return until;
}

static void
serve_connections(struct loop *loop, size_t polled, int64_t now)
{
	struct sink_conn *conn;
	bool is_ready;
	size_t i;

	/* Backwards: what takes the place of a dropped one was served. */
	for (i = polled; i-- > 0;) {
		conn = loop->conns[i];
		is_ready = loop->fds[LISTENER_COUNT + i].revents != 0;
		if (!is_ready && !conn->is_eager && now < conn->idle &&
		    now < conn->gate)
			continue;
		if (!sink_conn_drive(conn, is_ready, now))
			drop_connection(loop, i);
	}
}

static void
serve_listeners(struct loop *loop, int64_t now)
{
	if (now >= loop->accept_again)
		loop->accept_again = STLS_NEVER;
	if (loop->fds[0].revents != 0)
		accept_from(loop, &loop->server->smtp);
	if (loop->fds[1].revents != 0)
		accept_from(loop, &loop->server->smtps);
}

static int
wait_until(struct loop *loop, stls_deadline until)
{
	int ms = stls_deadline_left_ms(until);
	struct timespec timeout = { ms / 1000, ms % 1000 * 1000000L };
	int r;

	r = ppoll(loop->fds, LISTENER_COUNT + loop->count, &timeout,
	    &loop->server->signals);
	return r < 0 && errno != EINTR ? -1 : 0;
}

static int
serve(struct stls_err *err, struct loop *loop)
{
	stls_deadline until;
	int64_t now = stls_now_ms();
	size_t polled;

	while (!is_finished(loop, now)) {
		until = prepare(loop);
		polled = loop->count;
		if (wait_until(loop, until) < 0)
			return stls_err_errno(err, SMTPTLS_E_IO, errno, "poll");
		now = stls_now_ms();
		serve_connections(loop, polled, now);
		serve_listeners(loop, now);
		check_message_count(loop->server, now);
	}
	return SMTPTLS_OK;
}

int
sink_server_run(struct stls_err *err, struct sink_server *server)
{
	struct loop loop = { .server = server, .accept_again = STLS_NEVER };
	int r;

	loop.conns = stls_alloc_array(CONNECTIONS_MAX, sizeof(*loop.conns));
	loop.fds = stls_alloc_array(
	    CONNECTIONS_MAX + LISTENER_COUNT, sizeof(*loop.fds));
	r = loop.conns != NULL && loop.fds != NULL ? serve(err, &loop)
						   : stls_err_nomem(err);
	while (loop.count > 0) {
		sink_conn_dismiss(loop.conns[loop.count - 1]);
		drop_connection(&loop, loop.count - 1);
	}
	free(loop.conns);
	free(loop.fds);
	return r;
}
