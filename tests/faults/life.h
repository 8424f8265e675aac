/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_LIFE_H
#define STLS_TEST_LIFE_H

#include <stdbool.h>
#include <stddef.h>

#include <smtptls/smtptls.h>

#include "client/server.h"

/*
 * All that a program does with the library, from a context to a pool, with a
 * server of the same process; and a look at whether what it was told is true.
 * While it lives nothing of Check is called, so that whatever fails on purpose
 * fails nothing else.
 */

/* Two of a client, one of the next which resumes, two of a pool. */
#define LIFE_MESSAGES 5
/* What goes wrong in which a sentence has its place. */
#define LIFE_TEXT_CAP 1024

struct life {
	int mode;     /* of client/talk.h */
	bool by_name; /* localhost, which is looked up */
	struct server *server;
	char place[64];
	struct smtptls_context *context;
	struct smtptls_session_cache *cache;
	struct smtptls_client *client;
	struct smtptls_pool *pool;
	struct smtptls_message *messages[LIFE_MESSAGES];
	/* What was lost of it is no failure: a session was not resumed. */
	bool was_resumed;
	/* Where it failed: the code, and the sentence of who said it. */
	int result;
	char text[LIFE_TEXT_CAP];
};

/* What all lives of a program share. Both need talk_world_setup(). */
void life_world_setup(void);
void life_world_teardown(void);

/* Start the server. */
void life_begin(struct life *life, int mode);

/* Live; where something fails nothing is done any more. */
void life_run(struct life *life);

/*
 * Free everything but the messages and the server, as a program does that has
 * failed; and see before that what has failed stays so.
 *
 * @return NULL; or what is not as it is documented
 */
const char *life_give_up(struct life *life);

/*
 * Stop the server, and compare what the messages say with what it has.
 *
 * @return NULL; or what is not true
 */
const char *life_judge(struct life *life);

void life_end(struct life *life);

#endif
