/* SPDX-License-Identifier: MIT */
#include "load/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Others have their turn behind so many reads. */
#define READS_MAX 8

/* A dripping server has its own end of a drop. */
static bool
may_send(const struct conn *conn)
{
	return conn->plan.fault != FAULT_DRIP || conn->allowance > 0;
}

static void
begin_handshake(struct conn *conn)
{
	struct shop *shop = conn->shop;
	unsigned int which = conn->plan.has_tls12;

	conn->wire = WIRE_HANDSHAKE;
	conn->starts_tls = false;
	if (gnutls_init(&conn->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK) < 0 ||
	    gnutls_priority_set(conn->tls, shop->priorities[which]) < 0 ||
	    gnutls_credentials_set(
		conn->tls, GNUTLS_CRD_CERTIFICATE, shop->credentials) < 0 ||
	    gnutls_session_ticket_enable_server(
		conn->tls, &shop->ticket_keys[which]) < 0)
		abort();
	gnutls_transport_set_ptr(conn->tls, conn);
	gnutls_transport_set_push_function(conn->tls, wire_push);
	gnutls_transport_set_pull_function(conn->tls, wire_pull);
}

struct conn *
conn_open(struct shop *shop, int fd, bool has_tls, uint64_t number)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	int on = 1;

	if (conn == NULL)
		abort();
	conn->shop = shop;
	conn->fd = fd;
	conn->chance = chance_of(shop->books->seed, 'c', number);
	conn->plan = plan_make(&conn->chance, shop->has_faults);
	atomic_fetch_add(&shop->books->connections, 1);
	atomic_fetch_add(&shop->books->open, 1);
	if (conn->plan.fault == FAULT_DRIP)
		atomic_fetch_add(&shop->books->faults[FAULT_DRIP], 1);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (has_tls)
		begin_handshake(conn);
	else
		dialogue_greet(conn);
	return conn;
}

void
conn_close(struct conn *conn)
{
	if (conn->tls != NULL)
		gnutls_deinit(conn->tls);
	close(conn->fd);
	atomic_fetch_sub(&conn->shop->books->open, 1);
	free(conn->out);
	free(conn);
}

void
conn_say(struct conn *conn, const char *text)
{
	size_t len = strlen(text);

	if (conn->is_leaving)
		return;
	if (conn->out_cap - conn->out_len < len) {
		conn->out_cap = (conn->out_cap + len) * 2;
		conn->out = realloc(conn->out, conn->out_cap);
		if (conn->out == NULL)
			abort();
	}
	memcpy(conn->out + conn->out_len, text, len);
	conn->out_len += len;
}

void
conn_start_tls(struct conn *conn)
{
	conn->starts_tls = true;
}

void
conn_bye(struct conn *conn)
{
	conn->is_leaving = true;
	conn->farewell = FAREWELL_BYE;
}

void
conn_cut_off(struct conn *conn)
{
	conn->is_leaving = true;
	conn->farewell = FAREWELL_FIN;
}

static bool
is_again(ssize_t r)
{
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED ||
	    (r == -1 && (errno == EAGAIN || errno == EINTR));
}

/* In clear a failure is -1, which is no code of GnuTLS's. */
static ssize_t
write_some(struct conn *conn)
{
	if (conn->tls == NULL)
		return wire_push(conn, conn->out, conn->out_len);
	if (conn->in_record)
		return gnutls_record_send(conn->tls, NULL, 0);
	return gnutls_record_send(conn->tls, conn->out, conn->out_len);
}

static void
flush(struct conn *conn)
{
	ssize_t n;

	while (conn->out_len > 0 && !conn->is_broken) {
		n = write_some(conn);
		conn->in_record = conn->tls != NULL && is_again(n);
		if (is_again(n))
			return;
		if (n < 0) {
			conn->is_broken = true;
			return;
		}
		conn->out_len -= (size_t)n;
		memmove(conn->out, conn->out + n, conn->out_len);
	}
}

static void
say_farewell(struct conn *conn)
{
	if (conn->farewell == FAREWELL_BYE && conn->tls != NULL &&
	    is_again(gnutls_bye(conn->tls, GNUTLS_SHUT_WR)))
		return;
	conn->farewell = FAREWELL_NONE;
	shutdown(conn->fd, SHUT_WR);
}

static ssize_t
read_some(struct conn *conn, char *buf, size_t cap)
{
	if (conn->tls != NULL)
		return gnutls_record_recv(conn->tls, buf, cap);
	return wire_pull(conn, buf, cap);
}

static void
read_all(struct conn *conn)
{
	char buf[16384];
	ssize_t n;
	int i;

	for (i = 0; i < READS_MAX && !conn->is_broken && !conn->starts_tls &&
	     !conn->is_deaf;
	     i++) {
		n = read_some(conn, buf, sizeof(buf));
		if (is_again(n))
			return;
		if (n <= 0)
			conn->is_broken = true;
		else
			dialogue_take(conn, buf, (size_t)n);
	}
}

static void
shake_hands(struct conn *conn)
{
	int r = gnutls_handshake(conn->tls);

	if (r < 0) {
		conn->is_broken |= gnutls_error_is_fatal(r) != 0;
		return;
	}
	conn->wire = WIRE_TLS;
	atomic_fetch_add(&conn->shop->books->handshakes, 1);
	if (gnutls_session_is_resumed(conn->tls))
		atomic_fetch_add(&conn->shop->books->resumed, 1);
	if (!conn->has_greeted)
		dialogue_greet(conn);
}

short
conn_events(const struct conn *conn)
{
	short events = POLLRDHUP;

	if (!conn->is_deaf)
		events |= POLLIN;
	if (!may_send(conn))
		return events;
	if (conn->out_len > 0 || conn->farewell != FAREWELL_NONE ||
	    (conn->wire == WIRE_HANDSHAKE &&
		gnutls_record_get_direction(conn->tls) == 1))
		events |= POLLOUT;
	return events;
}

void
conn_go_on(struct conn *conn, short revents)
{
	if ((revents & (POLLHUP | POLLERR)) != 0 ||
	    (conn->is_deaf && (revents & POLLRDHUP) != 0)) {
		conn->is_broken = true;
		return;
	}
	if (conn->wire == WIRE_HANDSHAKE)
		shake_hands(conn);
	if (conn->wire != WIRE_HANDSHAKE) {
		read_all(conn);
		flush(conn);
	}
	if (conn->starts_tls && conn->out_len == 0 && !conn->is_broken)
		begin_handshake(conn);
	if (conn->farewell != FAREWELL_NONE && conn->out_len == 0 &&
	    !conn->is_broken)
		say_farewell(conn);
}
