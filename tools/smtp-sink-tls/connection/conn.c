/* SPDX-License-Identifier: MIT */
#include "connection/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "base/alloc.h"

#include "connection/mischief.h"

/* A TLS record (RFC 8446 section 5.1), and as much that is not used yet. */
#define READ_SIZE 16384
#define IN_MAX (2 * READ_SIZE)

/* One connection does not keep the others waiting for longer; no RFC. */
#define READS_PER_TURN 64
#define STEPS_PER_TURN 16

/* How long a client may take to close after the last word; no RFC. */
#define LINGER_MS 2000

static bool
has_mischief(const struct sink_conn *conn)
{
	return conn->config->policy->mischief != NULL;
}

/* One read. The length of 0 is the end. */
static int
read_some(struct sink_conn *conn, void *buf, size_t cap, size_t *out_len)
{
	long n;

	if (conn->tls != NULL)
		return smtptls_session_read(conn->tls, buf, cap, out_len);
	n = sink_wire_read(buf, cap, &conn->wire);
	if (n < 0)
		return n == -EAGAIN ? SMTPTLS_AGAIN : SMTPTLS_E_IO;
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

int
sink_conn_write(
    struct sink_conn *conn, const void *data, size_t len, size_t *out_len)
{
	long n;

	if (conn->tls != NULL && !conn->is_clear)
		return smtptls_session_write(conn->tls, data, len, out_len);
	n = sink_wire_write(data, len, &conn->wire);
	if (n < 0)
		return n == -EAGAIN ? SMTPTLS_AGAIN : SMTPTLS_E_NOMEM;
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

static void
restart_idle(struct sink_conn *conn, int64_t now)
{
	conn->idle = now + conn->config->idle_ms;
}

/* Something came: it is a flight of its own if it came after an answer. */
static void
count_flight(struct sink_conn *conn)
{
	conn->config->policy->stats->flights += conn->has_answered;
	conn->flights += conn->has_answered;
	conn->has_answered = false;
}

/* Let leave what was written. SMTPTLS_AGAIN: on when there is place. */
static int
send_out(struct sink_conn *conn, int64_t now)
{
	int r;

	if (!sink_wire_has_output(&conn->wire))
		return SMTPTLS_OK;
	if (has_mischief(conn))
		return sink_mischief_send(conn, now);
	r = sink_wire_send(&conn->wire);
	if (r == SMTPTLS_OK)
		restart_idle(conn, now);
	if (r == SMTPTLS_AGAIN)
		conn->events = POLLOUT;
	return r;
}

/* Write the replies. SMTPTLS_AGAIN: some are on their way still. */
static int
flush(struct sink_conn *conn, int64_t now)
{
	struct stls_buf *out = &conn->smtp.out;
	size_t n;
	int r;

	if (has_mischief(conn))
		return sink_mischief_flush(conn, now);
	while (stls_buf_len(out) > 0) {
		r = sink_conn_write(
		    conn, stls_buf_data(out), stls_buf_len(out), &n);
		if (r != SMTPTLS_OK)
			return r;
		stls_buf_consume(out, n);
		conn->config->policy->stats->bytes_out += n;
	}
	return send_out(conn, now);
}

/* One read. SMTPTLS_AGAIN: nothing is there. */
static int
fill(struct sink_conn *conn)
{
	unsigned char *place;
	size_t n;
	int r;

	place = stls_buf_reserve(&conn->in, READ_SIZE);
	if (place == NULL)
		return SMTPTLS_E_NOMEM;
	r = read_some(conn, place, READ_SIZE, &n);
	if (r != SMTPTLS_OK)
		return r;
	stls_buf_commit(&conn->in, n);
	conn->config->policy->stats->bytes_in += n;
	conn->is_ended = n == 0;
	if (conn->is_ended)
		return SMTPTLS_E_IO;
	count_flight(conn);
	return SMTPTLS_OK;
}

/* Give the conversation what was read. */
static void
feed(struct sink_conn *conn, int64_t now)
{
	struct sink_stats *stats = conn->config->policy->stats;
	struct stls_buf *in = &conn->in;
	uint64_t messages = stats->messages;
	size_t used;

	used = sink_smtp_feed(
	    &conn->smtp, (const char *)stls_buf_data(in), stls_buf_len(in));
	stls_buf_consume(in, used);
	if (stats->messages > messages) {
		stats->flights_accepted += conn->flights;
		conn->flights = 0;
	}
	/* A line that drips is no sign of life, only a whole one is. */
	if (used > 0)
		restart_idle(conn, now);
}

/*
 * Read and feed until nothing is there (SMTPTLS_AGAIN) or the output has to
 * leave first. All that comes together is answered together: one flight.
 */
static int
take_input(struct sink_conn *conn, int64_t now)
{
	int reads, r;

	for (reads = 0; reads < READS_PER_TURN; reads++) {
		feed(conn, now);
		if (sink_smtp_is_closing(&conn->smtp) ||
		    stls_buf_len(&conn->smtp.out) >= SINK_OUT_HIGH ||
		    conn->smtp.mischief.filler.text != NULL)
			return SMTPTLS_OK;
		r = fill(conn);
		if (r == SMTPTLS_AGAIN)
			sink_smtp_pause(&conn->smtp);
		if (r != SMTPTLS_OK)
			return r;
	}
	conn->is_eager = true;
	return SMTPTLS_OK;
}

static int
begin_tls(struct sink_conn *conn, int64_t now)
{
	struct smtptls_context *context = conn->config->context;
	int r;

	if (has_mischief(conn))
		context = sink_mischief_context(conn);
	r = smtptls_session_new(context, NULL, &conn->tls);
	if (r < 0)
		return r;
	r = smtptls_session_set_callbacks(
	    conn->tls, sink_wire_read, sink_wire_write, &conn->wire);
	if (r < 0)
		return r;
	conn->phase = SINK_CONN_HANDSHAKE;
	return has_mischief(conn) ? sink_mischief_begin_tls(conn, now)
				  : SMTPTLS_OK;
}

void
sink_conn_linger(struct sink_conn *conn, int64_t now)
{
	(void)sink_wire_send(&conn->wire);
	/* close(2) with unread input would take back what was just sent. */
	shutdown(conn->wire.fd, SHUT_WR);
	conn->phase = SINK_CONN_LINGER;
	conn->idle = now + LINGER_MS;
	conn->events = POLLIN;
}

static void
take_leave(struct sink_conn *conn, int64_t now)
{
	if (conn->tls != NULL)
		(void)smtptls_session_close(conn->tls);
	sink_conn_linger(conn, now);
}

static int
on_handshake(struct sink_conn *conn)
{
	struct sink_stats *stats = conn->config->policy->stats;
	bool is_implicit = !conn->smtp.wants_tls;
	int r;

	if (has_mischief(conn)) {
		r = sink_mischief_on_hello(conn);
		if (r != SMTPTLS_OK)
			return r;
	}
	r = smtptls_session_handshake(conn->tls);
	if (r < 0)
		stats->handshake_failures++;
	/* With a ticket TLS 1.3 ends too, but nobody waits for one. */
	if (sink_wire_has_output(&conn->wire))
		conn->has_answered = r == SMTPTLS_AGAIN ||
		    smtptls_session_version(conn->tls) < SMTPTLS_TLS_1_3;
	if (r != SMTPTLS_OK)
		return r;
	stats->handshakes++;
	stats->resumed += smtptls_session_is_resumed(conn->tls) != 0;
	sink_smtp_tls_started(&conn->smtp);
	if (is_implicit)
		sink_smtp_greet(&conn->smtp);
	conn->phase = SINK_CONN_TALK;
	if (has_mischief(conn))
		sink_mischief_tls_started(conn);
	return SMTPTLS_OK;
}

/* One exchange: take what is there, and answer it. */
static int
on_talk(struct sink_conn *conn, int64_t now)
{
	bool is_drained;
	int r;

	if (has_mischief(conn) && sink_mischief_is_busy(conn))
		return flush(conn, now);
	/* The 220 has left meanwhile: what comes is TLS. */
	if (conn->smtp.wants_tls && stls_buf_len(&conn->smtp.out) == 0)
		return begin_tls(conn, now);
	r = take_input(conn, now);
	if (r < 0)
		return r;
	if (conn->is_eager)
		return SMTPTLS_AGAIN;
	is_drained = r == SMTPTLS_AGAIN || sink_smtp_is_closing(&conn->smtp);
	if (is_drained && stls_buf_len(&conn->smtp.out) > 0)
		conn->has_answered = true;
	r = flush(conn, now);
	if (r != SMTPTLS_OK)
		return r;
	if (conn->smtp.wants_tls)
		return begin_tls(conn, now);
	if (sink_smtp_is_closing(&conn->smtp)) {
		take_leave(conn, now);
		return SMTPTLS_OK;
	}
	return is_drained ? SMTPTLS_AGAIN : SMTPTLS_OK;
}

/* Read on until the client closes, and see whether it does so as it should. */
static int
on_linger(struct sink_conn *conn)
{
	char waste[4096];
	size_t n;
	int reads, r;

	for (reads = 0; reads < READS_PER_TURN; reads++) {
		r = read_some(conn, waste, sizeof(waste), &n);
		if (r != SMTPTLS_OK)
			return r;
		conn->is_ended = n == 0;
		if (conn->is_ended)
			return SMTPTLS_E_IO;
	}
	conn->is_eager = true;
	return SMTPTLS_AGAIN;
}

static int
step(struct sink_conn *conn, int64_t now)
{
	switch (conn->phase) {
	case SINK_CONN_HANDSHAKE:
		return on_handshake(conn);
	case SINK_CONN_TALK:
		return on_talk(conn, now);
	case SINK_CONN_LINGER:
	default:
		return on_linger(conn);
	}
}

/* Whether replies are on their way, and stuck. */
static bool
is_stuck(const struct sink_conn *conn)
{
	return sink_wire_has_output(&conn->wire);
}

/* Nothing came for too long: say so where that is possible, and leave. */
static int
time_out(struct sink_conn *conn, int64_t now)
{
	if (conn->phase != SINK_CONN_LINGER)
		conn->config->policy->stats->timeouts++;
	if (conn->phase != SINK_CONN_TALK || is_stuck(conn))
		return SMTPTLS_E_TIMEOUT;
	sink_smtp_abort(&conn->smtp, "4.4.2", "nothing came for too long");
	(void)flush(conn, now);
	take_leave(conn, now);
	return SMTPTLS_AGAIN;
}

/*
 * With --delay-ms, what comes after a silence is looked at later, handshakes
 * included: as if the client were that much farther away.
 */
static bool
waits_at_gate(struct sink_conn *conn, bool is_ready, int64_t now)
{
	if (now >= conn->gate) {
		conn->gate = STLS_NEVER;
		return false;
	}
	if (conn->gate != STLS_NEVER)
		return true;
	if (conn->config->delay_ms == 0 || conn->phase == SINK_CONN_LINGER ||
	    !is_ready || (conn->events & POLLIN) == 0)
		return false;
	conn->gate = now + conn->config->delay_ms;
	conn->events = 0;
	return true;
}

/* Go on until there is nothing to do, or others have their turn. */
static int
go_on(struct sink_conn *conn, int64_t now)
{
	int r, steps;

	r = send_out(conn, now);
	if (r != SMTPTLS_OK)
		return r;
	conn->events = POLLIN;
	if (sink_wire_receive(&conn->wire) &&
	    conn->phase == SINK_CONN_HANDSHAKE)
		count_flight(conn);
	for (steps = 0; r == SMTPTLS_OK && steps < STEPS_PER_TURN; steps++)
		r = step(conn, now);
	if (r == SMTPTLS_OK)
		conn->is_eager = true;
	return r;
}

/* What nobody needs before more comes; there may be a thousand connections. */
static void
give_memory_back(struct sink_conn *conn)
{
	if (stls_buf_len(&conn->in) > 0)
		return;
	stls_buf_done(&conn->in);
	stls_buf_init(&conn->in, IN_MAX);
}

bool
sink_conn_drive(struct sink_conn *conn, bool is_ready, int64_t now)
{
	int r;

	if (now < conn->idle && waits_at_gate(conn, is_ready, now))
		return true;
	conn->is_eager = false;
	r = now >= conn->idle ? time_out(conn, now) : go_on(conn, now);
	if (r == SMTPTLS_E_IO && conn->tls != NULL && !conn->is_ended &&
	    conn->phase != SINK_CONN_HANDSHAKE &&
	    conn->smtp.mischief.end == SINK_END_NONE)
		conn->config->policy->stats->unclean_closes++;
	/* Tickets, or an alert that says why this is the end. */
	if (send_out(conn, now) < 0 || r < 0)
		return false;
	give_memory_back(conn);
	return true;
}

struct sink_conn *
sink_conn_new(const struct sink_conn_config *config, int fd, bool is_implicit)
{
	struct sink_conn *conn = stls_alloc_zero(sizeof(*conn));
	int64_t now = stls_now_ms();

	if (conn == NULL) {
		close(fd);
		return NULL;
	}
	conn->config = config;
	sink_wire_init(&conn->wire, fd);
	stls_buf_init(&conn->in, IN_MAX);
	sink_smtp_init(&conn->smtp, config->policy);
	restart_idle(conn, now);
	conn->gate = STLS_NEVER;
	conn->events = POLLIN;
	/* Here the client begins; a greeting is waited for like an answer. */
	conn->has_answered = true;
	if (is_implicit) {
		if (begin_tls(conn, now) >= 0)
			return conn;
		sink_conn_free(conn);
		return NULL;
	}
	count_flight(conn);
	conn->phase = SINK_CONN_TALK;
	sink_smtp_greet(&conn->smtp);
	if (config->delay_ms > 0) {
		conn->gate = now + config->delay_ms;
		conn->events = 0;
	}
	conn->is_eager = config->delay_ms == 0;
	return conn;
}

void
sink_conn_dismiss(struct sink_conn *conn)
{
	if (conn->phase != SINK_CONN_TALK || is_stuck(conn))
		return;
	sink_smtp_abort(&conn->smtp, "4.3.2", "this server ends");
	(void)flush(conn, stls_now_ms());
	if (conn->tls != NULL)
		(void)smtptls_session_close(conn->tls);
	(void)sink_wire_send(&conn->wire);
}

void
sink_conn_free(struct sink_conn *conn)
{
	if (conn == NULL)
		return;
	smtptls_session_free(conn->tls);
	sink_wire_done(&conn->wire);
	sink_smtp_done(&conn->smtp);
	stls_buf_done(&conn->in);
	free(conn);
}
