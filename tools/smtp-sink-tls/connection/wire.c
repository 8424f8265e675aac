/* SPDX-License-Identifier: MIT */
#include "connection/wire.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "base/alloc.h"

/* Several records at once; no RFC. */
#define IN_SIZE 65536

/* All replies that are held back, and a handshake; no RFC. */
#define OUT_MAX (4 * 65536)

/*
 * A place for input is only needed while there is some. Who gave his back last
 * leaves it here, so that a thousand silent connections need none.
 */
static unsigned char *spare;

static unsigned char *
take_place(void)
{
	unsigned char *place = spare;

	spare = NULL;
	return place != NULL ? place : stls_alloc(IN_SIZE);
}

static void
give_back(struct sink_wire *wire)
{
	if (spare == NULL)
		spare = wire->in;
	else
		free(wire->in);
	wire->in = NULL;
	wire->start = wire->end = 0;
}

void
sink_wire_init(struct sink_wire *wire, int fd)
{
	memset(wire, 0, sizeof(*wire));
	wire->fd = fd;
	stls_buf_init(&wire->out, OUT_MAX);
}

void
sink_wire_done(struct sink_wire *wire)
{
	if (wire->in != NULL)
		give_back(wire);
	stls_buf_done(&wire->out);
	close(wire->fd);
}

static void
note_error(struct sink_wire *wire, int error)
{
	if (error != EAGAIN && error != EWOULDBLOCK && wire->error == 0)
		wire->error = error;
}

bool
sink_wire_receive(struct sink_wire *wire)
{
	size_t room;
	ssize_t n;

	if (wire->in == NULL)
		wire->in = take_place();
	if (wire->in == NULL) {
		note_error(wire, ENOMEM);
		return false;
	}
	room = IN_SIZE - wire->end;
	if (room == 0)
		return false;
	do
		n = recv(wire->fd, wire->in + wire->end, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		note_error(wire, errno);
	if (n == 0)
		wire->is_at_end = true;
	wire->may_have_more = n == (ssize_t)room;
	if (n > 0)
		wire->end += (size_t)n;
	if (wire->start == wire->end)
		give_back(wire);
	return n > 0;
}

int
sink_wire_send_some(struct sink_wire *wire, size_t max)
{
	size_t len;
	ssize_t n;

	while (max > 0 && sink_wire_has_output(wire)) {
		len = stls_buf_len(&wire->out);
		n = send(wire->fd, stls_buf_data(&wire->out),
		    len < max ? len : max, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return SMTPTLS_AGAIN;
		if (n < 0)
			return SMTPTLS_E_IO;
		stls_buf_consume(&wire->out, (size_t)n);
		max -= (size_t)n;
	}
	return SMTPTLS_OK;
}

int
sink_wire_send(struct sink_wire *wire)
{
	return sink_wire_send_some(wire, SIZE_MAX);
}

void
sink_wire_discard(struct sink_wire *wire)
{
	if (wire->in != NULL)
		give_back(wire);
}

long
sink_wire_read(void *buf, size_t cap, void *arg)
{
	struct sink_wire *wire = arg;
	size_t len = wire->end - wire->start;

	if (len == 0 && wire->may_have_more && sink_wire_receive(wire))
		len = wire->end - wire->start;
	if (len == 0 && wire->error != 0)
		return -wire->error;
	if (len == 0)
		return wire->is_at_end ? 0 : -EAGAIN;
	if (len > cap)
		len = cap;
	memcpy(buf, wire->in + wire->start, len);
	wire->start += len;
	if (wire->start == wire->end)
		give_back(wire);
	return (long)len;
}

long
sink_wire_write(const void *data, size_t len, void *arg)
{
	struct sink_wire *wire = arg;

	if (len > stls_buf_room(&wire->out))
		return -EAGAIN;
	if (stls_buf_append(&wire->out, data, len) < 0)
		return -ENOMEM;
	return (long)len;
}
