/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_CONN_H
#define SINK_MISCHIEF_CONN_H

#include "conn.h"

/*
 * Mischief with a connection: called by conn.c in the place of what a good
 * server does, where the policy has some.
 */

/*
 * Write the replies, or what becomes of them. SMTPTLS_AGAIN: some are on their
 * way still, or the connection is over and lingers.
 */
int sink_mischief_flush(struct sink_conn *conn, int64_t now);

#endif
