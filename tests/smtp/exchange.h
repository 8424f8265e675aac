/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_EXCHANGE_H
#define STLS_TESTS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp/witness.h"

/*
 * Some letters, the engine that gets them one by one, and the witness of what
 * becomes of them. What the server says, and what the program does when, is up
 * to who drives it.
 */
struct exchange {
	struct stls_engine engine;
	struct stls_err err; /* of the engine */
	struct witness witness;
	struct letter letters[LETTERS_MAX];
	size_t count, submitted;
	size_t out_seen; /* of the present output */
	bool hook; /* is called, so all in front of the end leaves first */
	bool asked_to_quit;
};

/*
 * The next letter: from s<index>@example.org to so many like
 * r<index>.0@example.org. `content` is taken, and given to free(3).
 */
struct letter *exchange_add(
    struct exchange *x, char *content, size_t len, size_t recipients);

/* The engine on its first connection, and the next. */
void exchange_start(
    struct exchange *x, const struct stls_engine_config *config);
void exchange_move_on(struct exchange *x);

/* The next letter is given to the engine; false: there is none, or no place. */
bool exchange_submit(struct exchange *x);

/* A letter comes back, and is for the witness to be checked. */
struct letter *exchange_take_done(struct exchange *x);

/*
 * What is offered to be written, of which *out_seen octets were offered before;
 * and that n octets of it were.
 */
const unsigned char *exchange_output(
    struct exchange *x, size_t *out_len, size_t *out_seen);
void exchange_sent(struct exchange *x, size_t n);

/* How much is left of the content that is wanted; give n octets, 0: its end. */
size_t exchange_content_left(struct exchange *x);
void exchange_give(struct exchange *x, size_t n);

/* The connection is lost, or given up. */
void exchange_lose(struct exchange *x, bool by_itself);

/* Free all; fails the test where a letter did not come back. */
void exchange_done(struct exchange *x);

#endif
