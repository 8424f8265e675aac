/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_TRANSPORT_H
#define STLS_TLS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include <smtptls/session.h>

/*
 * GnuTLS reads the five bytes of a record's head first and then the record:
 * with a buffer in between a reply costs one recv(2).
 */
#define STLS_TRANSPORT_BUFFER 8192

/* The first bytes from the peer, to tell what it speaks if it is not TLS. */
#define STLS_TRANSPORT_HEAD 80

/* The way to the peer: a socket, or the callbacks of the application. */
struct stls_transport {
	int fd; /* -1: callbacks */
	smtptls_read_cb read;
	smtptls_write_cb write;
	void *arg;
	unsigned char *buffer; /* NULL: there is no transport yet */
	size_t start, end;
	unsigned char head[STLS_TRANSPORT_HEAD];
	size_t head_len;
	int read_errno; /* the first that was no EAGAIN */
	int write_errno;
	bool at_end;	  /* the peer will send no more */
	bool would_block; /* the last call came to EAGAIN */
	bool was_short;	  /* the last call did less than was asked for */
};

/* SMTPTLS_E_NOMEM, SMTPTLS_E_STATE: there is a transport already. */
int stls_transport_set_fd(struct stls_transport *transport, int fd);
int stls_transport_set_callbacks(struct stls_transport *transport,
    smtptls_read_cb read, smtptls_write_cb write, void *arg);

/* Let GnuTLS use it; it stays where it is as long as the session. */
void stls_transport_attach(
    struct stls_transport *transport, gnutls_session_t session);

/* Wipe and free; the descriptor stays open. */
void stls_transport_done(struct stls_transport *transport);

#endif
