/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_PLAYER_H
#define STLS_TESTS_PLAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp/conversation.h"
#include "smtp/engine.h"
#include "smtp/transcript.h"

/* What the steps of a conversation share. */

#define MESSAGES_MAX 8
#define SECRETS_MAX 8

struct message {
	struct stls_transaction txn;
	char *name;
	bool submitted;	    /* and not done */
	bool was_taken;	    /* by the engine, ever */
	bool end_left;	    /* its last octet was handed out */
	unsigned int *told; /* for each recipient a bit for each outcome */
};

struct player {
	const struct transcript *transcript;
	const struct part *part;
	const struct manner *manner;
	const struct step *step;
	struct stls_engine engine;
	struct stls_err err; /* of the engine */
	struct message messages[MESSAGES_MAX];
	size_t count;
	struct message *last; /* the last one that was done */
	size_t fed;
	bool gate_closed;
	char *trace;
	size_t trace_len;
	const struct text *secrets[SECRETS_MAX];
	size_t secret_count;
};

/* A word of a transcript and the number it stands for; the last has none. */
struct word {
	const char *word;
	int value;
};
extern const struct word statuses[], outcomes[], events[];

__attribute__((noreturn, format(printf, 2, 3))) void player_fail(
    const struct player *player, const char *fmt, ...);

/* After a fault the conversation goes another way than it is written. */
bool player_is_strict(const struct player *player);

int player_value_of(
    const struct player *player, const struct word *words, const char *word);
const char *player_name_of(const struct word *words, int value);

/* A word of the present step, "" where it has fewer. */
const char *player_word(const struct player *player, size_t index);

/* Whether the engine asks for this now; it must unless there was a fault. */
bool player_wants(const struct player *player, enum stls_event wanted);

void player_check_piece(
    const struct player *player, const char *text, const char *piece);
void player_check_value(const struct player *player, const struct word *words,
    int value, const char *wanted);

/* play-driver.c */

void play_server(struct player *player);
void play_client(struct player *player);
void play_expose(struct player *player);
void play_write(struct player *player);
void play_tls(struct player *player);
void play_auth(struct player *player);
void play_challenge(struct player *player);
void play_failed(struct player *player);
void play_respond(struct player *player);
void play_body(struct player *player);
void play_body_end(struct player *player);
void play_release(struct player *player);
void play_abandon(struct player *player);
void play_eof(struct player *player);
void play_noop(struct player *player);
void play_rset(struct player *player);
void play_quit(struct player *player);
void play_gate_closed(struct player *player);
void play_event(struct player *player);
void play_ready(struct player *player);
void play_step(struct player *player);
void play_reply(struct player *player);
void play_closed(struct player *player);
void play_reconnect(struct player *player);
void play_traced(struct player *player);

/* play-messages.c */

/* The message of a transaction. */
struct message *player_message_of(
    struct player *player, const struct stls_transaction *txn);

void play_submit(struct player *player);
void play_submit_refused(struct player *player);
void play_done(struct player *player);
void play_outcome(struct player *player);

/*
 * Whatever else happened: a success is what the transcript says, and what is
 * in doubt is what has left.
 */
void player_check_claims(
    const struct player *player, const struct message *message);

/* The transcript has told what became of a message. */
void player_check_told(
    const struct player *player, const struct message *message);

void player_free_messages(struct player *player);

#endif
