/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_CONNECTOR_H
#define STLS_NET_CONNECTOR_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/endpoint.h"
#include "net/url.h"

/*
 * How many sockets are in flight at most. RFC 8305 sets no bound; there is one
 * because smtptls_client_pollfds() promises one.
 */
#define STLS_ATTEMPTS_MAX 6

/* A socket that is not connected yet. */
struct stls_attempt {
	int fd;
	const struct stls_endpoint *address; /* NULL: the unix socket */
	stls_deadline deadline;
};

/*
 * Makes one connected, non-blocking TCP or unix socket without ever blocking:
 * names are resolved in a helper thread with a descriptor to poll, addresses
 * race each other by RFC 8305 (Happy Eyeballs): a new attempt begins when the
 * one before has failed or has had some time for itself, the first that
 * connects wins, and the others are closed.
 *
 * Zero-initialised it is unused. One use: start, drive until it is not
 * SMTPTLS_AGAIN, done. What it is waiting for is in pollfds and deadline.
 */
struct stls_connector {
	struct stls_resolver *resolver; /* NULL once the addresses are there */
	stls_deadline resolver_deadline;
	struct stls_endpoint *addresses; /* in the order in which to try them */
	size_t address_count, next;	 /* the one to try next */
	stls_deadline next_at;		 /* and when, however the others do */
	struct stls_attempt attempts[STLS_ATTEMPTS_MAX];
	size_t attempt_count;
	unsigned int tried; /* attempts that there were, in all */
	bool last_is_told;  /* `last` is of the one that failed last */
	int attempt_timeout_ms;
	struct stls_err last; /* what to tell if no attempt comes through */

	/* From the caller, may be NULL: a descriptor is about to be closed. */
	void (*closing)(int fd, void *arg);
	void *arg;

	/* For the caller: */
	bool host_does_not_exist;	   /* why it was SMTPTLS_E_RESOLVE */
	char peer[STLS_ENDPOINT_TEXT_CAP]; /* of the last that failed or won */
};

/*
 * Begin. SMTPTLS_OK, or a failure that needs no waiting. attempt_timeout_ms
 * bounds the resolution and then each attempt on its own; -1: it does not.
 * `closing` and its arg are set afterwards, before anything else.
 */
int stls_connector_start(struct stls_connector *c, struct stls_err *err,
    const struct stls_place *place, int attempt_timeout_ms);

/*
 * Go on. SMTPTLS_OK: *out_fd is a connected socket (close-on-exec,
 * non-blocking, TCP_NODELAY) that belongs to the caller, and c->peer names
 * it. SMTPTLS_AGAIN: wait. SMTPTLS_E_RESOLVE: see host_does_not_exist.
 * SMTPTLS_E_CONNECT or SMTPTLS_E_TIMEOUT: what became of the last address, or
 * of the last one that there was a way to; SMTPTLS_E_NOMEM.
 */
int stls_connector_drive(
    struct stls_connector *c, struct stls_err *err, int *out_fd);

/*
 * What to wait for: at most STLS_ATTEMPTS_MAX entries. Returns how many: with
 * 0, drive has something to do at once, and the deadline says so.
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
