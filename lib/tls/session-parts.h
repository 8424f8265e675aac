/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_SESSION_PARTS_H
#define STLS_TLS_SESSION_PARTS_H

#include "tls/session.h"

/*
 * What the files of a session know of each other: session.c makes one,
 * session-handshake.c verifies the peer, session-data.c moves the bytes, and
 * session-facts.c tells what was agreed.
 */

/* session.c */

bool stls_session_is_client(const struct smtptls_session *session);

/* From here on there is nothing but smtptls_session_free(). */
int stls_session_fail(struct smtptls_session *session);

/* The call does not fit the state, which stays as it is. */
int stls_session_refuse_state(struct smtptls_session *session, const char *why);

/* session-handshake.c */

/*
 * In the middle of the handshake, where a client shows its certificate next:
 * who it is, only a server that is verified shall learn. The verdict that
 * counts is the one at the end: GnuTLS does not call this when it resumes.
 */
int stls_session_verify_early(gnutls_session_t tls);

/* session-data.c */

/* GnuTLS's hook for messages of a handshake, those behind it included. */
int stls_session_count_message(gnutls_session_t tls, unsigned int type,
    unsigned int when, unsigned int incoming, const gnutls_datum_t *message);

/*
 * What to do about an answer of GnuTLS below 0: call it again at once, wait,
 * or fail.
 */
bool stls_session_goes_on(struct smtptls_session *session, int r);
bool stls_session_is_to_wait(const struct smtptls_session *session, int r);
int stls_session_fail_with_gnutls(struct smtptls_session *session, int r);

/* Tell the peer why, as far as it goes without waiting. */
int stls_session_fail_with_alert(
    struct smtptls_session *session, gnutls_alert_description_t alert);

#endif
