/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_SESSION_H
#define STLS_TLS_SESSION_H

#include <stdbool.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include <smtptls/session.h>

#include "base/err.h"
#include "base/fork.h"
#include "name/host.h"
#include "tls/context.h"
#include "tls/peer-cert.h"
#include "tls/transport.h"

enum stls_session_state {
	STLS_SESSION_NEW,
	STLS_SESSION_HANDSHAKE, /* begun, not done */
	STLS_SESSION_OPEN,
	STLS_SESSION_CLOSED, /* close_notify was said: only to read */
	STLS_SESSION_FAILED
};

struct smtptls_session {
	stls_fork_id made_in;
	enum stls_session_state state;
	struct stls_err err; /* of the last failure; sticky in FAILED */
	struct smtptls_context *context;
	gnutls_session_t tls;
	struct stls_transport transport;
	bool has_host;
	struct stls_host host;
	bool verified;
	time_t verified_until;
	bool sent_certificate;
	bool at_end;   /* the peer said close_notify */
	bool closing;  /* close_notify waits for its way out */
	size_t unsent; /* of a write that was not finished */
	/* Messages besides data since the last data: see count_message(). */
	unsigned int chatter;
	gnutls_keylog_func gnutls_keylog;
	/* What the session was resumed from, if the server agrees. */
	bool resumed_certificate;
	struct stls_peer_cert *peer_certs;
};

/*
 * What every call begins with: SMTPTLS_OK, or the failure the session is in,
 * or SMTPTLS_E_FORKED.
 */
int stls_session_enter(struct smtptls_session *session);

/* The same for getters, which have no failure to tell. */
bool stls_session_is_usable(const struct smtptls_session *session);

/* Whether there is something to tell about the handshake. */
bool stls_session_is_done(const struct smtptls_session *session);

#endif
