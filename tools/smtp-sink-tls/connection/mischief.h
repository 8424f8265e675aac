/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONNECTION_MISCHIEF_H
#define SINK_CONNECTION_MISCHIEF_H

#include "connection/conn.h"

/*
 * Mischief with a connection: conn.c calls these where there is some, in the
 * place of what a good server does.
 */

/*
 * Write the replies, or what becomes of them. SMTPTLS_AGAIN: some are on their
 * way still, or it goes on otherwise.
 */
int sink_mischief_flush(struct sink_conn *conn, int64_t now);

/* Whether something is being said, so that no input is looked at. */
bool sink_mischief_is_busy(const struct sink_conn *conn);

/* Let leave what was written, as sink_wire_send(). */
int sink_mischief_send(struct sink_conn *conn, int64_t now);

/* End it, or go on without answers. SMTPTLS_AGAIN, or below 0: free it. */
int sink_mischief_end(struct sink_conn *conn, enum sink_end how, int64_t now);

/* In mischief-tls.c. */

/* The context for the next handshake. */
struct smtptls_context *sink_mischief_context(struct sink_conn *conn);

/* TLS is to begin: after 220, or from the first octet on. */
int sink_mischief_begin_tls(struct sink_conn *conn, int64_t now);

/* The handshake is to go on. */
int sink_mischief_on_hello(struct sink_conn *conn);

/* The handshake is done. */
void sink_mischief_tls_started(struct sink_conn *conn);

/*
 * Messages of TLS that nobody asked for, a few at a time. Returns false when
 * there is no more of it.
 */
bool sink_mischief_storm(struct sink_conn *conn);
bool sink_mischief_is_storming(const struct sink_conn *conn);

#endif
