/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_PEER_H
#define STLS_TEST_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include <smtptls/context.h>
#include <smtptls/session.h>

#include "factory.h"

#define PEER_CHAIN_MAX 17

/*
 * The other end: GnuTLS without any of our rules, over a socket pair. What
 * the test does not pump does not move, so nothing needs a thread or a port.
 */
struct peer_spec {
	bool is_client;
	const char *priority;			  /* NULL: "NORMAL" */
	const struct cert *chain[PEER_CHAIN_MAX]; /* the first with its key */
	const gnutls_datum_t *staple[PEER_CHAIN_MAX];
	bool asks_for_cert; /* a server */
	bool any_cert;	/* shows what it cannot read, or is for another use */
	bool anonymous; /* a server without a certificate */
	const gnutls_datum_t *ticket_key; /* servers: give tickets */
	gnutls_dh_params_t dh;		  /* instead of a known group */
	unsigned int flags;		  /* more of them for gnutls_init() */
};

struct peer {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t credentials;
	gnutls_anon_server_credentials_t anonymous;
	int fd;	    /* its end; not blocking */
	int other;  /* the end for the library; not blocking */
	int result; /* of its handshake: 0 when done */
	const struct peer_spec *spec;
};

struct peer *peer_new(const struct peer_spec *spec);
void peer_free(struct peer *peer);

#define PEER(...) peer_new(&(struct peer_spec){ __VA_ARGS__ })

/*
 * A client context that trusts `ca`; NULL trusts nobody. What it trusts is
 * parsed when it is needed, as it is with all clients, or all of it at once.
 */
extern bool peer_client_is_eager;
struct smtptls_context *peer_client_context(
    struct factory *factory, const struct cert *ca);

/* A server context with a certificate and its chain. */
struct smtptls_context *peer_server_context(struct factory *factory,
    const struct cert *cert, const struct cert *intermediate);

/* A session on the other end of the peer; its making must not fail. */
struct smtptls_session *peer_session(
    struct peer *peer, struct smtptls_context *context, const char *hostname);

/* Let both shake hands until none gets on. @return what ours answered */
int peer_handshake(struct peer *peer, struct smtptls_session *session);

/* For gnutls_session_set_keylog_function(). */
int peer_log_no_key(
    gnutls_session_t tls, const char *label, const gnutls_datum_t *key);

/* One step of the handshake of the peer alone. */
void peer_step(struct peer *peer);

/* Write all, or read exactly `len` bytes, on the side of the peer. */
void peer_write(struct peer *peer, const void *data, size_t len);
void peer_read(struct peer *peer, void *data, size_t len);

/* Handshake of two of our own sessions, over a socket pair. */
int peer_pair(
    struct smtptls_session *client, struct smtptls_session *server, int fds[2]);

#endif
