/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_BOOKS_H
#define STLS_TEST_BOOKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smtptls/message.h>

#include "load/faults.h"

/*
 * What became of every letter, by the word of the client and by that of the
 * server. Both write here, in memory that the two processes share, and in the
 * end it must agree. A letter goes to some recipients, and each of them counts
 * for itself.
 */
#define RECIPIENTS_MAX 3

struct letter {
	uint64_t hash; /* of the content, as it must arrive */
	uint8_t recipients;
	uint8_t has_outcome;
	uint8_t outcome[RECIPIENTS_MAX]; /* enum smtptls_outcome */
	_Atomic uint8_t released;	 /* how often its end was let go */
	_Atomic uint8_t ends;		 /* how often the server got that */
	_Atomic uint8_t kept[RECIPIENTS_MAX]; /* by the server */
};

struct books {
	uint64_t seed;
	size_t letters_max;
	_Atomic uint32_t letters_count;

	/* what must never happen, seen by the server */
	_Atomic uint32_t mangled;   /* kept with another content */
	_Atomic uint32_t premature; /* an end that nobody had let go */
	_Atomic uint32_t strange;   /* no letter of ours, or not for him */

	/* what the server did */
	_Atomic uint32_t connections;
	_Atomic uint32_t open; /* now */
	_Atomic uint32_t handshakes;
	_Atomic uint32_t resumed;
	_Atomic uint32_t faults[FAULTS];

	struct letter letters[];
};

struct books *books_new(uint64_t seed, size_t letters_max);
void books_free(struct books *books);

/*
 * Invent the next letter: who gets it, and its content, which is to be freed.
 * @return its number; letters_max: the books are full
 */
uint32_t books_invent(struct books *books, char **out_content, size_t *out_len);

/* A message for it, whose content is borrowed. NULL: there is no memory. */
struct smtptls_message *books_message(
    struct books *books, uint32_t id, const char *content, size_t len);

/* Its end is let go: for the hook before the end of data. */
void books_release(struct books *books, uint32_t id);

/* What the client says became of it, in the end. */
void books_settle(
    struct books *books, uint32_t id, const struct smtptls_message *message);

/* For the server: what is computed on the way, and the look at the end. */
#define HASH_BEGIN 0xcbf29ce484222325u
uint64_t books_hash(uint64_t hash, const char *data, size_t len);

/*
 * Compare, and print a line for each kind of thing that went wrong.
 * @return how many kinds did
 */
int books_compare(const struct books *books, size_t out_outcomes[5]);

#endif
