/* SPDX-License-Identifier: MIT */
/* What comes and goes, in the handshake and behind it. */
#include "tls/session-parts.h"

#include <poll.h>

#include "tls/explain.h"

/*
 * Tickets, key updates and alerts that may come between two pieces of data.
 * Servers send up to four tickets at once, and rekey after gigabytes; nobody
 * who sends more than 32 of them means well, and each costs us work. A message
 * of a handshake counts when it comes and when GnuTLS returns because of it.
 */
#define CHATTER_MAX 64

/* The most that a record holds (RFC 8446 section 5.1). */
#define RECORD_MAX 16384

/*
 * GnuTLS answers key updates and swallows tickets by itself, without end.
 * This is called for each message of a handshake, those behind it included.
 */
int
stls_session_count_message(gnutls_session_t tls, unsigned int type,
    unsigned int when, unsigned int incoming, const gnutls_datum_t *message)
{
	struct smtptls_session *session = gnutls_session_get_ptr(tls);

	(void)type;
	(void)when;
	(void)message;
	if (session->state != STLS_SESSION_OPEN &&
	    session->state != STLS_SESSION_CLOSED)
		return 0;
	if (incoming != 0 && ++session->chatter > CHATTER_MAX)
		return GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS;
	return 0;
}

/* Tell the peer why, as far as it goes without waiting. */
int
stls_session_fail_with_alert(
    struct smtptls_session *session, gnutls_alert_description_t alert)
{
	(void)gnutls_alert_send(session->tls, GNUTLS_AL_FATAL, alert);
	return stls_session_fail(session);
}

/*
 * Whether GnuTLS only has something to say, or is to be called again. It also
 * says AGAIN after a message that is no data, such as a ticket: there may be
 * more in the buffer, of which poll(2) knows nothing. And after each piece of
 * what comes or goes in pieces, which are no messages.
 */
bool
stls_session_goes_on(struct smtptls_session *session, int r)
{
	bool blocked = session->transport.would_block;
	bool in_pieces = session->transport.was_short && !blocked;

	session->transport.would_block = false;
	session->transport.was_short = false;
	if (r == GNUTLS_E_INTERRUPTED || (r == GNUTLS_E_AGAIN && in_pieces))
		return true;
	if (r != GNUTLS_E_WARNING_ALERT_RECEIVED &&
	    (r != GNUTLS_E_AGAIN || blocked))
		return false;
	return ++session->chatter <= CHATTER_MAX;
}

bool
stls_session_is_to_wait(const struct smtptls_session *session, int r)
{
	return r == GNUTLS_E_AGAIN && session->chatter <= CHATTER_MAX;
}

int
stls_session_fail_with_gnutls(struct smtptls_session *session, int r)
{
	if (r == GNUTLS_E_WARNING_ALERT_RECEIVED || r == GNUTLS_E_AGAIN)
		r = GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS;
	/* Who verified early has told why, and that is the better sentence. */
	if (r == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		return stls_session_fail_with_alert(
		    session, GNUTLS_A_BAD_CERTIFICATE);
	(void)stls_explain(session, r);
	if (session->err.code != SMTPTLS_E_IO &&
	    r != GNUTLS_E_FATAL_ALERT_RECEIVED && stls_explain_is_tls(session))
		(void)gnutls_alert_send_appropriate(session->tls, r);
	return stls_session_fail(session);
}

int
smtptls_session_read(
    struct smtptls_session *session, void *buf, size_t cap, size_t *out_len)
{
	ssize_t n;
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (!stls_session_is_done(session))
		return stls_session_refuse_state(
		    session, "the handshake is not done");
	if (buf == NULL || cap == 0 || out_len == NULL)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "there is no place to read to");
	if (session->at_end) {
		*out_len = 0;
		return SMTPTLS_OK;
	}
	if (stls_transport_prepare(&session->transport) < 0)
		return stls_err_nomem(&session->err);
	/* A write may have come to EAGAIN since. */
	session->transport.would_block = false;
	do {
		n = gnutls_record_recv(session->tls, buf, cap);
	} while (n < 0 && stls_session_goes_on(session, (int)n));
	if (stls_session_is_to_wait(session, (int)n))
		return SMTPTLS_AGAIN;
	if (n < 0)
		return stls_session_fail_with_gnutls(session, (int)n);
	session->at_end = n == 0;
	session->chatter = 0;
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

/* Why writing failed, the peer may have said before it closed: read on. */
static int
fail_writing(struct smtptls_session *session)
{
	session->closing = true;
	return stls_explain(session, GNUTLS_E_PUSH_ERROR);
}

/* What is in front of every write. */
static int
check_write(struct smtptls_session *session, const void *data, size_t len,
    const size_t *out_len)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (session->state != STLS_SESSION_OPEN || session->closing)
		return stls_session_refuse_state(
		    session, "the session is not open");
	if (data == NULL || len == 0 || out_len == NULL)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "there is nothing to write");
	/* GnuTLS has encrypted the first `unsent` bytes already. */
	if (session->unsent > len)
		return stls_session_refuse_state(session,
		    "an unfinished write must be repeated with the same data");
	return SMTPTLS_OK;
}

/* One record, to where the transport puts it now; SMTPTLS_AGAIN: not all. */
static int
write_record(struct smtptls_session *session, const void *data, size_t len,
    size_t *out_len)
{
	ssize_t n;

	do {
		n = gnutls_record_send(session->tls, data, len);
	} while (n == GNUTLS_E_INTERRUPTED);
	if (n == GNUTLS_E_AGAIN)
		return SMTPTLS_AGAIN;
	if (n < 0 && session->transport.write_errno != 0)
		return fail_writing(session);
	if (n < 0)
		return stls_session_fail_with_gnutls(session, (int)n);
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

static int
gather_record(struct smtptls_session *session, const void *data, size_t len,
    size_t *out_len)
{
	int r;

	session->transport.gathers = true;
	r = write_record(session, data, len, out_len);
	session->transport.gathers = false;
	return r;
}

static int
make_room(struct smtptls_session *session, size_t len)
{
	int r = stls_transport_make_room(&session->transport, len);

	if (r == SMTPTLS_E_NOMEM)
		return stls_err_nomem(&session->err);
	return r < 0 ? fail_writing(session) : r;
}

/*
 * Gather what GnuTLS has of a record that did not leave wholly. It must not
 * keep it: if the peer asked for new keys before the write is repeated, GnuTLS
 * would finish the record, and then encrypt and send the same data again.
 */
static int
keep_record(struct smtptls_session *session, const void *data, size_t len)
{
	int r;

	r = make_room(session, len);
	if (r == SMTPTLS_OK)
		r = gather_record(session, data, len, &session->unsent);
	if (r == SMTPTLS_OK)
		return SMTPTLS_AGAIN;
	return stls_session_fail(session);
}

/* The data of an unfinished write is gathered, and may have left. */
static int
finish_write(struct smtptls_session *session, size_t *out_len)
{
	*out_len = session->unsent;
	session->unsent = 0;
	return SMTPTLS_OK;
}

static int
write_at_once(struct smtptls_session *session, const void *data, size_t len,
    size_t *out_len)
{
	int r;

	if (len > RECORD_MAX)
		len = RECORD_MAX;
	/* What does not leave goes behind what waits: see keep_record(). */
	if (stls_session_unflushed(session) > 0) {
		r = make_room(session, len);
		if (r != SMTPTLS_OK)
			return r;
	}
	r = write_record(session, data, len, out_len);
	return r == SMTPTLS_AGAIN ? keep_record(session, data, len) : r;
}

int
smtptls_session_write(struct smtptls_session *session, const void *data,
    size_t len, size_t *out_len)
{
	int r;

	r = check_write(session, data, len, out_len);
	if (r < 0)
		return r;
	if (session->unsent == 0)
		return write_at_once(session, data, len, out_len);
	r = stls_transport_flush(&session->transport);
	if (r < 0)
		return fail_writing(session);
	return r == SMTPTLS_OK ? finish_write(session, out_len) : r;
}

int
stls_session_write_more(struct smtptls_session *session, const void *data,
    size_t len, size_t *out_len)
{
	int r;

	r = check_write(session, data, len, out_len);
	if (r < 0)
		return r;
	if (session->unsent > 0)
		return finish_write(session, out_len);
	if (len > RECORD_MAX)
		len = RECORD_MAX;
	r = make_room(session, len);
	return r == SMTPTLS_OK ? gather_record(session, data, len, out_len) : r;
}

int
stls_session_flush(struct smtptls_session *session)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (session->unsent > 0)
		return stls_session_refuse_state(session,
		    "an unfinished write must be repeated with the same data");
	r = stls_transport_flush(&session->transport);
	return r < 0 ? fail_writing(session) : r;
}

size_t
stls_session_unflushed(const struct smtptls_session *session)
{
	return stls_transport_gathered(&session->transport);
}

void
stls_session_set_dont_wait(struct smtptls_session *session)
{
	session->transport.dont_wait = true;
}

/* What came and was not read yet, decrypted or not. */
static size_t
pending(const struct smtptls_session *session)
{
	return gnutls_record_check_pending(session->tls) +
	    stls_transport_buffered(&session->transport);
}

int
stls_session_wait_input(struct smtptls_session *session, int timeout_ms)
{
	struct stls_transport *transport = &session->transport;
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (!transport->is_set || stls_transport_gathered(transport) > 0)
		return stls_session_refuse_state(
		    session, "there is nothing to wait for before the flush");
	if (transport->fd < 0)
		return stls_err_set(&session->err, SMTPTLS_E_UNSUPPORTED,
		    "callbacks cannot be waited for");
	if (stls_transport_prepare(transport) < 0)
		return stls_err_nomem(&session->err);
	if (pending(session) > 0)
		return SMTPTLS_OK;
	return stls_transport_wait(transport, timeout_ms);
}

bool
stls_session_input_drained(const struct smtptls_session *session)
{
	return session->transport.was_drained && pending(session) == 0;
}

void
stls_session_trim(struct smtptls_session *session)
{
	stls_transport_trim(&session->transport);
}

size_t
smtptls_session_pending(const struct smtptls_session *session)
{
	return stls_session_is_done(session) ? pending(session) : 0;
}

int
smtptls_session_close(struct smtptls_session *session)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (session->state == STLS_SESSION_CLOSED)
		return SMTPTLS_OK;
	if (session->state != STLS_SESSION_OPEN)
		return stls_session_refuse_state(
		    session, "the handshake is not done");
	/* A record that is on its way out must leave whole. */
	if (session->unsent > 0)
		return stls_session_refuse_state(
		    session, "a write is not finished");
	session->closing = true;
	do {
		r = gnutls_bye(session->tls, GNUTLS_SHUT_WR);
	} while (r == GNUTLS_E_INTERRUPTED);
	if (r == GNUTLS_E_AGAIN)
		return SMTPTLS_AGAIN;
	if (r < 0)
		return stls_session_fail_with_gnutls(session, r);
	session->state = STLS_SESSION_CLOSED;
	return SMTPTLS_OK;
}

short
smtptls_session_events(const struct smtptls_session *session)
{
	if (!stls_session_is_usable(session))
		return 0;
	if (gnutls_record_get_direction(session->tls) != 0)
		return POLLOUT;
	return stls_session_unflushed(session) > 0 ? POLLIN | POLLOUT : POLLIN;
}
