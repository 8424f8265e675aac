/* SPDX-License-Identifier: MIT */
/* What is done to TLS: see connection/mischief.h. */
#include "connection/mischief.h"

#include <string.h>

#include <gnutls/gnutls.h>

#include <smtptls/status.h>

#include "tls/session.h"

#include "conversation/misbehaviour.h"

/* One connection does not keep the others waiting for longer. */
#define MESSAGES_PER_TURN 64

static const char injected[] = "250-localhost\r\n250 AUTH PLAIN LOGIN\r\n";

static const struct sink_mischief *
mischief_of(const struct sink_conn *conn)
{
	return conn->config->policy->mischief;
}

struct smtptls_context *
sink_mischief_context(struct sink_conn *conn)
{
	const struct sink_conn_config *config = conn->config;
	enum sink_tls_mischief what = mischief_of(conn)->row->tls;

	if (what != SINK_TLS_CERTIFICATE &&
	    (what != SINK_TLS_CERTIFICATE_CHANGES ||
		config->policy->stats->handshakes == 0))
		return config->context;
	sink_mischief_note(&conn->smtp);
	return config->bad_context;
}

/* Put something on the wire that is not within TLS. */
static void
inject(struct sink_conn *conn)
{
	(void)sink_wire_write(injected, strlen(injected), &conn->wire);
	sink_mischief_note(&conn->smtp);
}

/* As if there were TLS, but in clear. */
static void
go_on_in_clear(struct sink_conn *conn)
{
	static const char hello[] = "EHLO localhost\r\n";
	bool is_implicit = !conn->smtp.wants_tls;

	smtptls_session_free(conn->tls);
	conn->tls = NULL;
	conn->phase = SINK_CONN_TALK;
	conn->is_eager = true;
	sink_smtp_tls_started(&conn->smtp);
	if (is_implicit)
		sink_smtp_greet(&conn->smtp);
	else
		(void)sink_smtp_feed(&conn->smtp, hello, strlen(hello));
	sink_mischief_note(&conn->smtp);
}

/* The words are plaintext, silence, close, garbage: see the table. */
static int
refuse_handshake(struct sink_conn *conn, int64_t now)
{
	static const char garbage[] = "\x16\x03\x03\xff\xff no TLS\r\n\r\n";
	unsigned int word = mischief_of(conn)->word;

	if (word == 0) {
		if (!conn->smtp.wants_tls)
			go_on_in_clear(conn);
		return SMTPTLS_OK;
	}
	smtptls_session_free(conn->tls);
	conn->tls = NULL;
	if (word == 3)
		(void)sink_wire_write(
		    garbage, sizeof(garbage) - 1, &conn->wire);
	sink_mischief_note(&conn->smtp);
	return sink_mischief_end(
	    conn, word == 1 ? SINK_END_SILENCE : SINK_END_CLOSE, now);
}

/* The words are 1.0 and 1.1. */
static int
set_old_version(struct sink_conn *conn)
{
	const char *priority = mischief_of(conn)->word == 0
	    ? "NORMAL:-VERS-ALL:+VERS-TLS1.0"
	    : "NORMAL:-VERS-ALL:+VERS-TLS1.1";

	sink_mischief_note(&conn->smtp);
	return gnutls_priority_set_direct(conn->tls->tls, priority, NULL) < 0
	    ? SMTPTLS_E_TLS
	    : SMTPTLS_OK;
}

int
sink_mischief_begin_tls(struct sink_conn *conn, int64_t now)
{
	switch (mischief_of(conn)->row->tls) {
	case SINK_TLS_INJECT_SEGMENT:
		inject(conn);
		return sink_mischief_send(conn, now) < 0 ? SMTPTLS_E_IO
							 : SMTPTLS_OK;
	case SINK_TLS_NONE:
		return refuse_handshake(conn, now);
	case SINK_TLS_OLD:
		return set_old_version(conn);
	case SINK_TLS_RENEGOTIATE:
		return gnutls_priority_set_direct(conn->tls->tls,
			   "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL) < 0
		    ? SMTPTLS_E_TLS
		    : SMTPTLS_OK;
	default:
		return SMTPTLS_OK;
	}
}

int
sink_mischief_on_hello(struct sink_conn *conn)
{
	if (!sink_wire_has_input(&conn->wire))
		return SMTPTLS_OK;
	switch (mischief_of(conn)->row->tls) {
	case SINK_TLS_INJECT_HELLO:
		if (conn->smtp.mischief.count++ == 0)
			inject(conn);
		return SMTPTLS_OK;
	case SINK_TLS_NONE:
		sink_wire_discard(&conn->wire);
		go_on_in_clear(conn);
		return SMTPTLS_AGAIN;
	default:
		return SMTPTLS_OK;
	}
}

void
sink_mischief_tls_started(struct sink_conn *conn)
{
	if (mischief_of(conn)->row->tls != SINK_TLS_CLEAR_AFTER)
		return;
	conn->is_clear = true;
	sink_mischief_note(&conn->smtp);
}

static int
send_message(gnutls_session_t tls, enum sink_tls_mischief what)
{
	switch (what) {
	case SINK_TLS_RENEGOTIATE:
		return gnutls_rehandshake(tls);
	case SINK_TLS_KEY_UPDATES:
		return gnutls_session_key_update(tls, GNUTLS_KU_PEER);
	case SINK_TLS_TICKETS:
		return gnutls_session_ticket_send(tls, 1, 0);
	default:
		return GNUTLS_E_INVALID_REQUEST;
	}
}

/* The number 0 is for ever. */
bool
sink_mischief_is_storming(const struct sink_conn *conn)
{
	const struct sink_mischief *mischief = mischief_of(conn);
	enum sink_tls_mischief what = mischief->row->tls;
	unsigned int count = conn->smtp.mischief.count;

	return conn->tls != NULL && conn->phase == SINK_CONN_TALK &&
	    (what == SINK_TLS_RENEGOTIATE || what == SINK_TLS_KEY_UPDATES ||
		what == SINK_TLS_TICKETS) &&
	    (mischief->number == 0 ? count != UINT32_MAX
				   : count < mischief->number);
}

bool
sink_mischief_storm(struct sink_conn *conn)
{
	struct sink_mischief_state *state = &conn->smtp.mischief;
	int i;

	if (!sink_mischief_is_storming(conn))
		return false;
	for (i = 0; i < MESSAGES_PER_TURN && sink_mischief_is_storming(conn) &&
	     !sink_wire_is_high(&conn->wire);
	     i++) {
		if (send_message(conn->tls->tls, mischief_of(conn)->row->tls) <
		    0) {
			/* This version of TLS has no such thing. */
			state->count = UINT32_MAX;
			return false;
		}
		state->count++;
		sink_mischief_note(&conn->smtp);
	}
	return true;
}
