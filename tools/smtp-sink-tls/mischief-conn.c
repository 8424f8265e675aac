/* SPDX-License-Identifier: MIT */
#include "mischief-conn.h"

#include <sys/socket.h>

#include <smtptls/status.h>

#include "misbehave.h"

static const struct sink_mischief *
mischief_of(const struct sink_conn *conn)
{
	return conn->config->policy->mischief;
}

/* A number without words or another hook counts the octets to the end. */
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

static int
end(struct sink_conn *conn, enum sink_end how, int64_t now)
{
	switch (how) {
	case SINK_END_NOTIFY:
		sink_conn_begin_linger(conn, now);
		return SMTPTLS_AGAIN;
	case SINK_END_RESET:
		make_close_reset(conn);
		return SMTPTLS_E_STATE;
	case SINK_END_CLOSE:
	case SINK_END_HALF:
		shutdown(conn->wire.fd, SHUT_WR);
		break;
	default:
		break;
	}
	conn->phase = SINK_CONN_LINGER;
	return SMTPTLS_AGAIN;
}

/* How many of so many octets may leave. */
static size_t
cap(const struct sink_conn *conn, size_t len)
{
	const struct sink_mischief *mischief = mischief_of(conn);
	uint64_t left = mischief->number - conn->smtp.mischief.sent;

	return ends_after_octets(mischief) && len > left ? (size_t)left : len;
}

int
sink_mischief_flush(struct sink_conn *conn, int64_t now)
{
	struct sink_mischief_state *state = &conn->smtp.mischief;
	struct stls_buf *out = &conn->smtp.out;
	size_t n;
	int r;

	while ((n = cap(conn, stls_buf_len(out))) > 0) {
		r = sink_conn_write(conn, stls_buf_data(out), n, &n);
		if (r != SMTPTLS_OK)
			return r;
		stls_buf_consume(out, n);
		state->sent += n;
	}
	if (ends_after_octets(mischief_of(conn)) &&
	    state->sent == mischief_of(conn)->number)
		state->end = mischief_of(conn)->row->end;
	r = sink_conn_send(conn, now);
	if (r != SMTPTLS_OK || state->end == SINK_END_NONE)
		return r;
	return end(conn, state->end, now);
}
