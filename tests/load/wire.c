/* SPDX-License-Identifier: MIT */
#include "load/conn.h"

#include <errno.h>
#include <sys/socket.h>

/* What happens once is noted, and is over. */
static void
note(struct conn *conn)
{
	atomic_fetch_add(&conn->shop->books->faults[conn->plan.fault], 1);
	conn->plan.fault = FAULT_NONE;
}

void
wire_reset(struct conn *conn)
{
	struct linger linger = { .l_onoff = 1 };

	(void)setsockopt(
	    conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	conn->is_broken = true;
}

static ssize_t
fail(int code)
{
	errno = code;
	return -1;
}

static bool
is_of_sending(enum fault fault)
{
	return fault == FAULT_RESET_SENDING || fault == FAULT_CLOSE_SENDING ||
	    fault == FAULT_HALF_CLOSE || fault == FAULT_STALL_SENDING ||
	    fault == FAULT_FLIP;
}

static bool
is_of_reading(enum fault fault)
{
	return fault == FAULT_RESET_READING || fault == FAULT_CLOSE_READING ||
	    fault == FAULT_STALL_READING;
}

static ssize_t
send_some(struct conn *conn, const void *data, size_t len)
{
	ssize_t n = send(conn->fd, data, len, MSG_NOSIGNAL);

	if (n > 0)
		conn->sent += (size_t)n;
	return n;
}

/* The octet of the plan is the next to be sent. */
static ssize_t
hit_sending(struct conn *conn, const void *data, size_t len)
{
	enum fault fault = conn->plan.fault;
	unsigned char flipped = *(const unsigned char *)data ^ 0x10;

	note(conn);
	switch (fault) {
	case FAULT_FLIP:
		return send_some(conn, &flipped, 1);
	case FAULT_HALF_CLOSE:
		shutdown(conn->fd, SHUT_WR);
		conn->is_mute = true;
		return (ssize_t)len;
	case FAULT_STALL_SENDING:
		conn->is_mute = true;
		return (ssize_t)len;
	case FAULT_RESET_SENDING:
		wire_reset(conn);
		return fail(EPIPE);
	default:
		conn->is_broken = true;
		return fail(EPIPE);
	}
}

ssize_t
wire_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct conn *conn = arg;
	ssize_t n;

	if (conn->is_broken)
		return fail(EPIPE);
	if (conn->is_mute)
		return (ssize_t)len;
	if (is_of_sending(conn->plan.fault)) {
		if (conn->sent == conn->plan.octet)
			return hit_sending(conn, data, len);
		if (len > conn->plan.octet - conn->sent)
			len = conn->plan.octet - conn->sent;
	}
	if (conn->plan.fault != FAULT_DRIP)
		return send_some(conn, data, len);
	if (conn->allowance == 0)
		return fail(EAGAIN);
	n = send_some(
	    conn, data, len < conn->allowance ? len : conn->allowance);
	if (n > 0)
		conn->allowance -= (size_t)n;
	return n;
}

static ssize_t
hit_reading(struct conn *conn)
{
	enum fault fault = conn->plan.fault;

	note(conn);
	if (fault == FAULT_STALL_READING) {
		conn->is_deaf = true;
		return fail(EAGAIN);
	}
	if (fault == FAULT_RESET_READING)
		wire_reset(conn);
	conn->is_broken = true;
	return fail(ECONNRESET);
}

ssize_t
wire_pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
	struct conn *conn = arg;
	ssize_t n;

	if (conn->is_deaf)
		return fail(EAGAIN);
	if (is_of_reading(conn->plan.fault)) {
		if (conn->got == conn->plan.octet)
			return hit_reading(conn);
		if (len > conn->plan.octet - conn->got)
			len = conn->plan.octet - conn->got;
	}
	n = recv(conn->fd, data, len, 0);
	if (n > 0)
		conn->got += (size_t)n;
	return n;
}
