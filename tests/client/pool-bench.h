/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_POOL_BENCH_H
#define STLS_TEST_POOL_BENCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/talk.h"

/* A server, a pool that connects to it, and what its clients said. */
struct bench {
	struct server *server;
	struct smtptls_pool *pool;
	char place[64];
	int fds;
	atomic_int clients; /* that were set up */
	atomic_int mails;   /* commands MAIL */
};

/* How long a message may take, which is more than any of them needs. */
#define LONG_MS 20000

#define GREETED SEND("250 mail.example.org\r\n")
#define ENVELOPE                                                               \
	PREFIX("MAIL"), SEND("250 ok\r\n"), PREFIX("RCPT"),                    \
	    SEND("250 ok\r\n"), LINE("DATA"), SEND("354 go\r\n")
#define MESSAGE ENVELOPE, STEP(CONTENT), SEND("250 queued\r\n")
#define PARTING LINE("QUIT"), SEND("221 bye\r\n")

extern const struct step serves[], one_message[], two_messages[];

/* A suite of one case that has the world, and enough time. */
TCase *bench_case(Suite *suite, const char *name);

/* Scripts begin where the server answers EHLO inside TLS. */
void bench_begin_with(struct bench *bench, struct server_options options);
void bench_begin(
    struct bench *bench, const struct step *first, const struct step *second);

/* Free all, and see that the scripts were played to their ends. */
void bench_finish(struct bench *bench);

/* What each client is told by default; `arg` is the bench. */
int bench_set_up(struct smtptls_client *client, void *arg);

struct smtptls_message *bench_message(const char *text);

/* The result is that of the message, and its sentence is there. */
int bench_send(struct bench *bench, struct smtptls_message *message);
void bench_send_well(struct bench *bench);

/* Until a time of so many milliseconds, counted from now, has passed. */
void bench_let_pass(int ms);

/* For a script, in a STEP_CALL: the test goes on when it is so far. */
void bench_happen(void *arg);
void bench_wait_until_it_happened(void);

/* A thread that sends messages with a number each, one after the other. */
struct sender {
	pthread_t thread;
	struct bench *bench;
	int first, count;
	int failures;
	int last; /* what became of the last message */
};
void *sender_run(void *sender);

/* A message that is in the middle of its content until it is let go. */
struct slow {
	pthread_t thread;
	struct bench *bench;
	struct smtptls_message *message;
	int calls;
	int r;
};
void slow_start(struct slow *slow, struct bench *bench);
int slow_finish(struct slow *slow);

#endif
