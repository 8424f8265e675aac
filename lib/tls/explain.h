/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_EXPLAIN_H
#define STLS_TLS_EXPLAIN_H

#include "tls/session.h"

/*
 * Turn what GnuTLS said (`code` below 0) into a code and a sentence that help:
 * which version or suite is missing, what the peer speaks instead of TLS,
 * which alert it sent, what the system said about the socket.
 */
int stls_explain(struct smtptls_session *session, int code);

/* Whether what came from the peer, if anything, began like TLS. */
bool stls_explain_is_tls(const struct smtptls_session *session);

#endif
