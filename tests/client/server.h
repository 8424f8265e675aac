/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_SERVER_H
#define STLS_TEST_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "tls/factory.h"

/*
 * A server that does what its script says, good or evil, in a thread. It
 * listens on a port of 127.0.0.1 that the kernel chose, plays one script for
 * each connection, and keeps what it received in clear and what it received
 * inside TLS apart. Nothing here fails a test from another thread: what goes
 * wrong is told by server_finish().
 */
struct server;

enum step_kind {
	STEP_END = 0,  /* nothing more may come but the end of the connection */
	STEP_SEND,     /* in one piece */
	STEP_RECORDS,  /* each line in a record of its own, all in one piece */
	STEP_DRIP,     /* one octet at a time, as long as the client is there */
	STEP_LINE,     /* a line that is this */
	STEP_PREFIX,   /* a line that begins so */
	STEP_CONTENT,  /* anything until a line with a single dot */
	STEP_SIPS,     /* the same, with a pause before each piece */
	STEP_OCTETS,   /* at least this many more octets */
	STEP_TLS,      /* a handshake as server */
	STEP_TLS_DRIP, /* the same, sending one octet at a time */
	STEP_TLS_FAILS,	  /* a handshake that the client refuses */
	STEP_REHANDSHAKE, /* ask for another one; TLS 1.2 */
	STEP_SERVE,	  /* whatever comes, as a server should, until QUIT */
	STEP_CALL,	  /* a function, in the server's thread */
	STEP_SWALLOW,	  /* whatever comes, until the client is gone */
	STEP_STALL,	  /* read nothing, until the client is gone */
	STEP_BYE,	  /* close_notify, FIN */
	STEP_FIN,	  /* FIN without close_notify, and go on reading */
	STEP_CLOSE,	  /* close(2) without close_notify */
	STEP_RESET	  /* RST */
};

struct step {
	enum step_kind kind;
	const char *text;
	size_t len;
	void (*fn)(void *arg);
	void *arg;
};

#define TEXT_STEP(k, s)                                                        \
	{                                                                      \
		.kind = (k), .text = (s), .len = sizeof(s) - 1                 \
	}
#define SEND(s) TEXT_STEP(STEP_SEND, s)
#define DRIP(s) TEXT_STEP(STEP_DRIP, s)
#define LINE(s) TEXT_STEP(STEP_LINE, s)
#define PREFIX(s) TEXT_STEP(STEP_PREFIX, s)
#define OCTETS(n)                                                              \
	{                                                                      \
		.kind = STEP_OCTETS, .len = (n)                                \
	}
#define CALL(f, a)                                                             \
	{                                                                      \
		.kind = STEP_CALL, .fn = (f), .arg = (a)                       \
	}
#define STEP(k)                                                                \
	{                                                                      \
		.kind = STEP_##k                                               \
	}
#define END                                                                    \
	{                                                                      \
		.kind = STEP_END                                               \
	}

#define SCRIPTS_MAX 8

struct server_options {
	const struct cert *cert; /* with its issuer, or NULL: no TLS */
	const struct cert *issuer;
	const char *priority;  /* NULL: "NORMAL" */
	bool asks_certificate; /* of the client, and takes any */
	const char *unix_path; /* listen there instead */
	int receive_buffer;    /* of the connections; 0: the system\'s */
	int send_buffer;       /* the same */
	const gnutls_datum_t *ticket_key; /* NULL: no TLS session is resumed */
	bool forgets;  /* and none is all the same: another key each time */
	int tickets;   /* of TLS 1.3; 0: as many as GnuTLS gives */
	bool parallel; /* each connection has a thread of its own */
	bool repeats;  /* the last script, for whoever comes after it */
	/* Played before each script, up to its STEP_END; may be NULL. */
	const struct step *prologue;
	/* One for each connection; it is not copied. */
	const struct step *scripts[SCRIPTS_MAX];
};

/* Start; fails the test where it cannot. */
struct server *server_start(const struct server_options *options);

uint16_t server_port(const struct server *server);

/*
 * Wait for its end; the clients must be gone. Then it can be asked what it
 * saw, until server_free().
 *
 * @return NULL where all scripts were played to their ends and nothing else
 *     came; else a sentence
 */
const char *server_finish(struct server *server);
void server_free(struct server *server);

/* How many connections there were, more than there are scripts included. */
int server_connections(const struct server *server);

/* How many of them were resumed TLS sessions. */
int server_resumed(const struct server *server);

/* What was received in clear, decrypted, and as it was on the wire. */
struct received {
	char *data; /* with a NUL behind it */
	size_t len;
	size_t cap;
};
const struct received *server_clear(const struct server *server);
const struct received *server_inside(const struct server *server);
const struct received *server_wire(const struct server *server);

/*
 * The content that the n-th STEP_CONTENT took: with the dots that were
 * stuffed, without the final dot.
 */
const struct received *server_content(const struct server *server, size_t n);
size_t server_contents(const struct server *server);

bool received_has(const struct received *received, const char *text);

#endif
