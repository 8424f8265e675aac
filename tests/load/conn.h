/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_LOAD_CONN_H
#define STLS_TEST_LOAD_CONN_H

#include <sys/types.h>

#include <gnutls/gnutls.h>

#include "load/books.h"
#include "load/server.h"

#define LINE_SIZE 1024

/* What all connections share. */
struct shop {
	struct books *books;
	enum lie lie;
	bool has_faults;
	gnutls_certificate_credentials_t credentials;
	/* TLS 1.3, and TLS 1.2 alone: no ticket of one is for the other. */
	gnutls_priority_t priorities[2];
	gnutls_datum_t ticket_keys[2];
};

/* One connection of the server. */
struct conn {
	struct shop *shop;
	struct plan plan;
	struct chance chance;
	int fd; /* -1: over */

	/* conn.c and wire.c */
	gnutls_session_t tls; /* NULL: in clear */
	enum {
		WIRE_CLEAR,
		WIRE_HANDSHAKE,
		WIRE_TLS
	} wire;
	bool starts_tls; /* when all is sent */
	bool in_record;	 /* GnuTLS has a part of what is to be sent */
	bool is_mute;	 /* sends nothing more, and nobody learns of it */
	bool is_deaf;	 /* reads nothing more */
	bool is_leaving; /* what comes is thrown away */
	enum {
		FAREWELL_NONE,
		FAREWELL_BYE,
		FAREWELL_FIN
	} farewell;
	bool is_broken; /* to be closed */
	size_t sent, got, allowance;
	char *out; /* to be sent */
	size_t out_len, out_cap;

	/* dialogue.c */
	char line[LINE_SIZE];
	size_t line_len;
	bool has_greeted;
	bool is_lmtp;
	unsigned int message; /* counted */
	bool has_mail;
	uint32_t id;
	uint8_t accepted[RECIPIENTS_MAX]; /* in the order of RCPT */
	unsigned int accepted_count;
	enum {
		TAKES_LINES,
		TAKES_DATA,
		TAKES_CHUNK
	} takes;
	uint64_t hash;
	int dots; /* where it stands in CR LF . CR LF */
	size_t chunk_left;
	bool chunk_is_last, chunk_is_void;
};

/* wire.c: the socket, with the faults that are on the wire. */
ssize_t wire_push(gnutls_transport_ptr_t conn, const void *data, size_t len);
ssize_t wire_pull(gnutls_transport_ptr_t conn, void *data, size_t len);
void wire_reset(struct conn *conn);

/* conn.c */
struct conn *conn_open(
    struct shop *shop, int fd, bool has_tls, uint64_t number);
void conn_close(struct conn *conn);
short conn_events(const struct conn *conn);
void conn_go_on(struct conn *conn, short revents);
void conn_say(struct conn *conn, const char *text);
/* Behind what was said: TLS begins, or there is an end with or without it. */
void conn_start_tls(struct conn *conn);
void conn_bye(struct conn *conn);
void conn_cut_off(struct conn *conn);

/* dialogue.c: SMTP and LMTP, with the faults in the place of an answer. */
void dialogue_greet(struct conn *conn);
void dialogue_take(struct conn *conn, const char *data, size_t len);

#endif
