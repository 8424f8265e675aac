/* SPDX-License-Identifier: MIT */
#include "load/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load/conn.h"

/* How long what has begun may take when the clients are gone. */
#define LAST_MS 5000
/* Who leaves listening to the kernel gets no more than it has. */
#define BACKLOG 4096

/* In front of the connections: the control, and the two listeners. */
enum {
	CONTROL,
	TLS,
	STARTTLS,
	LISTENERS
};

struct hall {
	struct shop shop;
	struct pollfd *pfds;
	struct conn **conns; /* the same indices */
	size_t count, cap;
	uint64_t connections;
	long long last_tick;
};

static void
fatal(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void
must(int r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "server: %s\n", gnutls_strerror(r));
	exit(EXIT_FAILURE);
}

static long long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int
listen_somewhere(uint16_t *out_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&in, len) < 0 ||
	    listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		fatal("listen");
	*out_port = ntohs(in.sin_port);
	return fd;
}

static void
set_up(struct shop *shop, const struct server_options *options)
{
	gnutls_x509_crt_t chain[1] = { options->certs->server };
	unsigned int i;

	shop->lie = options->lie;
	shop->has_faults = options->has_faults;
	must(gnutls_certificate_allocate_credentials(&shop->credentials));
	must(gnutls_certificate_set_x509_key(
	    shop->credentials, chain, 1, options->certs->key));
	for (i = 0; i < 2; i++) {
		must(gnutls_priority_init(&shop->priorities[i],
		    i == 0 ? "NORMAL" : "NORMAL:-VERS-TLS1.3", NULL));
		must(gnutls_session_ticket_key_generate(&shop->ticket_keys[i]));
	}
}

static void
add(struct hall *hall, int fd, struct conn *conn)
{
	if (hall->count == hall->cap) {
		hall->cap = hall->cap * 2 + 64;
		hall->pfds = realloc(
		    hall->pfds, hall->cap * sizeof(*hall->pfds));
		hall->conns = realloc(
		    hall->conns, hall->cap * sizeof(*hall->conns));
		if (hall->pfds == NULL || hall->conns == NULL)
			abort();
	}
	hall->pfds[hall->count] = (struct pollfd){ .fd = fd, .events = POLLIN };
	hall->conns[hall->count++] = conn;
}

static void
accept_all(struct hall *hall, size_t listener)
{
	int fd;

	while ((fd = accept4(hall->pfds[listener].fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		add(hall, fd,
		    conn_open(
			&hall->shop, fd, listener == TLS, hall->connections++));
	if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		fatal("accept");
}

/* Each millisecond who drips may let go of something. */
static bool
tick(struct hall *hall)
{
	long long now = now_ms();
	bool is_new = now != hall->last_tick;

	hall->last_tick = now;
	return is_new;
}

static void
serve(struct hall *hall, bool is_tick)
{
	struct pollfd *pfd;
	struct conn *conn;
	size_t i;

	for (i = hall->count; i > LISTENERS; i--) {
		conn = hall->conns[i - 1];
		pfd = &hall->pfds[i - 1];
		if (is_tick && conn->plan.fault == FAULT_DRIP) {
			conn->allowance = conn->plan.drip;
			pfd->revents |= POLLOUT;
		}
		if (pfd->revents != 0)
			conn_go_on(conn, pfd->revents);
		if (!conn->is_broken)
			continue;
		conn_close(conn);
		hall->count--;
		hall->conns[i - 1] = hall->conns[hall->count];
		*pfd = hall->pfds[hall->count];
	}
}

/* @return whether somebody drips */
static bool
ask_all(struct hall *hall)
{
	bool drips = false;
	size_t i;

	for (i = LISTENERS; i < hall->count; i++) {
		hall->pfds[i].events = conn_events(hall->conns[i]);
		drips |= hall->conns[i]->plan.fault == FAULT_DRIP;
	}
	return drips;
}

/* False: the clients are gone, and it is over. */
static bool
run_once(struct hall *hall, long long *until)
{
	bool drips = ask_all(hall);

	if (poll(hall->pfds, (nfds_t)hall->count, drips ? 1 : 100) < 0 &&
	    errno != EINTR)
		fatal("poll");
	serve(hall, tick(hall));
	if ((hall->pfds[TLS].revents & POLLIN) != 0)
		accept_all(hall, TLS);
	if ((hall->pfds[STARTTLS].revents & POLLIN) != 0)
		accept_all(hall, STARTTLS);
	if (hall->pfds[CONTROL].revents != 0 && *until == 0) {
		*until = now_ms() + LAST_MS;
		hall->pfds[CONTROL].fd = -1;
	}
	return *until == 0 || (hall->count > LISTENERS && now_ms() < *until);
}

static void
run(const int fds[LISTENERS], struct books *books,
    const struct server_options *options)
{
	struct hall hall = { .shop.books = books };
	long long until = 0;
	size_t i;

	set_up(&hall.shop, options);
	for (i = 0; i < LISTENERS; i++)
		add(&hall, fds[i], NULL);
	while (run_once(&hall, &until))
		;
	/* Without cleaning up: what it has of its parent is not its own. */
	_exit(hall.count == LISTENERS ? EXIT_SUCCESS : EXIT_FAILURE);
}

void
server_start(struct server *server, struct books *books,
    const struct server_options *options)
{
	int fds[LISTENERS], control[2];

	if (pipe(control) < 0)
		fatal("pipe");
	fds[CONTROL] = control[0];
	fds[TLS] = listen_somewhere(&server->tls_port);
	fds[STARTTLS] = listen_somewhere(&server->starttls_port);
	fflush(stdout);
	server->pid = fork();
	if (server->pid < 0)
		fatal("fork");
	if (server->pid == 0) {
		close(control[1]);
		signal(SIGPIPE, SIG_IGN);
		run(fds, books, options);
	}
	close(fds[CONTROL]);
	close(fds[TLS]);
	close(fds[STARTTLS]);
	server->control = control[1];
}

bool
server_finish(struct server *server)
{
	int status = 0;

	close(server->control);
	while (waitpid(server->pid, &status, 0) < 0) {
		if (errno != EINTR)
			fatal("waitpid");
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
