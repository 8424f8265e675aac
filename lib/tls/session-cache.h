/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_SESSION_CACHE_H
#define STLS_TLS_SESSION_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include <smtptls/session-cache.h>
#include <smtptls/session.h>

/*
 * What a session may be resumed for, as a digest: whoever asks for it has the
 * very same server, policy and identity as who saved it. What goes into it is
 * up to the caller; the context and the host are looked at once more when a
 * session is resumed.
 */
#define STLS_SESSION_KEY_LEN 32

/*
 * Let a new session resume what is there for the key, and take that away: a
 * ticket is for one session (RFC 8446 appendix C.4). Never fails: without it
 * the handshake is a full one.
 */
void stls_session_cache_resume(struct smtptls_session_cache *cache,
    const unsigned char key[STLS_SESSION_KEY_LEN],
    struct smtptls_session *session);

/*
 * Keep what the server gave, if it has come already. True: it has, and there is
 * no need to ask again.
 */
bool stls_session_cache_save(struct smtptls_session_cache *cache,
    const unsigned char key[STLS_SESSION_KEY_LEN],
    struct smtptls_session *session);

/* How many there are. */
size_t stls_session_cache_count(struct smtptls_session_cache *cache);

#endif
