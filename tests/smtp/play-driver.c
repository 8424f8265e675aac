/* SPDX-License-Identifier: MIT */
/* The steps of a conversation that the driver of an engine would do. */
#include "smtp/player.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "defined.h"

static void
receive(struct player *player, const char *data, size_t len)
{
	stls_engine_receive(&player->engine, data, len);
	player->fed += len;
}

void
play_server(struct player *player)
{
	const char *data = player->step->text.data;
	size_t len = player->step->text.len, at, i;

	switch (player->manner->kind) {
	case BY_BYTE:
		for (i = 0; i < len; i++)
			receive(player, data + i, 1);
		break;
	case SPLIT:
		if (player->manner->n > player->fed &&
		    player->manner->n < player->fed + len) {
			at = player->manner->n - player->fed;
			receive(player, data, at);
			data += at;
			len -= at;
		}
		receive(player, data, len);
		break;
	default:
		receive(player, data, len);
		break;
	}
}

/* What the engine hands out now, and whose last octet is in it. */
static const unsigned char *
take_output(struct player *player, size_t *len)
{
	const unsigned char *data = stls_engine_output(&player->engine, len);
	struct message *message;
	size_t i;

	for (i = 0; i < player->count; i++) {
		message = &player->messages[i];
		if (message->submitted && message->txn.end_offset > 0 &&
		    message->txn.end_offset <= player->engine.exposed)
			message->end_left = true;
	}
	return data;
}

/* What AUTH has sent was a secret, or may have been one. */
static void
look_for_leftovers(struct player *player, const struct text *line)
{
	const struct stls_buf *out = &player->engine.out;
	unsigned char *copy;

	if (out->data == NULL || line->len <= strlen("\r\n"))
		return;
	copy = malloc(out->cap);
	memcpy(copy, out->data, out->cap);
	take_for_written(copy, out->cap);
	if (memmem(copy, out->cap, line->data, line->len) != NULL)
		player_fail(player, "it is still there: %s", line->data);
	free(copy);
}

void
play_client(struct player *player)
{
	const struct text *wanted = &player->step->text;
	bool by_byte = player->manner->kind == BY_BYTE;
	const unsigned char *data;
	size_t len, used = 0;

	while (stls_engine_has_output(&player->engine)) {
		data = take_output(player, &len);
		if (by_byte)
			len = 1;
		if (player_is_strict(player) &&
		    (len > wanted->len - used ||
			memcmp(data, wanted->data + used, len) != 0))
			player_fail(
			    player, "this goes instead: %.*s", (int)len, data);
		stls_engine_sent(&player->engine, len);
		used += len;
	}
	if (player_is_strict(player) && used < wanted->len)
		player_fail(
		    player, "this does not go: %s", wanted->data + used);
	if (stls_engine_step(&player->engine) == STLS_STEP_AUTH)
		look_for_leftovers(player, wanted);
}

void
play_expose(struct player *player)
{
	size_t len;

	take_output(player, &len);
}

void
play_write(struct player *player)
{
	size_t left = strtoul(player_word(player, 1), NULL, 10), len;

	while (left > 0 && stls_engine_has_output(&player->engine)) {
		take_output(player, &len);
		if (len > left)
			len = left;
		stls_engine_sent(&player->engine, len);
		left -= len;
	}
	if (left > 0 && player_is_strict(player))
		player_fail(player, "%zu octets are missing", left);
}

/* What the engine asks for. */

void
play_tls(struct player *player)
{
	if (!player_wants(player, STLS_START_TLS))
		return;
	stls_engine_tls(&player->engine);
	/* RFC 3207 section 4.2: nothing that was said in clear counts. */
	if (player->engine.capabilities.count > 0)
		player_fail(player, "extensions offered in clear are left");
}

static struct stls_secret
secret_at(struct player *player, size_t index)
{
	const struct text *word = &player->step->words[index];

	if (player->secret_count == SECRETS_MAX)
		player_fail(player, "too many secrets");
	player->secrets[player->secret_count++] = word;
	return (struct stls_secret){ word->data, word->len };
}

void
play_auth(struct player *player)
{
	struct stls_secret initial;

	if (!player_wants(player, STLS_START_AUTH))
		return;
	if (player->step->count > 2) {
		initial = secret_at(player, 2);
		stls_engine_auth(
		    &player->engine, player_word(player, 1), &initial);
	} else {
		stls_engine_auth(&player->engine, player_word(player, 1), NULL);
	}
}

void
play_challenge(struct player *player)
{
	const struct stls_secret *challenge;
	const struct text *wanted = &player->step->words[1];

	if (!player_wants(player, STLS_AUTH_CHALLENGE))
		return;
	challenge = stls_engine_challenge(&player->engine);
	if (challenge->len != wanted->len ||
	    memcmp(challenge->data, wanted->data, wanted->len) != 0)
		player_fail(player, "the challenge is \"%s\"", challenge->data);
}

void
play_failed(struct player *player)
{
	if (player_wants(player, STLS_AUTH_CHALLENGE))
		stls_engine_auth_failed(
		    &player->engine, player_word(player, 1));
}

void
play_respond(struct player *player)
{
	struct stls_secret response;

	if (!player_wants(player, STLS_AUTH_CHALLENGE))
		return;
	response = secret_at(player, 1);
	stls_engine_auth_respond(&player->engine, &response);
}

void
play_body(struct player *player)
{
	const struct text *text = &player->step->words[1];
	size_t done = 0, n;

	while (done < text->len && player_wants(player, STLS_NEED_BODY)) {
		n = text->len - done;
		if (n > STLS_DATA_CHUNK_MAX)
			n = STLS_DATA_CHUNK_MAX;
		stls_engine_body(&player->engine, text->data + done, n);
		done += n;
		if (player->engine.state != STLS_STATE_BODY)
			break;
	}
}

void
play_body_end(struct player *player)
{
	if (player_wants(player, STLS_NEED_BODY))
		stls_engine_body_end(&player->engine);
}

void
play_release(struct player *player)
{
	if (player_wants(player, STLS_BEFORE_END_OF_DATA))
		stls_engine_end_of_data(&player->engine);
}

void
play_abandon(struct player *player)
{
	struct stls_err err;

	stls_err_set(&err,
	    player_value_of(player, statuses, player_word(player, 1)), "%s",
	    player_word(player, 2));
	stls_engine_abandon(&player->engine, &err);
}

void
play_eof(struct player *player)
{
	struct stls_err err;

	stls_err_set(&err, SMTPTLS_E_IO, "the server closed the connection");
	stls_engine_fail(&player->engine, &err);
}

void
play_noop(struct player *player)
{
	stls_engine_noop(&player->engine);
}

void
play_rset(struct player *player)
{
	stls_engine_rset(&player->engine);
}

void
play_quit(struct player *player)
{
	stls_engine_quit(&player->engine);
}

void
play_gate_closed(struct player *player)
{
	player->gate_closed = true;
}

/* On to another connection, with those that wait. */
void
play_reconnect(struct player *player)
{
	struct stls_engine next;

	if (!player_wants(player, STLS_RECONNECT))
		return;
	stls_engine_init(&next, &player->engine.config);
	stls_engine_move_on(&player->engine, &next);
	stls_engine_done(&player->engine);
	player->engine = next;
	if (stls_engine_start(&player->engine, "client.example.org") < 0 &&
	    player_is_strict(player))
		player_fail(player, "it does not start");
}

/* Checks. */

void
play_event(struct player *player)
{
	player_wants(player,
	    (enum stls_event)player_value_of(
		player, events, player_word(player, 1)));
}

void
play_ready(struct player *player)
{
	const struct stls_engine *engine = &player->engine;

	if (!player_wants(player, STLS_READY))
		return;
	if (engine->err->code != SMTPTLS_OK)
		player_fail(
		    player, "an error is left: %s", stls_err_text(engine->err));
	if (engine->auth_initial.data != NULL ||
	    engine->auth_sent.data != NULL || engine->challenge.data != NULL)
		player_fail(player, "a secret is left");
}

void
play_step(struct player *player)
{
	const char *name = stls_step_name(stls_engine_step(&player->engine));

	if (player_is_strict(player) &&
	    strcmp(name, player_word(player, 1)) != 0)
		player_fail(player, "the step is %s", name);
}

void
play_reply(struct player *player)
{
	const struct stls_engine *engine = &player->engine;

	if (player_is_strict(player) &&
	    engine->last.code != atoi(player_word(player, 1)))
		player_fail(player, "the last reply is %d", engine->last.code);
	if (player_is_strict(player) &&
	    strcmp(stls_engine_last_text(engine), player_word(player, 2)) != 0)
		player_fail(player, "its text is \"%s\"",
		    stls_engine_last_text(engine));
}

void
play_closed(struct player *player)
{
	struct stls_err *err = player->engine.err;

	if (!player_wants(player, STLS_CLOSED))
		return;
	player_check_value(player, statuses, err->code, player_word(player, 1));
	if (player->step->count > 2)
		player_check_piece(player, err->text, player_word(player, 2));
}

/* Lines of the trace that follow each other. */
void
play_traced(struct player *player)
{
	player_check_piece(player, player->trace, player_word(player, 1));
}
