/* SPDX-License-Identifier: MIT */
#include "connection/mischief.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <smtptls/status.h>

#include "conversation/misbehaviour.h"
#include "mischief/order.h"

/* How much of a filler is put into the output at once. */
#define FILL_SIZE 8192

static const struct sink_mischief *
mischief_of(const struct sink_conn *conn)
{
	return conn->config->policy->mischief;
}

/* Where a row has an end and a number, the number is that of the octets. */
static bool
ends_after_octets(const struct sink_mischief *mischief)
{
	return mischief->row->end != SINK_END_NONE && mischief->row->max > 0;
}

/* close(2) is to send RST, not FIN. */
static void
make_close_reset(struct sink_conn *conn)
{
	struct linger linger = { 1, 0 };

	(void)setsockopt(
	    conn->wire.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* What the kernel takes in is little then, and the window is 0 soon. */
static void
stop_reading(struct sink_conn *conn)
{
	int size = 1;

	(void)setsockopt(
	    conn->wire.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	conn->events = 0;
}

int
sink_mischief_end(struct sink_conn *conn, enum sink_end how, int64_t now)
{
	conn->smtp.mischief.end = how;
	conn->phase = SINK_CONN_LINGER;
	conn->idle = now + conn->config->idle_ms;
	switch (how) {
	case SINK_END_NOTIFY:
		if (conn->tls != NULL)
			(void)smtptls_session_close(conn->tls);
		sink_conn_linger(conn, now);
		break;
	case SINK_END_CLOSE:
		sink_conn_linger(conn, now);
		break;
	case SINK_END_RESET:
		make_close_reset(conn);
		return SMTPTLS_E_STATE;
	case SINK_END_HALF:
		shutdown(conn->wire.fd, SHUT_WR);
		break;
	case SINK_END_DEAF:
		stop_reading(conn);
		break;
	default:
		break;
	}
	return SMTPTLS_AGAIN;
}

/* How many of so many octets may leave now. */
static size_t
cap(const struct sink_conn *conn, size_t len)
{
	const struct sink_mischief *mischief = mischief_of(conn);
	uint64_t left = mischief->number - conn->smtp.mischief.sent;

	if (mischief->row->wire == SINK_WIRE_DRIP_REPLIES && len > 1)
		return 1;
	return ends_after_octets(mischief) && len > left ? (size_t)left : len;
}

/* Look at it again only then. */
static int
pause_for(struct sink_conn *conn, int64_t now)
{
	conn->gate = now + (int64_t)mischief_of(conn)->number;
	conn->idle = now + conn->config->idle_ms;
	conn->events = 0;
	sink_mischief_note(&conn->smtp);
	return SMTPTLS_AGAIN;
}

int
sink_mischief_send(struct sink_conn *conn, int64_t now)
{
	bool drips = mischief_of(conn)->row->wire == SINK_WIRE_DRIP;
	int r;

	if (drips && conn->gate != STLS_NEVER)
		return SMTPTLS_AGAIN;
	r = sink_wire_send_some(&conn->wire, drips ? 1 : SIZE_MAX);
	if (r == SMTPTLS_OK && sink_wire_has_output(&conn->wire))
		return pause_for(conn, now);
	if (r == SMTPTLS_OK)
		conn->idle = now + conn->config->idle_ms;
	if (r == SMTPTLS_AGAIN)
		conn->events = POLLOUT;
	return r;
}

/* Put a piece of what goes on into the empty output. */
static void
refill(struct sink_conn *conn)
{
	struct sink_filler *filler = &conn->smtp.mischief.filler;
	struct stls_buf *out = &conn->smtp.out;
	size_t n = FILL_SIZE / strlen(filler->text);

	for (; n > 0 && filler->left > 0; n--) {
		(void)stls_buf_append_str(out, filler->text);
		filler->left -= filler->left != UINT64_MAX;
	}
	if (filler->left > 0)
		return;
	(void)stls_buf_append_str(out, filler->tail);
	filler->text = NULL;
}

bool
sink_mischief_is_busy(const struct sink_conn *conn)
{
	return conn->smtp.mischief.filler.text != NULL ||
	    sink_mischief_is_storming(conn);
}

/* Write what is in the output. */
static int
write_out(struct sink_conn *conn, int64_t now)
{
	struct stls_buf *out = &conn->smtp.out;
	size_t n;
	int r;

	while ((n = cap(conn, stls_buf_len(out))) > 0) {
		r = sink_conn_write(conn, stls_buf_data(out), n, &n);
		if (r != SMTPTLS_OK)
			return r;
		stls_buf_consume(out, n);
		conn->smtp.mischief.sent += n;
		conn->config->policy->stats->bytes_out += n;
		if (mischief_of(conn)->row->wire == SINK_WIRE_DRIP_REPLIES &&
		    stls_buf_len(out) > 0) {
			(void)sink_wire_send(&conn->wire);
			return pause_for(conn, now);
		}
	}
	return sink_wire_has_output(&conn->wire) ? sink_mischief_send(conn, now)
						 : SMTPTLS_OK;
}

/* So many octets have left now. */
static void
check_octets(struct sink_conn *conn)
{
	const struct sink_mischief *mischief = mischief_of(conn);

	if (!ends_after_octets(mischief) ||
	    conn->smtp.mischief.sent < mischief->number)
		return;
	conn->smtp.mischief.end = mischief->row->end;
	sink_mischief_note(&conn->smtp);
}

int
sink_mischief_flush(struct sink_conn *conn, int64_t now)
{
	struct sink_mischief_state *state = &conn->smtp.mischief;
	int r;

	if (sink_mischief_storm(conn)) {
		r = sink_mischief_send(conn, now);
		conn->is_eager = r == SMTPTLS_OK;
		return r < 0 ? r : SMTPTLS_AGAIN;
	}
	if (mischief_of(conn)->row->wire == SINK_WIRE_REVERSED &&
	    sink_mischief_reverse(&conn->smtp.out))
		sink_mischief_note(&conn->smtp);
	r = write_out(conn, now);
	if (r != SMTPTLS_OK)
		return r;
	if (state->filler.text != NULL) {
		refill(conn);
		conn->is_eager = true;
		return SMTPTLS_AGAIN;
	}
	check_octets(conn);
	return state->end == SINK_END_NONE
	    ? SMTPTLS_OK
	    : sink_mischief_end(conn, state->end, now);
}
