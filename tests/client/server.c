/* SPDX-License-Identifier: MIT */
#include "client/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "base/deadline.h"
#include "client/server-play.h"
#include "client/server-tls.h"

/* A server whose client does not go away gives up by itself. */
#define LIFE_MS 30000
#define PARALLEL_MAX 64

/* A visit with a thread of its own. */
struct part {
	struct visit visit;
	pthread_t thread;
	int fd;
	const struct step *script;
};

struct server {
	struct visit_host host;
	int listener;
	uint16_t port;
	pthread_t thread;
	bool has_thread;
	sem_t runs; /* the thread has all that it needs to wait */
	int stop[2];

	int connections;
	struct visit visit; /* and in the end, what all others have seen */
	struct part *parts[PARALLEL_MAX];
	size_t parts_count;
};

/* The next connection; -1: there is none and will be none. */
static int
accept_next(struct server *s)
{
	struct pollfd pfds[2] = { { .fd = s->listener, .events = POLLIN },
		{ .fd = s->stop[0], .events = POLLIN } };
	int on = 1, fd;

	if (poll(pfds, 2, stls_deadline_left_ms(s->host.deadline)) <= 0 ||
	    (pfds[0].revents & POLLIN) == 0)
		return -1;
	fd = accept(s->listener, NULL, NULL);
	/* A unix socket has no such option, and no need of it. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void *
run_part(void *arg)
{
	struct part *part = arg;

	visit_play(&part->visit, part->fd, part->script);
	return NULL;
}

static void
serve_in_parallel(struct server *s, int fd, const struct step *script)
{
	struct part *part = calloc(1, sizeof(*part));

	if (part == NULL || s->parts_count == PARALLEL_MAX)
		abort();
	visit_init(&part->visit, &s->host);
	part->fd = fd;
	part->script = script;
	s->parts[s->parts_count++] = part;
	if (pthread_create(&part->thread, NULL, run_part, part) != 0)
		abort();
}

/* Wait for a part, and take what it has. */
static void
join_part(struct server *s, struct part *part)
{
	pthread_join(part->thread, NULL);
	visit_move(&part->visit, &s->visit);
	visit_done(&part->visit);
	free(part);
}

/* The script of the next connection, NULL where there is none. */
static const struct step *
next_script(const struct server *s, size_t *index)
{
	const struct step *const *scripts = s->host.options.scripts;

	if (*index < SCRIPTS_MAX && scripts[*index] != NULL)
		return scripts[(*index)++];
	return s->host.options.repeats ? scripts[*index - 1] : NULL;
}

static void *
run(void *arg)
{
	struct server *s = arg;
	const struct step *script;
	size_t index = 0;
	sigset_t all;
	int fd;

	/* They are for the client. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	sem_post(&s->runs);
	while ((fd = accept_next(s)) >= 0) {
		s->connections++;
		script = next_script(s, &index);
		if (script != NULL && s->host.options.parallel) {
			serve_in_parallel(s, fd, script);
			continue;
		}
		if (script != NULL) {
			visit_play(&s->visit, fd, script);
			continue;
		}
		visit_complain(&s->visit, "there was a connection too many");
		close(fd);
	}
	while (s->parts_count > 0)
		join_part(s, s->parts[--s->parts_count]);
	if (!s->host.options.repeats && next_script(s, &index) != NULL)
		visit_complain(&s->visit, "there was a connection too few");
	return NULL;
}

static void
open_listener(struct server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool is_unix = s->host.options.unix_path != NULL;
	struct sockaddr *address = is_unix ? (void *)&un : (void *)&in;
	socklen_t len = is_unix ? sizeof(un) : sizeof(in);

	if (is_unix)
		snprintf(un.sun_path, sizeof(un.sun_path), "%s",
		    s->host.options.unix_path);
	s->listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(s->listener, 0);
	if (s->host.options.receive_buffer > 0)
		ck_assert_int_eq(
		    setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF,
			&s->host.options.receive_buffer, sizeof(int)),
		    0);
	if (s->host.options.send_buffer > 0)
		ck_assert_int_eq(setsockopt(s->listener, SOL_SOCKET, SO_SNDBUF,
				     &s->host.options.send_buffer, sizeof(int)),
		    0);
	ck_assert_int_eq(bind(s->listener, address, len), 0);
	ck_assert_int_eq(listen(s->listener, PARALLEL_MAX), 0);
	if (is_unix)
		return;
	ck_assert_int_eq(getsockname(s->listener, address, &len), 0);
	s->port = ntohs(in.sin_port);
}

struct server *
server_start(const struct server_options *options)
{
	struct server *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->host.options = *options;
	s->host.deadline = stls_deadline_in(LIFE_MS);
	visit_init(&s->visit, &s->host);
	open_listener(s);
	visit_host_tls_init(&s->host);
	ck_assert_int_eq(pipe(s->stop), 0);
	s->host.stop = s->stop[0];
	ck_assert_int_eq(sem_init(&s->runs, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, run, s), 0);
	s->has_thread = true;
	/* A child of fork(2) would never get the locks it begins with. */
	while (sem_wait(&s->runs) < 0)
		ck_assert_int_eq(errno, EINTR);
	return s;
}

uint16_t
server_port(const struct server *s)
{
	return s->port;
}

const char *
server_finish(struct server *s)
{
	if (s->has_thread) {
		ck_assert_int_eq(write(s->stop[1], "", 1), 1);
		ck_assert_int_eq(pthread_join(s->thread, NULL), 0);
		s->has_thread = false;
	}
	return s->visit.problem[0] != '\0' ? s->visit.problem : NULL;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	(void)server_finish(s);
	close(s->listener);
	close(s->stop[0]);
	close(s->stop[1]);
	visit_host_tls_done(&s->host);
	visit_done(&s->visit);
	sem_destroy(&s->runs);
	free(s);
}

int
server_connections(const struct server *s)
{
	return s->connections;
}

int
server_resumed(const struct server *s)
{
	return s->visit.resumed;
}

const struct received *
server_clear(const struct server *s)
{
	return &s->visit.clear;
}

const struct received *
server_inside(const struct server *s)
{
	return &s->visit.inside;
}

const struct received *
server_wire(const struct server *s)
{
	return &s->visit.wire;
}

const struct received *
server_content(const struct server *s, size_t n)
{
	ck_assert_uint_lt(n, s->visit.contents_count);
	return &s->visit.contents[n];
}

size_t
server_contents(const struct server *s)
{
	return s->visit.contents_count;
}

bool
received_has(const struct received *received, const char *text)
{
	return memmem(received->data, received->len, text, strlen(text)) !=
	    NULL;
}
