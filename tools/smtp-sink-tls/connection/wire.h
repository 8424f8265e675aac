/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONNECTION_WIRE_H
#define SINK_CONNECTION_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * The way to the client, below TLS. Input is only what sink_wire_receive()
 * took in, so that what a client sends after an answer is never taken for a
 * part of what was answered, however slow the server is. Output is kept until
 * sink_wire_send(), so that one flight is one segment.
 */
struct sink_wire {
	int fd;
	unsigned char *in; /* NULL: nothing is there */
	size_t start, end;
	struct stls_buf out;
	bool may_have_more; /* the last recv(2) got all that it asked for */
	bool is_at_end;	    /* the client will send no more */
	int error;	    /* the first errno that was no EAGAIN */
};

/* Take the descriptor over. */
void sink_wire_init(struct sink_wire *wire, int fd);
void sink_wire_done(struct sink_wire *wire);

/* Take in what has come. Returns whether anything has. */
bool sink_wire_receive(struct sink_wire *wire);

/* Let leave what was written: SMTPTLS_OK, SMTPTLS_AGAIN or SMTPTLS_E_IO. */
int sink_wire_send(struct sink_wire *wire);

/* The same for so many octets at most: SMTPTLS_OK if they have left. */
int sink_wire_send_some(struct sink_wire *wire, size_t max);

/* Forget what came and was not read. */
void sink_wire_discard(struct sink_wire *wire);

static inline bool
sink_wire_has_input(const struct sink_wire *wire)
{
	return wire->end > wire->start;
}

/* Whether so much waits that it is better to wait as well. */
static inline bool
sink_wire_is_high(const struct sink_wire *wire)
{
	return stls_buf_len(&wire->out) >= 32768;
}

static inline bool
sink_wire_has_output(const struct sink_wire *wire)
{
	return stls_buf_len(&wire->out) > 0;
}

/* As smtptls_read_cb and smtptls_write_cb; `arg` is the wire. */
long sink_wire_read(void *buf, size_t cap, void *arg);
long sink_wire_write(const void *data, size_t len, void *arg);

#endif
