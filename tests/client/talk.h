/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_TALK_H
#define STLS_TEST_TALK_H

#include "test.h"

#include <smtptls/smtptls.h>

#include "client/server.h"

/*
 * A client and the server of its test. Whatever the test does, at the end
 * nothing that is secret may ever have been on the wire or in the trace.
 */

#define TALK_HOST "mail.example.org"
#define TALK_SENDER "alice@example.org"
#define TALK_RECIPIENT "bob@example.org"
#define TALK_USER "alice"
#define TALK_PASSWORD "open sesame"
/* PLAIN, and LOGIN's two answers */
#define TALK_PLAIN_BASE64 "AGFsaWNlAG9wZW4gc2VzYW1l"
#define TALK_USER_BASE64 "YWxpY2U="
#define TALK_PASSWORD_BASE64 "b3BlbiBzZXNhbWU="
#define TALK_TOKEN "ya29.secret-token=="
/* What EHLO is answered with, such as TALK_OFFER("AUTH PLAIN"). */
#define TALK_OFFER(words) SEND("250-mail.example.org\r\n250 " words "\r\n")
#define TALK_SECRET "nobody else may read this"
#define TALK_CONTENT "Subject: test\r\n\r\n" TALK_SECRET "\r\n"

/* How to talk: every combination where a test has no reason not to. */
enum {
	STARTTLS_BLOCKING,
	STARTTLS_LOOP,
	IMPLICIT_BLOCKING,
	IMPLICIT_LOOP,
	MODES
};
#define STARTTLS_MODES 2

/*
 * A test for each mode, or for each row of a table and each mode. With
 * STLS_TEST_QUICK in the environment, as under Valgrind, each row has one mode
 * and the next row the next one.
 */
#define ROW(i) ((i) / MODES)
#define MODE(i) ((i) % MODES)
#define add_in_modes(tc, test) talk_add((tc), (test), 1, MODES)
#define add_rows_in_modes(tc, test, table)                                     \
	talk_add((tc), (test), COUNT(table), MODES)
/* Two ways that differ in everything, for tables that are long. */
#define PAIR_ROW(i) ((i) / 2)
#define PAIR_MODE(i) ((i) % 2 == 0 ? STARTTLS_BLOCKING : IMPLICIT_LOOP)
#define add_rows_in_pairs(tc, test, table)                                     \
	talk_add((tc), (test), COUNT(table), 2)
/* The same for what only STARTTLS has. */
#define STARTTLS_ROW(i) ((i) / STARTTLS_MODES)
#define STARTTLS_MODE(i) ((i) % STARTTLS_MODES)
#define add_in_starttls_modes(tc, test)                                        \
	talk_add((tc), (test), 1, STARTTLS_MODES)
#define add_rows_in_starttls_modes(tc, test, table)                            \
	talk_add((tc), (test), COUNT(table), STARTTLS_MODES)
void talk_add(TCase *tc, const TTest *test, int rows, int modes);
/* One of these rows. */
void talk_add_row(TCase *tc, const TTest *test, int row, int modes);

/* What all tests of a program share; made once, by talk_world_setup. */
struct talk_world {
	struct factory *factory;
	const struct cert *ca;
	const struct cert *server; /* names TALK_HOST */
	struct smtptls_context *context;
};
extern struct talk_world world;
void talk_world_setup(void);
void talk_world_teardown(void);

/* A suite of one case that has the world and enough time. */
TCase *talk_case(Suite *suite, const char *name);

/* A time limit that is meant to pass, or to be kept: longer when quick. */
int talk_ms(int ms);

/* The whole of main(), as run_suite(); quickly in one process. */
int talk_run(Suite *suite);

struct talk {
	int mode;
	struct server *server;
	struct smtptls_client *client;
	struct smtptls_message *message;
	bool has_started;
	bool is_in_clear; /* the test wants it so: insecure_no_tls */
	int callback_fd;  /* below callbacks, to be waited for; 0: none */
	char url[128];
	int fds; /* open before it began; 0: not counted */
	char *trace;
	size_t trace_len;
};

/*
 * The server with these scripts, and a client for it, not connected. The
 * prologue of the mode is played first: TLS is up and EHLO was said, so that
 * the script begins with its answer.
 */
void talk_begin(struct talk *talk, int mode, const struct step *script);

/* The same where the script begins when the connection does. */
void talk_begin_raw(struct talk *talk, int mode, const struct step *script);

/* The same with LMTP, over STARTTLS whatever the mode. */
void talk_begin_lmtp(struct talk *talk, int mode, const struct step *script);

/* The same with options; cert and issuer are those of the world by default. */
void talk_begin_with(struct talk *talk, int mode, const char *scheme,
    struct smtptls_context *context, const struct server_options *options);

/*
 * Another client for the same server, which was not told where to connect to.
 */
void talk_renew_client(struct talk *talk);

/* What the server says and hears before the client is secured and greeted. */
const struct step *talk_prologue(int mode);

/* Give the client credentials, or TALK_USER's token. */
void talk_set_credentials(struct talk *talk);
void talk_set_token(struct talk *talk);

/* A message from TALK_SENDER to TALK_RECIPIENT with TALK_CONTENT. */
void talk_set_message(struct talk *talk);
void talk_set_content(struct talk *talk, const char *data, size_t len);

/* Connect, or send talk->message, in the way of the mode. */
int talk_connect(struct talk *talk);
int talk_send(struct talk *talk);
int talk_quit(struct talk *talk);

/* Drive until it is not SMTPTLS_AGAIN, with poll(2). */
int talk_drive(struct talk *talk);

/*
 * End a child of fork(2). What the threads of the parent held is lost in it,
 * and by exec no checker of memory takes offence.
 */
void talk_leave_child(bool good);

/* Both: the code, and what the sentence has in it. */
void talk_assert_failed(
    struct talk *talk, int r, int code, const char *sentence);

/* What the n-th STEP_CONTENT took, see server_content(). */
void talk_assert_content(const struct talk *talk, size_t n, const char *wire);

/*
 * Free the client, and see that the server's script was played to its end and
 * that nothing secret was in clear. What the server saw can still be asked.
 */
void talk_hang_up(struct talk *talk);
/* The same where the script need not have been played to its end. */
void talk_hang_up_early(struct talk *talk);
void talk_end(struct talk *talk);
/* All in one. */
void talk_finish(struct talk *talk);

#endif
