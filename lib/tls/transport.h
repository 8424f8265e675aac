/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_TRANSPORT_H
#define STLS_TLS_TRANSPORT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>

#include <smtptls/session.h>

/*
 * GnuTLS reads the five bytes of a record's head first and then the record:
 * with a buffer in between a reply costs one recv(2).
 */
#define STLS_TRANSPORT_BUFFER 8192

/* The first bytes from the peer, to tell what it speaks if it is not TLS. */
#define STLS_TRANSPORT_HEAD 80

/* What a record of `len` octets becomes has room in this much more. */
#define STLS_TRANSPORT_RECORD_MORE 512

/* What is gathered, at most: 16 records of 16 KiB fit. */
#define STLS_TRANSPORT_GATHER_MAX (16 * (16384 + 64))

/* The way to the peer: a socket, or the callbacks of the application. */
struct stls_transport {
	bool is_set;	/* there is one */
	bool dont_wait; /* never wait in recv(2) and sendmsg(2) */
	int fd;		/* -1: callbacks */
	smtptls_read_cb read;
	smtptls_write_cb write;
	void *arg;

	unsigned char *buffer; /* what came; NULL until it is needed */
	size_t start, end;
	int waiting_errno; /* of a wait, for the next read */
	int timeout_ms;	   /* SO_RCVTIMEO as it was set, 0: not yet */
	bool was_drained;  /* the last read left nothing behind */

	unsigned char *gathered; /* what is to leave; NULL where nothing is */
	size_t gathered_start, gathered_end, gathered_cap;
	bool gathers; /* GnuTLS's records go there for now */

	unsigned char head[STLS_TRANSPORT_HEAD];
	size_t head_len;
	int read_errno;	  /* the first that was no EAGAIN */
	int write_errno;  /* likewise; nothing is written any more */
	bool at_end;	  /* the peer will send no more */
	bool would_block; /* the last call came to EAGAIN */
	bool was_short;	  /* the last call did less than was asked for */
};

/* SMTPTLS_E_STATE: there is a transport already. */
int stls_transport_set_fd(struct stls_transport *transport, int fd);
int stls_transport_set_callbacks(struct stls_transport *transport,
    smtptls_read_cb read, smtptls_write_cb write, void *arg);

/* In front of whatever may read: have a buffer. SMTPTLS_E_NOMEM. */
int stls_transport_prepare(struct stls_transport *transport);

static inline size_t
stls_transport_buffered(const struct stls_transport *transport)
{
	return transport->end - transport->start;
}

/* How much waits to be written, apart from what GnuTLS keeps. */
static inline size_t
stls_transport_gathered(const struct stls_transport *transport)
{
	return transport->gathered_end - transport->gathered_start;
}

/*
 * Make room for a record with `len` octets of data, by writing what there is
 * if need be. SMTPTLS_AGAIN, SMTPTLS_E_NOMEM; SMTPTLS_E_IO: see write_errno.
 */
int stls_transport_make_room(struct stls_transport *transport, size_t len);

/*
 * Write what was gathered. Whatever GnuTLS writes does so first.
 * SMTPTLS_AGAIN; SMTPTLS_E_IO: see write_errno.
 */
int stls_transport_flush(struct stls_transport *transport);

/*
 * Wait at most so long (below 0: for ever) until something has come, in one
 * recv(2), on a descriptor that blocks. SMTPTLS_OK: reading does not wait, and
 * tells of an error; SMTPTLS_AGAIN: the time is up, perhaps earlier, or a
 * signal came.
 */
int stls_transport_wait(struct stls_transport *transport, int timeout_ms);

/* Give back what memory holds nothing. */
void stls_transport_trim(struct stls_transport *transport);

/* Whether a negative errno number only says to wait. */
static inline bool
stls_transport_is_again(long n)
{
	return n == -EAGAIN || n == -EWOULDBLOCK;
}

/* The flags of recv(2) and sendmsg(2). */
static inline int
stls_transport_flags(const struct stls_transport *transport)
{
	return transport->dont_wait ? MSG_DONTWAIT : 0;
}

/* GnuTLS's function to write. */
ssize_t stls_transport_push(
    gnutls_transport_ptr_t ptr, const giovec_t *iov, int count);

/* Let GnuTLS use it; it stays where it is as long as the session. */
void stls_transport_attach(
    struct stls_transport *transport, gnutls_session_t session);

/* Wipe and free; the descriptor stays open. */
void stls_transport_done(struct stls_transport *transport);

#endif
