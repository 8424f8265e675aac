/* SPDX-License-Identifier: MIT */
#include "smtp/player.h"

#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"

const struct word statuses[] = {
	{ "OK", SMTPTLS_OK },
	{ "NOMEM", SMTPTLS_E_NOMEM },
	{ "INVALID", SMTPTLS_E_INVALID },
	{ "STATE", SMTPTLS_E_STATE },
	{ "IO", SMTPTLS_E_IO },
	{ "PROTOCOL", SMTPTLS_E_PROTOCOL },
	{ "LIMIT", SMTPTLS_E_LIMIT },
	{ "NO_STARTTLS", SMTPTLS_E_NO_STARTTLS },
	{ "TLS", SMTPTLS_E_TLS },
	{ "AUTH", SMTPTLS_E_AUTH },
	{ "UNSUPPORTED", SMTPTLS_E_UNSUPPORTED },
	{ "SOURCE", SMTPTLS_E_SOURCE },
	{ "REFUSED_LATER", SMTPTLS_E_REFUSED_LATER },
	{ "REFUSED", SMTPTLS_E_REFUSED },
	{ "PARTIAL", SMTPTLS_E_PARTIAL },
	{ "IN_DOUBT", SMTPTLS_E_IN_DOUBT },
	{ NULL, 0 },
};

const struct word outcomes[] = {
	{ "not-tried", SMTPTLS_OUTCOME_NOT_TRIED },
	{ "accepted", SMTPTLS_OUTCOME_ACCEPTED },
	{ "later", SMTPTLS_OUTCOME_REFUSED_LATER },
	{ "refused", SMTPTLS_OUTCOME_REFUSED },
	{ "in-doubt", SMTPTLS_OUTCOME_IN_DOUBT },
	{ NULL, 0 },
};

const struct word events[] = {
	{ "need-input", STLS_NEED_INPUT },
	{ "have-output", STLS_HAVE_OUTPUT },
	{ "start-tls", STLS_START_TLS },
	{ "start-auth", STLS_START_AUTH },
	{ "challenge", STLS_AUTH_CHALLENGE },
	{ "need-body", STLS_NEED_BODY },
	{ "before-end", STLS_BEFORE_END_OF_DATA },
	{ "done", STLS_MESSAGE_DONE },
	{ "ready", STLS_READY },
	{ "closed", STLS_CLOSED },
	{ "reconnect", STLS_RECONNECT },
	{ NULL, 0 },
};

static const char *
manner_name(const struct player *player)
{
	static const char *const names[] = { "whole", "by byte", "split at",
		"without allocation" };

	return names[player->manner->kind];
}

void
player_fail(const struct player *player, const char *fmt, ...)
{
	char what[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	stls_alloc_fail_at(0);
	ck_abort_msg("%s:%d (%s %zu): %s\n%s", player->transcript->name,
	    player->step != NULL ? player->step->line : 0, manner_name(player),
	    player->manner->n, what, player->trace);
}

bool
player_is_strict(const struct player *player)
{
	return player->manner->kind != FAULT || !stls_alloc_has_failed();
}

int
player_value_of(
    const struct player *player, const struct word *words, const char *word)
{
	for (; words->word != NULL; words++) {
		if (strcmp(words->word, word) == 0)
			return words->value;
	}
	player_fail(player, "nothing is called %s", word);
}

const char *
player_name_of(const struct word *words, int value)
{
	for (; words->word != NULL; words++) {
		if (words->value == value)
			return words->word;
	}
	return "another";
}

const char *
player_word(const struct player *player, size_t index)
{
	return index < player->step->count ? player->step->words[index].data
					   : "";
}

bool
player_wants(const struct player *player, enum stls_event wanted)
{
	enum stls_event event = stls_engine_event(&player->engine);

	if (event != wanted && player_is_strict(player))
		player_fail(player, "the engine asks for %s: %s",
		    player_name_of(events, (int)event),
		    stls_err_text(player->engine.err));
	return event == wanted;
}

void
player_check_piece(
    const struct player *player, const char *text, const char *piece)
{
	if (player_is_strict(player) && strstr(text, piece) == NULL)
		player_fail(player, "\"%s\" is not in \"%s\"", piece, text);
}

void
player_check_value(const struct player *player, const struct word *words,
    int value, const char *wanted)
{
	if (player_is_strict(player) &&
	    value != player_value_of(player, words, wanted))
		player_fail(
		    player, "%s, not %s", player_name_of(words, value), wanted);
}
