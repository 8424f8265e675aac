/* SPDX-License-Identifier: MIT */
#include "net/connector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "net/resolver.h"
#include "net/socket.h"

/* RFC 8305 section 5, "Connection Attempt Delay": what it recommends. */
#define ATTEMPT_DELAY_MS 250

/* In the place of errno: the time limit of the attempt has passed. */
#define TOOK_TOO_LONG (-1)

static void
close_fd(const struct stls_connector *c, int fd)
{
	if (c->closing != NULL)
		c->closing(fd, c->arg);
	close(fd);
}

static void
free_resolver(struct stls_connector *c)
{
	if (c->resolver != NULL && c->closing != NULL)
		c->closing(stls_resolver_fd(c->resolver), c->arg);
	stls_resolver_free(c->resolver);
	c->resolver = NULL;
}

/* The attempt is none any more; its socket is the caller's. */
static void
forget_attempt(struct stls_connector *c, size_t i)
{
	c->attempt_count--;
	memmove(&c->attempts[i], &c->attempts[i + 1],
	    (c->attempt_count - i) * sizeof(c->attempts[0]));
}

static void
close_attempts(struct stls_connector *c)
{
	while (c->attempt_count > 0) {
		close_fd(c, c->attempts[0].fd);
		forget_attempt(c, 0);
	}
}

static void
name_peer(struct stls_connector *c, const struct stls_endpoint *address)
{
	if (address != NULL)
		stls_endpoint_format(&address->sock.any, c->peer);
}

/* Why it failed says something about this machine, and not the server. */
static bool
has_no_way(int errnum)
{
	return errnum == ENETUNREACH || errnum == EAFNOSUPPORT ||
	    errnum == EADDRNOTAVAIL;
}

static bool
lacks_resources(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM ||
	    errnum == ENOBUFS;
}

/*
 * Take note that an attempt came to nothing. On a machine without IPv6 its
 * addresses fail as well; what became of the others is what helps.
 */
static void
note_failure(
    struct stls_connector *c, const struct stls_endpoint *address, int errnum)
{
	/* Nothing is left to wait for. */
	c->next_at = 0;
	c->last_is_told = !has_no_way(errnum) || c->last.code == SMTPTLS_OK;
	if (!c->last_is_told)
		return;
	name_peer(c, address);
	if (errnum == TOOK_TOO_LONG)
		stls_err_set(&c->last, SMTPTLS_E_TIMEOUT,
		    "connection to %s: no answer within %d ms", c->peer,
		    c->attempt_timeout_ms);
	else
		stls_err_errno(&c->last, SMTPTLS_E_CONNECT, errnum,
		    "connection to %s", c->peer);
}

/* Begin to connect: 0, or errno. */
static int
open_socket(const struct sockaddr *address, socklen_t len, int *out_fd)
{
	int fd, e;

	if (stls_socket_new(address->sa_family, &fd) < 0)
		return errno;
	if (address->sa_family != AF_UNIX)
		stls_socket_set_nodelay(fd);
	/* After EINTR it goes on in the background, as with EINPROGRESS. */
	if (connect(fd, address, len) < 0 && errno != EINPROGRESS &&
	    errno != EINTR) {
		e = errno;
		close(fd);
		return e;
	}
	*out_fd = fd;
	return 0;
}

/* `e` is what open_socket() said, `fd` what it gave. */
static void
add_attempt(struct stls_connector *c, const struct stls_endpoint *address,
    int e, int fd)
{
	c->tried++;
	if (e != 0) {
		note_failure(c, address, e);
		return;
	}
	c->attempts[c->attempt_count++] = (struct stls_attempt){
		.fd = fd,
		.address = address,
		.deadline = stls_deadline_in(c->attempt_timeout_ms),
	};
	c->next_at = stls_deadline_in(ATTEMPT_DELAY_MS);
}

static bool
may_begin(const struct stls_connector *c)
{
	if (c->next == c->address_count ||
	    c->attempt_count == STLS_ATTEMPTS_MAX)
		return false;
	return c->attempt_count == 0 || stls_deadline_left_ms(c->next_at) == 0;
}

static void
begin_next(struct stls_connector *c)
{
	const struct stls_endpoint *address = &c->addresses[c->next];
	int e, fd = -1;

	e = open_socket(&address->sock.any, address->len, &fd);
	/* Later there may be a descriptor; meanwhile others may win. */
	if (lacks_resources(e) && c->attempt_count > 0) {
		c->next_at = stls_deadline_in(ATTEMPT_DELAY_MS);
		return;
	}
	c->next++;
	add_attempt(c, address, e, fd);
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

/* 0: connected; EINPROGRESS: not yet; TOOK_TOO_LONG; or why it failed. */
static int
result_of(const struct stls_attempt *attempt, short revents)
{
	socklen_t len = sizeof(int);
	int errnum = 0;

	if (revents == 0)
		return stls_deadline_left_ms(attempt->deadline) != 0
		    ? EINPROGRESS
		    : TOOK_TOO_LONG;
	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
		errnum = errno;
	if (errnum == 0 && is_connected_to_itself(attempt->fd))
		errnum = ECONNREFUSED;
	return errnum;
}

/* SMTPTLS_OK: one is connected, and the others are closed. */
static int
check_attempts(struct stls_connector *c, int *out_fd)
{
	struct pollfd fds[STLS_ATTEMPTS_MAX];
	struct stls_attempt attempt;
	size_t count, i, at = 0;
	int e;

	count = stls_connector_pollfds(c, fds, STLS_ATTEMPTS_MAX);
	/* Never waits, so EINTR is as good as not yet. */
	if (count > 0)
		(void)poll(fds, (nfds_t)count, 0);
	for (i = 0; i < count; i++) {
		e = result_of(&c->attempts[at], fds[i].revents);
		if (e == EINPROGRESS) {
			at++;
			continue;
		}
		attempt = c->attempts[at];
		forget_attempt(c, at);
		if (e == 0) {
			name_peer(c, attempt.address);
			close_attempts(c);
			*out_fd = attempt.fd;
			return SMTPTLS_OK;
		}
		close_fd(c, attempt.fd);
		note_failure(c, attempt.address, e);
	}
	return SMTPTLS_AGAIN;
}

static int
set_addresses(struct stls_connector *c, struct stls_err *err,
    const struct stls_endpoint *addresses, size_t count)
{
	if (count > STLS_ENDPOINTS_MAX)
		count = STLS_ENDPOINTS_MAX;
	c->addresses = stls_alloc_array(count, sizeof(*addresses));
	if (c->addresses == NULL)
		return stls_err_nomem(err);
	c->address_count = count;
	stls_endpoints_interleave(addresses, count, c->addresses, count);
	return SMTPTLS_OK;
}

/* SMTPTLS_OK: the addresses are there. */
static int
check_resolver(struct stls_connector *c, struct stls_err *err)
{
	struct stls_endpoint *addresses = NULL;
	size_t count;
	int r;

	r = stls_resolver_take(
	    c->resolver, err, &addresses, &count, &c->host_does_not_exist);
	if (r == SMTPTLS_AGAIN &&
	    stls_deadline_left_ms(c->resolver_deadline) == 0)
		r = stls_err_set(err, SMTPTLS_E_TIMEOUT,
		    "the name service does not answer for %s within %d ms",
		    stls_resolver_name(c->resolver), c->attempt_timeout_ms);
	if (r == SMTPTLS_AGAIN)
		return r;
	if (r == SMTPTLS_OK)
		r = set_addresses(c, err, addresses, count);
	if (r < 0)
		stls_err_copy(&c->last, err);
	free(addresses);
	free_resolver(c);
	return r;
}

/* The only or last address failed. */
static int
fail(struct stls_connector *c, struct stls_err *err)
{
	stls_err_copy(err, &c->last);
	if (c->tried <= 1)
		return err->code;
	return stls_err_set(err, c->last.code, "%s (%s of %u addresses)",
	    stls_err_text(&c->last), c->last_is_told ? "the last" : "one",
	    c->tried);
}

static int
start_unix(struct stls_connector *c, struct stls_err *err, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int e, fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "path of a unix socket is longer than %zu bytes",
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	stls_endpoint_format((const struct sockaddr *)&address, c->peer);
	e = open_socket(
	    (const struct sockaddr *)&address, sizeof(address), &fd);
	add_attempt(c, NULL, e, fd);
	return e == 0 ? SMTPTLS_OK : fail(c, err);
}

int
stls_connector_start(struct stls_connector *c, struct stls_err *err,
    const struct stls_place *place, int attempt_timeout_ms)
{
	struct stls_endpoint address;

	memset(c, 0, sizeof(*c));
	c->attempt_timeout_ms = attempt_timeout_ms;
	if (place->unix_path != NULL)
		return start_unix(c, err, place->unix_path);
	if (place->address_count > 0)
		return set_addresses(
		    c, err, place->addresses, place->address_count);
	if (place->host->is_ip) {
		stls_endpoint_of(place->host, place->port, &address);
		return set_addresses(c, err, &address, 1);
	}
	c->resolver_deadline = stls_deadline_in(attempt_timeout_ms);
	return stls_resolver_start(err, place->host, place->port, &c->resolver);
}

int
stls_connector_drive(
    struct stls_connector *c, struct stls_err *err, int *out_fd)
{
	int r;

	if (c->resolver != NULL) {
		r = check_resolver(c, err);
		if (r != SMTPTLS_OK)
			return r;
	}
	for (;;) {
		r = check_attempts(c, out_fd);
		if (r == SMTPTLS_OK)
			return r;
		if (!may_begin(c))
			break;
		begin_next(c);
	}
	return c->attempt_count > 0 ? SMTPTLS_AGAIN : fail(c, err);
}

size_t
stls_connector_pollfds(
    const struct stls_connector *c, struct pollfd *fds, size_t max)
{
	size_t i;

	if (c->resolver != NULL && max > 0)
		fds[0] = (struct pollfd){ .fd = stls_resolver_fd(c->resolver),
			.events = POLLIN };
	if (c->resolver != NULL)
		return 1;
	for (i = 0; i < c->attempt_count && i < max; i++)
		fds[i] = (struct pollfd){ .fd = c->attempts[i].fd,
			.events = POLLOUT };
	return c->attempt_count;
}

stls_deadline
stls_connector_deadline(const struct stls_connector *c)
{
	stls_deadline first = STLS_NEVER;
	size_t i;

	if (c->resolver != NULL)
		return c->resolver_deadline;
	if (c->attempt_count == 0)
		return 0;
	for (i = 0; i < c->attempt_count; i++)
		first = stls_deadline_first(first, c->attempts[i].deadline);
	if (c->next < c->address_count && c->attempt_count < STLS_ATTEMPTS_MAX)
		first = stls_deadline_first(first, c->next_at);
	return first;
}

void
stls_connector_done(struct stls_connector *c)
{
	free_resolver(c);
	close_attempts(c);
	free(c->addresses);
	memset(c, 0, sizeof(*c));
}
