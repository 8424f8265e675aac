/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_OWN_IO_H
#define STLS_TEST_OWN_IO_H

#include "client/talk.h"

/*
 * A client whose program has made the connection: as a descriptor that is given
 * to it, or below callbacks that do not do all that they are asked to.
 */
enum way_to_fail {
	NO_FAULT,
	SHORT,	     /* one octet at a time */
	INTERRUPTED, /* every other call */
	BLOCKED,     /* every other call */
	BROKEN_READ, /* the n-th, and all behind it */
	BROKEN_WRITE
};

/* What the callbacks of this program do, and have done. */
extern struct own_io {
	int fd;
	enum way_to_fail fault;
	long reads, writes, n;
	bool has_failed;
	long read_result, write_result; /* instead, if not 0 */
	bool said_to_wait;		/* the last call, which was to read */
} own_io;

/* Where many conversations are had: who waits for callbacks is slow. */
#define LOOP_MODE(i) ((i) % 2 == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP)
#define FAULTS_MAX 2000

#define OWN_MESSAGE                                                            \
	PREFIX("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n"),           \
	    PREFIX("RCPT TO:<bob@example.org>"), SEND("250 ok\r\n"),           \
	    LINE("DATA"), SEND("354 go\r\n"), STEP(CONTENT),                   \
	    SEND("250 queued\r\n")

/* A client with credentials, a message, QUIT. */
extern const struct step own_whole[];

/* It says no word until the client is gone. */
extern const struct step own_nothing[];

/* A connected socket, blocking, to the server of the talk. */
int own_open(const struct talk *talk);

/* Another client for the talk, with a connection of ours; the descriptor. */
int own_give_fd(struct talk *talk);
void own_give_callbacks(struct talk *talk, enum way_to_fail fault);

/* Free it: what is below callbacks is not the client's to close. */
void own_close(struct talk *talk);

/* The callbacks; `arg` is &own_io. */
long own_read(void *buf, size_t cap, void *arg);
long own_write(const void *data, size_t len, void *arg);

#endif
