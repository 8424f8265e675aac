/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_RESOLVER_H
#define STLS_NET_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "name/host.h"
#include "net/endpoint.h"

/*
 * getaddrinfo(3) that does not block: it runs in a thread of its own, which
 * shares nothing with the caller but the request, and is left behind when the
 * caller gives up.
 */
struct stls_resolver;

/* SMTPTLS_OK, SMTPTLS_E_NOMEM, or SMTPTLS_E_RESOLVE: no descriptor, thread. */
int stls_resolver_start(struct stls_err *err, const struct stls_host *host,
    uint16_t port, struct stls_resolver **out_resolver);

/* The host it is for; lent. */
const char *stls_resolver_name(const struct stls_resolver *resolver);

/* Becomes readable when stls_resolver_take() has an answer; lent. */
int stls_resolver_fd(const struct stls_resolver *resolver);

/*
 * SMTPTLS_OK: *out_addresses are there, to be given to free(3), one at least.
 * SMTPTLS_AGAIN: wait. SMTPTLS_E_RESOLVE, with *out_does_not_exist telling
 * whether that is final or the name service just did not answer;
 * SMTPTLS_E_NOMEM.
 */
int stls_resolver_take(struct stls_resolver *resolver, struct stls_err *err,
    struct stls_endpoint **out_addresses, size_t *out_count,
    bool *out_does_not_exist);

/* Free, or leave to the thread to free; NULL is fine. */
void stls_resolver_free(struct stls_resolver *resolver);

#endif
