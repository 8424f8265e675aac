/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONNECTION_CONN_H
#define SINK_CONNECTION_CONN_H

#include <stdbool.h>

#include <smtptls/context.h>
#include <smtptls/session.h>

#include "base/buf.h"
#include "base/deadline.h"

#include "connection/wire.h"
#include "conversation/smtp.h"

/* What connections need besides the policy of the conversation. */
struct sink_conn_config {
	const struct sink_policy *policy;
	struct smtptls_context *context;
	struct smtptls_context *bad_context; /* for mischief; or NULL */
	int delay_ms;
	int idle_ms;
};

enum sink_conn_phase {
	SINK_CONN_HANDSHAKE = 0,
	SINK_CONN_TALK,
	SINK_CONN_LINGER /* all is said: wait for the other side to close */
};

/*
 * One connection: a descriptor, with or without TLS, and the conversation on
 * it. Whoever owns it polls the descriptor for `events` until the earlier of
 * `gate` and `idle`, and then drives it.
 */
struct sink_conn {
	const struct sink_conn_config *config;
	struct sink_wire wire;
	enum sink_conn_phase phase;
	struct smtptls_session *tls; /* NULL: none yet */
	bool is_clear;		     /* mischief: replies go around it */
	struct stls_buf in;
	struct sink_smtp smtp;
	bool has_answered;    /* what comes next is another flight */
	unsigned int flights; /* since the last message was accepted */
	bool is_ended;	      /* the client closed as it should */
	short events;	      /* what to poll for; 0: only time counts */
	bool is_eager;	      /* there may be more to read: drive it at once */
	stls_deadline gate;   /* --delay-ms: input is looked at from then on */
	stls_deadline idle;
};

/* Take a descriptor over and begin. NULL: out of memory, it is closed. */
struct sink_conn *sink_conn_new(
    const struct sink_conn_config *config, int fd, bool is_implicit);

/*
 * Go on after the descriptor became ready, or after a time limit. Returns
 * false when it is over: then free it.
 */
bool sink_conn_drive(struct sink_conn *conn, bool is_ready, int64_t now);

/* Take leave as far as it can be done without waiting. */
void sink_conn_dismiss(struct sink_conn *conn);

void sink_conn_free(struct sink_conn *conn);

/*
 * The parts of it that mischief needs. Write SMTP, through TLS where it is
 * there; wait for the client to close, after FIN.
 */
int sink_conn_write(
    struct sink_conn *conn, const void *data, size_t len, size_t *out_len);
void sink_conn_linger(struct sink_conn *conn, int64_t now);

#endif
