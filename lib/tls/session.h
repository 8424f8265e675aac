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

/*
 * What the client does besides the public calls, for fewer system calls and
 * less memory. Everything public works as ever in between.
 *
 * Several writes can leave as one: stls_session_write_more() takes one record
 * like smtptls_session_write(), but what it becomes stays here until
 *
 *  - stls_session_flush() or smtptls_session_write() says SMTPTLS_OK: then
 *    everything up to there is with the kernel; when either says SMTPTLS_AGAIN
 *    some of it may be, and
 *  - so much waits that it is worth a system call (256 KiB). Then, with
 *    SMTPTLS_AGAIN, it has taken nothing.
 *
 * What GnuTLS says by itself, also close_notify, goes behind what waits.
 * Nothing is written while the program waits for input: flush before.
 *
 * @return SMTPTLS_OK; SMTPTLS_AGAIN: wait for POLLOUT, and repeat it with the
 *     same data; SMTPTLS_E_NOMEM: nothing was taken; as smtptls_session_write()
 */
int stls_session_write_more(struct smtptls_session *session, const void *data,
    size_t len, size_t *out_len);
int stls_session_flush(struct smtptls_session *session);

/* How many octets wait for a flush. */
size_t stls_session_unflushed(const struct smtptls_session *session);

/*
 * Never wait in a call, whatever the mode of the descriptor: as if it were
 * O_NONBLOCK. With a descriptor that is not, stls_session_wait_input() can be
 * used as well.
 */
void stls_session_set_dont_wait(struct smtptls_session *session);

/*
 * Wait for input and take it, in one system call: a recv(2) that blocks, so
 * only on a descriptor that does (on others it returns at once), with the time
 * limit set beforehand where it changed. Below 0 waits for ever, 0 not at all.
 * Good in a handshake as well.
 *
 * @return SMTPTLS_OK: reading will not wait; it also tells of the end and of
 *     errors; SMTPTLS_AGAIN: the time is up, perhaps much earlier than asked
 *     for, or a signal came; SMTPTLS_E_UNSUPPORTED: there are only callbacks;
 *     SMTPTLS_E_STATE: something waits to be flushed, for ever perhaps;
 *     SMTPTLS_E_NOMEM
 */
int stls_session_wait_input(struct smtptls_session *session, int timeout_ms);

/*
 * Whether nothing is there to be read and the last look left nothing behind:
 * another one would only find what came since.
 */
bool stls_session_input_drained(const struct smtptls_session *session);

/* Give back the memory that an idle session does not need; it comes back. */
void stls_session_trim(struct smtptls_session *session);

#endif
