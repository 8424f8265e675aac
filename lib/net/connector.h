/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_CONNECTOR_H
#define STLS_NET_CONNECTOR_H

#include <poll.h>
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
	int fd;				/* being connected, -1 for none */
	stls_deadline attempt_deadline;
	int attempt_timeout_ms;
	char
	    peer[128]; /* "192.0.2.1:587", "[2001:db8::1]:465", "unix:/run/x" */
	struct stls_err last; /* why the last attempt failed */
};

/*
 * Begin. SMTPTLS_OK, or a failure that needs no waiting. attempt_timeout_ms
 * bounds the resolution and then each attempt on its own.
 */
int stls_connector_start(struct stls_connector *c, struct stls_err *err,
    const struct stls_place *place, int attempt_timeout_ms);

/*
 * Go on. SMTPTLS_OK: *out_fd is a connected socket (close-on-exec,
 * non-blocking, TCP_NODELAY) that belongs to the caller, and c->peer names
 * it. SMTPTLS_AGAIN: wait. SMTPTLS_E_RESOLVE with a sentence that tells "does
 * not exist" (errno is ENOENT then) from "name service did not answer";
 * SMTPTLS_E_CONNECT naming the last address and its errno; SMTPTLS_E_TIMEOUT.
 */
int stls_connector_drive(
    struct stls_connector *c, struct stls_err *err, int *out_fd);

/* What to wait for: at most one entry. Returns how many. */
size_t stls_connector_pollfds(
    const struct stls_connector *c, struct pollfd *fds, size_t max);
stls_deadline stls_connector_deadline(const struct stls_connector *c);

/*
 * Give up and free; copes with a zeroed struct. A helper thread that still
 * resolves is left behind: it owns its request and ends by itself.
 */
void stls_connector_done(struct stls_connector *c);

#endif
