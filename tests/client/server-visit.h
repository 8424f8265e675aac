/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_SERVER_VISIT_H
#define STLS_TEST_SERVER_VISIT_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include "base/deadline.h"
#include "client/server.h"

/*
 * A connection of the server of server.h, and what became of it. Without
 * threads of their own one visit comes after the other in the same place, and
 * what was received grows.
 */

/* Between two octets that drip. */
#define DRIP_MS 5
#define LINE_MAX_LEN 12288

/* What all visits of a server have in common. */
struct visit_host {
	struct server_options options;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	stls_deadline deadline;
	int stop; /* can be read when the server has to end */
};

struct visit {
	const struct visit_host *host;
	int fd;
	gnutls_session_t tls;
	bool drips;
	bool sips;
	bool holds;	      /* what is said leaves later, in one piece */
	struct received held; /* of which this waits */
	bool is_gone;	      /* the client has closed */
	char unread[16384];   /* decrypted, and not looked at */
	size_t unread_at;
	size_t unread_len; /* behind unread_at */

	int resumed;
	struct received clear, inside, wire;
	struct received *contents;
	size_t contents_count;
	char problem[512];
};

void received_append(struct received *to, const void *data, size_t len);

void visit_init(struct visit *v, const struct visit_host *host);
void visit_done(struct visit *v);

/* What `from` has seen goes behind what `to` has. */
void visit_move(struct visit *from, struct visit *to);

/* The first problem is the one that tells. */
__attribute__((format(printf, 2, 3))) void visit_complain(
    struct visit *v, const char *fmt, ...);

/* -1: as long as the visit may last. */
bool visit_wait(struct visit *v, short events, int at_most_ms);

/* From the socket, and to it; 0, false: the client is gone. */
size_t visit_read_wire(struct visit *v, char *buf, size_t cap);
bool visit_write_wire(struct visit *v, const char *data, size_t len);

/* What was said, in clear or inside TLS, likewise. */
size_t visit_read(struct visit *v, char *buf, size_t cap);
bool visit_write(struct visit *v, const char *data, size_t len);
bool visit_read_octet(struct visit *v, char *out);

/*
 * Without its CRLF, `line` has place for LINE_MAX_LEN octets; false with a
 * complaint where it is too long.
 */
bool visit_read_line(struct visit *v, char *line, size_t *out_len);

/* One more of the contents; false with a complaint where it has no end. */
bool visit_read_content(struct visit *v);

/* Whatever comes, until the client is gone. */
void visit_swallow(struct visit *v);

void visit_close(struct visit *v);

#endif
