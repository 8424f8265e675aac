/* SPDX-License-Identifier: MIT */
#ifndef SINK_SERVER_H
#define SINK_SERVER_H

#include <signal.h>
#include <stdint.h>

#include "base/err.h"

#include "connection/conn.h"
#include "conversation/smtp.h"

/* Where the server listens; a descriptor below 0 is not used. */
struct sink_listener {
	int fd;
	int port;
	bool is_implicit;
};

struct sink_server {
	struct sink_policy *policy;
	const struct sink_conn_config *conn_config;
	struct sink_listener smtp;
	struct sink_listener smtps;
	uint64_t max_messages; /* 0: without limit */
	int64_t end;	       /* when it ends by itself, as stls_now_ms() */
	sigset_t signals;      /* the mask while it waits */
};

/* Listen on 127.0.0.1; port 0 picks one. */
int sink_server_listen(
    struct stls_err *err, struct sink_listener *listener, int port);

/*
 * Let SIGTERM, SIGINT and SIGHUP end the server. They are let in only while
 * it waits, so that none is missed, whenever it comes after this call.
 */
void sink_server_catch_signals(struct sink_server *server);

/* Serve until the time is over, all messages are there or a signal comes. */
int sink_server_run(struct stls_err *err, struct sink_server *server);

#endif
