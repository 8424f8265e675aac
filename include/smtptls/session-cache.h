/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_SESSION_CACHE_H
#define SMTPTLS_SESSION_CACHE_H

#include <stddef.h>

#include <smtptls/status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/**
 * A session cache: what servers gave to resume TLS sessions with, so that the
 * next connection to the same server costs less.
 *
 * Clients that have it, by smtptls_client_set_session_cache(), keep what their
 * server gives, and begin with it. It is only for a client with the same URL,
 * place to connect to, context and credentials, and for one connection. The
 * server decides, and its certificate is verified again in any case: without
 * something to resume, or where the server does not, the handshake is a full
 * one, and nothing else is different.
 *
 * It may be used by many threads at once. It is counted: each client is a
 * holder. It lives in memory alone, and what is in it is wiped. In a forked
 * child it gives nothing and keeps nothing.
 */
struct smtptls_session_cache;

/**
 * Make a session cache.
 *
 * @param sessions_max  how many sessions to keep, 1 to 4096, of a few KiB each:
 *     the oldest make room for new ones. 0: 256.
 * @param out_cache  the cache; NULL on failure
 * @return SMTPTLS_OK, SMTPTLS_E_NOMEM; SMTPTLS_E_INVALID: sessions_max
 *
 * Since 0.1.
 */
int smtptls_session_cache_new(
    size_t sessions_max, struct smtptls_session_cache **out_cache);

/** Add a holder. @return the cache. Since 0.1. */
struct smtptls_session_cache *smtptls_session_cache_ref(
    struct smtptls_session_cache *cache);

/** Take a holder away; the last one wipes and frees. NULL is fine. */
void smtptls_session_cache_free(struct smtptls_session_cache *cache);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
