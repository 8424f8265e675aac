/* SPDX-License-Identifier: MIT */
#include "net/connector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "net/resolver.h"
#include "net/socket.h"

static void
describe(struct stls_connector *c, const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	const struct sockaddr_un *un = (const void *)address;
	char text[INET6_ADDRSTRLEN];

	switch (address->sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		snprintf(c->peer, sizeof(c->peer), "%s:%u", text,
		    (unsigned int)ntohs(in->sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		snprintf(c->peer, sizeof(c->peer), "[%s]:%u", text,
		    (unsigned int)ntohs(in6->sin6_port));
		break;
	case AF_UNIX:
		snprintf(c->peer, sizeof(c->peer), "unix:");
		stls_escape(c->peer + 5, sizeof(c->peer) - 5, un->sun_path,
		    strnlen(un->sun_path, sizeof(un->sun_path)));
		break;
	default:
		snprintf(c->peer, sizeof(c->peer), "address family %d",
		    (int)address->sa_family);
		break;
	}
}

/* Take note that the attempt came to nothing. */
static void
give_up_attempt(struct stls_connector *c, int errnum)
{
	if (c->is_connecting)
		close(c->fd);
	c->is_connecting = false;
	stls_err_errno(
	    &c->last, SMTPTLS_E_CONNECT, errnum, "connection to %s", c->peer);
}

/* Begin to connect; what goes wrong is in c->last. */
static void
begin_attempt(
    struct stls_connector *c, const struct sockaddr *address, socklen_t len)
{
	c->attempts++;
	describe(c, address);
	if (stls_socket_new(address->sa_family, &c->fd) < 0) {
		give_up_attempt(c, errno);
		return;
	}
	c->is_connecting = true;
	/* Commands are small and each waits for its reply. */
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(
		    c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	/* After EINTR it goes on in the background, as with EINPROGRESS. */
	if (connect(c->fd, address, len) < 0 && errno != EINPROGRESS &&
	    errno != EINTR) {
		give_up_attempt(c, errno);
		return;
	}
	c->attempt_deadline = stls_deadline_in(c->attempt_timeout_ms);
}

/*
 * A port of the local machine where nobody listens may be drawn as the local
 * port of the very connection to it: TCP then connects to itself.
 */
static bool
is_connected_to_itself(int fd)
{
	struct sockaddr_storage local = { 0 }, remote = { 0 };
	socklen_t local_len = sizeof(local), remote_len = sizeof(remote);

	if (getsockname(fd, (struct sockaddr *)&local, &local_len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&remote, &remote_len) < 0)
		return false;
	return local.ss_family != AF_UNIX && local_len == remote_len &&
	    memcmp(&local, &remote, local_len) == 0;
}

/* SMTPTLS_OK, SMTPTLS_AGAIN, or below 0 with the reason in c->last. */
static int
check_attempt(struct stls_connector *c)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int errnum = 0;

	/* Never waits, so EINTR is as good as not yet. */
	if (poll(&pfd, 1, 0) <= 0) {
		if (stls_deadline_left_ms(c->attempt_deadline) != 0)
			return SMTPTLS_AGAIN;
		give_up_attempt(c, ETIMEDOUT);
		return stls_err_set(&c->last, SMTPTLS_E_TIMEOUT,
		    "connection to %s: no answer within %d ms", c->peer,
		    c->attempt_timeout_ms);
	}
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
		errnum = errno;
	if (errnum == 0 && is_connected_to_itself(c->fd))
		errnum = ECONNREFUSED;
	if (errnum == 0)
		return SMTPTLS_OK;
	give_up_attempt(c, errnum);
	return c->last.code;
}

/* SMTPTLS_OK: the addresses are there. */
static int
check_resolver(struct stls_connector *c, struct stls_err *err)
{
	int r;

	r = stls_resolver_take(
	    c->resolver, err, &c->addresses, &c->host_does_not_exist);
	if (r == SMTPTLS_AGAIN &&
	    stls_deadline_left_ms(c->attempt_deadline) == 0)
		r = stls_err_set(err, SMTPTLS_E_TIMEOUT,
		    "the name service does not answer for %s within %d ms",
		    stls_resolver_name(c->resolver), c->attempt_timeout_ms);
	if (r == SMTPTLS_AGAIN)
		return r;
	if (r < 0)
		stls_err_copy(&c->last, err);
	stls_resolver_free(c->resolver);
	c->resolver = NULL;
	c->next = c->addresses;
	return r;
}

/* The only or last address failed. */
static int
fail(struct stls_connector *c, struct stls_err *err)
{
	stls_err_copy(err, &c->last);
	if (c->attempts <= 1)
		return err->code;
	return stls_err_set(err, c->last.code, "%s (the last of %u addresses)",
	    stls_err_text(&c->last), c->attempts);
}

static int
start_unix(struct stls_connector *c, struct stls_err *err, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "path of a unix socket is longer than %zu bytes",
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	begin_attempt(c, (const struct sockaddr *)&address, sizeof(address));
	return c->is_connecting ? SMTPTLS_OK : fail(c, err);
}

int
stls_connector_start(struct stls_connector *c, struct stls_err *err,
    const struct stls_place *place, int attempt_timeout_ms)
{
	int r;

	memset(c, 0, sizeof(*c));
	c->attempt_timeout_ms = attempt_timeout_ms;
	if (place->unix_path != NULL)
		return start_unix(c, err, place->unix_path);
	if (!place->host.is_ip) {
		c->attempt_deadline = stls_deadline_in(attempt_timeout_ms);
		return stls_resolver_start(
		    err, &place->host, place->port, &c->resolver);
	}
	r = stls_resolver_literal(
	    err, &place->host, place->port, &c->addresses);
	c->next = c->addresses;
	return r;
}

int
stls_connector_drive(
    struct stls_connector *c, struct stls_err *err, int *out_fd)
{
	const struct addrinfo *address;
	int r;

	if (c->resolver != NULL) {
		r = check_resolver(c, err);
		if (r != SMTPTLS_OK)
			return r;
	}
	for (;;) {
		if (c->is_connecting) {
			r = check_attempt(c);
			if (r == SMTPTLS_AGAIN)
				return r;
			if (r == SMTPTLS_OK) {
				*out_fd = c->fd;
				c->is_connecting = false;
				return SMTPTLS_OK;
			}
		}
		if (c->next == NULL)
			return fail(c, err);
		address = c->next;
		c->next = address->ai_next;
		begin_attempt(c, address->ai_addr, address->ai_addrlen);
	}
}

size_t
stls_connector_pollfds(
    const struct stls_connector *c, struct pollfd *fds, size_t max)
{
	if (c->resolver == NULL && !c->is_connecting)
		return 0;
	if (max > 0) {
		fds[0].fd = c->is_connecting ? c->fd
					     : stls_resolver_fd(c->resolver);
		fds[0].events = c->is_connecting ? POLLOUT : POLLIN;
		fds[0].revents = 0;
	}
	return 1;
}

stls_deadline
stls_connector_deadline(const struct stls_connector *c)
{
	if (c->resolver == NULL && !c->is_connecting)
		return 0;
	return c->attempt_deadline;
}

void
stls_connector_done(struct stls_connector *c)
{
	stls_resolver_free(c->resolver);
	if (c->addresses != NULL)
		freeaddrinfo(c->addresses);
	if (c->is_connecting)
		close(c->fd);
	memset(c, 0, sizeof(*c));
}
