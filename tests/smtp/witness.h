/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_WITNESS_H
#define STLS_TESTS_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smtp/engine.h"

/*
 * Who sees all that an engine hands out, and each reply that it gets, and knows
 * by that alone what became of each recipient, and what the engine must not
 * have said. It shares no code with the engine.
 */

#define LETTERS_MAX 6
#define RECIPIENTS_MAX 4
#define QUESTIONS_MAX 1024
#define ATTEMPTS_MAX 256

/* A message, and the truth about it. */
struct letter {
	struct stls_transaction txn;
	char *content, *wire; /* as it is given, and as it has to arrive */
	size_t len, wire_len;
	size_t given; /* of the content */
	bool is_in_engine;
	bool accepted[RECIPIENTS_MAX];
	bool in_doubt
	    [RECIPIENTS_MAX]; /* a part was refused, and the end taken */
};

struct question {
	enum {
		Q_MAIL,
		Q_RCPT,
		Q_DATA,
		Q_CHUNK,
		Q_END,
		Q_RSET,
		Q_NOOP,
		Q_QUIT
	} kind;
	bool by_data;	  /* of Q_END */
	uint64_t end;	  /* behind the last octet of it */
	uint64_t begins;  /* behind the command, where content follows it */
	size_t attempt;	  /* of the message, if it is about one */
	size_t recipient; /* of RCPT, and LMTP's end of data */
};

/* One transaction as it was begun. */
struct attempt {
	struct letter *letter;
	bool asked[RECIPIENTS_MAX], taken[RECIPIENTS_MAX];
	bool refused[RECIPIENTS_MAX];
	bool answered[RECIPIENTS_MAX]; /* at its end */
	bool mail_refused, chunk_refused;
	bool is_astray; /* MAIL was refused, and its chunks were taken */
	bool is_over;	/* nothing more of it can come */
	bool is_whole;	/* its last octet was handed out */
	size_t asked_count;
};

struct witness {
	struct letter *letters;
	size_t letter_count;
	const struct stls_engine *engine; /* for its settings only */
	bool pipelining;

	/* The connection. */
	uint64_t seen;	  /* octets that were handed out */
	uint64_t written; /* of these */
	struct question questions[QUESTIONS_MAX];
	size_t question_count;
	int codes[QUESTIONS_MAX + 64]; /* of the replies */
	size_t reply_count;
	uint64_t at; /* what was written when the last one began */
	struct attempt attempts[ATTEMPTS_MAX];
	size_t attempt_count;
	uint64_t mails;

	/* Where in the output it is. */
	enum {
		IN_LINE,
		BEHIND_DATA,
		IN_CONTENT,
		IN_CHUNK
	} place;
	char line[1024];
	size_t line_len;
	char *content;
	size_t content_len, content_cap;
	uint64_t chunk_left;
	bool is_last_chunk, has_chunks;
};

/* On a new connection, with the greeting and EHLO behind it. */
void witness_start(struct witness *witness, const struct stls_engine *engine);
void witness_done(struct witness *witness);

/* Octets that were handed out for the first time. */
void witness_see(
    struct witness *witness, const unsigned char *data, size_t len);

/* The next question without a reply, NULL where nothing was asked. */
const struct question *witness_next(const struct witness *witness);

/*
 * The engine took a reply that began to come when so much was written. Returns
 * whether it may go on after it.
 */
bool witness_reply(struct witness *witness, int code, uint64_t at);

/* A message came back: is all that is claimed about it true? */
void witness_check(const struct witness *witness, const struct letter *letter);

/* Fails the test, with what made this round. */
__attribute__((noreturn, format(printf, 1, 2))) void hostile_fail(
    const char *fmt, ...);

#endif
