/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_CONNECTOR_H
#define STLS_NET_CONNECTOR_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/url.h"

/*
 * Makes one connected, non-blocking TCP or unix socket without ever blocking:
 * names are resolved in a helper thread with a descriptor to poll, addresses
 * are tried one after another in the order of getaddrinfo(3).
 *
 * Zero-initialised it is unused. One use: start, drive until it is not
 * SMTPTLS_AGAIN, done. What it is waiting for is in pollfds and deadline.
 */
struct stls_connector {
	struct stls_resolver *resolver; /* NULL once the addresses are there */
	struct addrinfo *addresses;	/* all, to free */
	const struct addrinfo *next;	/* the one to try next */
	unsigned int attempts;		/* so far */
	bool is_connecting;		/* fd is a socket of ours */
	int fd;
	stls_deadline attempt_deadline;
	int attempt_timeout_ms;
	struct stls_err last; /* why the last attempt failed */

	/* For the caller: */
	bool host_does_not_exist; /* why it was SMTPTLS_E_RESOLVE */
	char peer[128]; /* "192.0.2.1:587", "[2001:db8::1]:465", "unix:/x" */
};

/*
 * Begin. SMTPTLS_OK, or a failure that needs no waiting. attempt_timeout_ms
 * bounds the resolution and then each attempt on its own; -1: it does not.
 */
int stls_connector_start(struct stls_connector *c, struct stls_err *err,
    const struct stls_place *place, int attempt_timeout_ms);

/*
 * Go on. SMTPTLS_OK: *out_fd is a connected socket (close-on-exec,
 * non-blocking, TCP_NODELAY) that belongs to the caller, and c->peer names
 * it. SMTPTLS_AGAIN: wait. SMTPTLS_E_RESOLVE: see host_does_not_exist.
 * SMTPTLS_E_CONNECT or SMTPTLS_E_TIMEOUT: what became of the last address.
 */
int stls_connector_drive(
    struct stls_connector *c, struct stls_err *err, int *out_fd);

/*
 * What to wait for: at most one entry. Returns how many: with 0, drive has
 * something to do at once, and the deadline says so.
 */
size_t stls_connector_pollfds(
    const struct stls_connector *c, struct pollfd *fds, size_t max);
stls_deadline stls_connector_deadline(const struct stls_connector *c);

/*
 * Give up and free; copes with a zeroed struct. A helper thread that still
 * resolves is left behind: it owns its request and ends by itself.
 */
void stls_connector_done(struct stls_connector *c);

#endif
