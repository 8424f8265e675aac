/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_LOAD_SERVER_H
#define STLS_TEST_LOAD_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#include "load/books.h"
#include "load/certs.h"

/* A server that is at fault, to see that the books show it. */
enum lie {
	LIE_NONE,
	LIE_DOUBLES, /* keeps some twice */
	LIE_LOSES,   /* says yes and does not keep it */
	LIE_KEEPS,   /* says no and keeps it */
	LIE_MANGLES  /* changes an octet */
};

struct server_options {
	const struct certs *certs;
	bool has_faults;
	enum lie lie;
};

/*
 * A server in a process of its own, which has one thread and many connections.
 * It listens on two ports of 127.0.0.1 that the kernel chose, and ends when
 * this process does.
 */
struct server {
	pid_t pid;
	int control; /* closed: end */
	uint16_t tls_port, starttls_port;
};

/* To be started before there are threads. */
void server_start(struct server *server, struct books *books,
    const struct server_options *options);

/* @return whether it came to a good end; all clients must be gone */
bool server_finish(struct server *server);

#endif
