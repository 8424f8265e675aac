/* SPDX-License-Identifier: MIT */
#include "smtp/conversation.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "smtp/engine.h"
#include "smtp/player.h"

static void
trace(char what, const char *text, size_t len, void *arg)
{
	struct player *player = arg;

	/* Not by stls_alloc(): this is no part of what may fail. */
	player->trace = realloc(player->trace, player->trace_len + len + 4);
	ck_assert_ptr_nonnull(player->trace);
	player->trace[player->trace_len++] = what;
	player->trace[player->trace_len++] = ' ';
	memcpy(player->trace + player->trace_len, text, len);
	player->trace_len += len;
	player->trace[player->trace_len++] = '\n';
	player->trace[player->trace_len] = '\0';
}

static bool
may_send(enum stls_step step, void *arg)
{
	const struct player *player = arg;

	(void)step;
	return !player->gate_closed;
}

/* No secret stands in the trace, plain or encoded. */
static void
check_trace(const struct player *player)
{
	const struct text *secret;
	char encoded[4096];
	size_t i;

	for (i = 0; i < player->secret_count; i++) {
		secret = player->secrets[i];
		if (secret->len < 4 || secret->len > 3000)
			continue;
		stls_base64_encode(encoded, secret->data, secret->len);
		if (strstr(player->trace, encoded) != NULL ||
		    memmem(player->trace, player->trace_len, secret->data,
			secret->len) != NULL)
			player_fail(player, "a secret is in the trace");
	}
}

/* Begin a conversation. */
static void
begin(struct player *player)
{
	const struct transcript *transcript = player->transcript;
	const struct stls_engine_config config = {
		.lmtp = transcript->lmtp,
		.implicit_tls = transcript->implicit_tls,
		.insecure_no_tls = transcript->cleartext,
		.authenticate = transcript->authenticate,
		.one_by_one = transcript->one_by_one,
		.no_chunking = transcript->no_chunking,
		.at_once = transcript->at_once || transcript->window,
		.window = transcript->window ? 3 : 0,
		.chunk_max = transcript->small_chunks ? 8 : 0,
		.may_send = may_send,
		.err = &player->err,
		.trace = trace,
		.arg = player,
	};
	int r;

	player->trace = calloc(1, 1);
	ck_assert_ptr_nonnull(player->trace);
	player->trace_len = 0;
	player->secret_count = 0;
	player->gate_closed = false;
	stls_engine_init(&player->engine, &config);
	r = stls_engine_start(&player->engine, "client.example.org");
	if (r < 0 && player_is_strict(player))
		player_fail(player, "it does not start");
}

/* The transcript has told everything, and it is over. */
static void
check_end(struct player *player)
{
	enum stls_event event = stls_engine_event(&player->engine);
	size_t i;

	if (event != STLS_CLOSED && event != STLS_READY)
		player_fail(player, "it ends in the middle");
	if (stls_engine_has_output(&player->engine))
		player_fail(player, "there is output left");
	for (i = 0; i < player->count; i++)
		player_check_told(player, &player->messages[i]);
}

/* End a conversation, where it may be: then all claims have to be true. */
static void
end(struct player *player)
{
	struct stls_err err;
	size_t i;

	if (player_is_strict(player))
		check_end(player);
	stls_err_set(&err, SMTPTLS_E_IO, "this is the end");
	stls_engine_fail(&player->engine, &err);
	while (stls_engine_take_done(&player->engine) != NULL)
		continue;
	for (i = 0; i < player->count; i++) {
		if (player->messages[i].was_taken)
			player_check_claims(player, &player->messages[i]);
	}
	check_trace(player);
	stls_engine_done(&player->engine);
	player_free_messages(player);
	free(player->trace);
}

static void
play_nothing(struct player *player)
{
	(void)player;
}

static const struct {
	const char *word;
	void (*play)(struct player *player);
	size_t min, max; /* words */
} actions[] = {
	{ "session", play_nothing, 2, 2 },
	{ "tls", play_tls, 1, 1 },
	{ "auth", play_auth, 2, 3 },
	{ "challenge", play_challenge, 2, 2 },
	{ "failed", play_failed, 2, 2 },
	{ "respond", play_respond, 2, 2 },
	{ "submit", play_submit, 2, WORDS_MAX },
	{ "submit-refused", play_submit_refused, 4, WORDS_MAX },
	{ "body", play_body, 2, 2 },
	{ "body-end", play_body_end, 1, 1 },
	{ "release", play_release, 1, 1 },
	{ "abandon", play_abandon, 3, 3 },
	{ "reconnect", play_reconnect, 1, 1 },
	{ "expose", play_expose, 1, 1 },
	{ "write", play_write, 2, 2 },
	{ "eof", play_eof, 1, 1 },
	{ "noop", play_noop, 1, 1 },
	{ "rset", play_rset, 1, 1 },
	{ "quit", play_quit, 1, 1 },
	{ "gate-closed", play_gate_closed, 1, 1 },
	{ "done", play_done, 3, 4 },
	{ "outcome", play_outcome, 3, 5 },
	{ "event", play_event, 2, 2 },
	{ "ready", play_ready, 1, 1 },
	{ "step", play_step, 2, 2 },
	{ "reply", play_reply, 3, 3 },
	{ "closed", play_closed, 2, 3 },
	{ "traced", play_traced, 2, 2 },
};

static void
play_action(struct player *player)
{
	size_t i, words = player->step->count;

	for (i = 0; i < COUNT(actions); i++) {
		if (strcmp(actions[i].word, player_word(player, 0)) != 0)
			continue;
		if (words < actions[i].min || words > actions[i].max)
			player_fail(player, "not so many words");
		actions[i].play(player);
		return;
	}
	player_fail(player, "nothing is called %s", player_word(player, 0));
}

static void
play_any(struct player *player)
{
	switch (player->step->kind) {
	case STEP_SERVER:
		play_server(player);
		break;
	case STEP_CLIENT:
		play_client(player);
		break;
	case STEP_DO:
		play_action(player);
		break;
	}
}

/* The code that the conversation ends with as it is written. */
static const char *
written_end(const struct player *player)
{
	const struct step *last = player->part->steps + player->part->count;
	const struct step *step;

	for (step = player->step; step < last; step++) {
		if (step->kind == STEP_DO &&
		    strcmp(step->words[0].data, "closed") == 0)
			return step->words[1].data;
	}
	return "NOMEM";
}

/* Where memory ran out, that is what is told, unless it was over anyway. */
static void
check_fault(const struct player *player)
{
	const struct stls_err *err = player->engine.err;

	if (stls_engine_event(&player->engine) != STLS_CLOSED)
		return;
	if (err->code == SMTPTLS_E_NOMEM && strstr(err->text, "memory") != NULL)
		return;
	if (player_value_of(player, statuses, written_end(player)) !=
		err->code ||
	    err->code == SMTPTLS_E_NOMEM)
		player_fail(player, "memory ran out, and it says \"%s\"",
		    stls_err_text(err));
}

bool
conversation_play(const struct transcript *transcript, const struct part *part,
    const struct manner *manner)
{
	struct player player = {
		.transcript = transcript,
		.part = part,
		.manner = manner,
	};
	bool strict, faulty;
	size_t i;

	stls_alloc_fail_at(manner->kind == FAULT ? manner->n : 0);
	begin(&player);
	for (i = 0; i < part->count; i++) {
		player.step = &part->steps[i];
		strict = player_is_strict(&player);
		play_any(&player);
		if (strict && !player_is_strict(&player))
			check_fault(&player);
	}
	end(&player);
	faulty = stls_alloc_has_failed();
	stls_alloc_fail_at(0);
	return faulty;
}
