/* SPDX-License-Identifier: MIT */
/* The steps of a conversation that are about messages. */
#include "smtp/player.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/utf8.h"

struct message *
player_message_of(struct player *player, const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < player->count; i++) {
		if (&player->messages[i].txn == txn)
			return &player->messages[i];
	}
	player_fail(player, "a transaction that nobody submitted");
}

static struct message *
find_message(struct player *player, const char *name)
{
	size_t i;

	for (i = 0; i < player->count; i++) {
		if (strcmp(player->messages[i].name, name) == 0)
			return &player->messages[i];
	}
	return NULL;
}

typedef int (*put_mailbox)(struct stls_transaction *txn, const char *mailbox,
    size_t len, bool needs_smtputf8);

static void
put_word(put_mailbox put, struct stls_transaction *txn, const char *word)
{
	const char *mailbox = strcmp(word, "<>") == 0 ? "" : word;
	size_t len = strlen(mailbox);
	bool utf8 = !stls_ascii_only(mailbox, len);

	/* Where memory runs out once it may be here. */
	if (put(txn, mailbox, len, utf8) < 0)
		ck_assert_ok(put(txn, mailbox, len, utf8));
}

static struct stls_demands *
demands_of(struct stls_transaction *txn)
{
	if (txn->demands == NULL)
		txn->demands = calloc(1, sizeof(*txn->demands));
	ck_assert_ptr_nonnull(txn->demands);
	return txn->demands;
}

/* `-name=value`; NULL where it is another one. */
static const char *
value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 ? word + len : NULL;
}

/* What extensions are for; the value as it is on the wire. */
static bool
set_demand(struct stls_transaction *txn, const char *word)
{
	const char *value;

	if ((value = value_of(word, "-notify=")) != NULL) {
		demands_of(txn)->notify = (unsigned int)atoi(value);
	} else if ((value = value_of(word, "-envid=")) != NULL) {
		snprintf(demands_of(txn)->envid, sizeof(txn->demands->envid),
		    "%s", value);
	} else if (strcmp(word, "-hdrs") == 0) {
		demands_of(txn)->ret = "HDRS";
	} else if (strcmp(word, "-requiretls") == 0) {
		demands_of(txn)->require_tls = true;
	} else if ((value = value_of(word, "-holdfor=")) != NULL) {
		demands_of(txn)->hold_for_s = (uint32_t)atoi(value);
	} else if ((value = value_of(word, "-holduntil=")) != NULL) {
		snprintf(demands_of(txn)->hold_until,
		    sizeof(txn->demands->hold_until), "%s", value);
	} else if ((value = value_of(word, "-priority=")) != NULL) {
		demands_of(txn)->has_priority = true;
		txn->demands->priority = atoi(value);
	} else if ((value = value_of(word, "-by=")) != NULL) {
		demands_of(txn)->has_deliver_by = true;
		txn->demands->deliver_by_s = atoi(value);
		txn->demands->deliver_by_return = true;
	} else {
		return false;
	}
	return true;
}

static void
set_option(
    struct player *player, struct stls_transaction *txn, const char *word)
{
	if (strncmp(word, "-size=", 6) == 0) {
		txn->size_is_known = true;
		txn->size = strtoull(word + 6, NULL, 10);
	} else if (strncmp(word, "-exact=", 7) == 0) {
		txn->is_exact = true;
		txn->content_size = strtoull(word + 7, NULL, 10);
	} else if (strcmp(word, "-again") == 0) {
		txn->can_rewind = true;
	} else if (strcmp(word, "-7bit") == 0) {
		txn->is_7bit = true;
	} else if (strcmp(word, "-8bit") == 0) {
		txn->is_8bit = true;
	} else if (strcmp(word, "-smtputf8") == 0) {
		txn->smtputf8 = true;
	} else if (strcmp(word, "-all-or-nothing") == 0) {
		txn->all_or_nothing = true;
	} else if (strcmp(word, "-reject") == 0) {
		txn->reject_line_endings = true;
	} else if (!set_demand(txn, word)) {
		player_fail(player, "no option: %s", word);
	}
}

static struct message *
make_message(struct player *player)
{
	struct message *message = &player->messages[player->count];
	struct stls_transaction *txn = &message->txn;
	size_t i;

	if (player->count == MESSAGES_MAX || player->step->count < 3)
		player_fail(player, "one message too many, or no sender");
	player->count++;
	message->name = strdup(player_word(player, 1));
	put_word(stls_transaction_set_sender, txn, player_word(player, 2));
	message->told = calloc(WORDS_MAX, sizeof(*message->told));
	ck_assert_ptr_nonnull(message->told);
	for (i = 3; i < player->step->count; i++) {
		if (player_word(player, i)[0] == '-') {
			set_option(player, txn, player_word(player, i));
			continue;
		}
		put_word(stls_transaction_add_recipient, txn,
		    player_word(player, i));
	}
	return message;
}

void
play_submit(struct player *player)
{
	struct message *message = find_message(player, player_word(player, 1));
	int r;

	if (message == NULL)
		message = make_message(player);
	else if (player->step->count > 2 || message->submitted)
		player_fail(player, "%s was submitted before", message->name);
	message->submitted = true;
	message->end_left = false;
	r = stls_engine_submit(&player->engine, &message->txn);
	message->was_taken |= r == SMTPTLS_OK;
	if (r < 0) {
		message->submitted = false;
		if (player_is_strict(player))
			player_fail(player, "not taken: %s",
			    player_name_of(statuses, r));
	}
}

void
play_submit_refused(struct player *player)
{
	struct message *message = make_message(player);
	int r;

	r = stls_engine_submit(&player->engine, &message->txn);
	if (r != SMTPTLS_E_STATE)
		player_fail(player, "taken: %s", player_name_of(statuses, r));
}

void
player_check_claims(const struct player *player, const struct message *message)
{
	const struct stls_transaction *txn = &message->txn;
	bool all_accepted = txn->count > 0;
	enum smtptls_outcome outcome;
	size_t i;

	for (i = 0; i < txn->count; i++) {
		outcome = txn->recipients[i].outcome;
		if (outcome != SMTPTLS_OUTCOME_ACCEPTED)
			all_accepted = false;
		if (outcome == SMTPTLS_OUTCOME_NOT_TRIED)
			continue;
		if (outcome == SMTPTLS_OUTCOME_IN_DOUBT && message->end_left)
			continue;
		if ((message->told[i] & 1u << outcome) == 0)
			player_fail(player, "it is claimed that <%s> is %s",
			    txn->recipients[i].mailbox,
			    player_name_of(outcomes, (int)outcome));
	}
	if ((txn->status == SMTPTLS_OK) != all_accepted ||
	    txn->status == SMTPTLS_AGAIN)
		player_fail(player, "the status of %s is %s", message->name,
		    player_name_of(statuses, txn->status));
}

void
play_done(struct player *player)
{
	struct stls_transaction *txn;

	player->last = find_message(player, player_word(player, 1));
	if (player->last == NULL)
		player_fail(
		    player, "%s was not submitted", player_word(player, 1));
	if (!player_wants(player, STLS_MESSAGE_DONE))
		return;
	txn = stls_engine_take_done(&player->engine);
	player_message_of(player, txn)->submitted = false;
	if (player_is_strict(player) && txn != &player->last->txn)
		player_fail(
		    player, "%s is done", player_message_of(player, txn)->name);
	player_check_value(
	    player, statuses, txn->status, player_word(player, 2));
	player_check_piece(
	    player, stls_err_text(&txn->err), player_word(player, 3));
	if (player_is_strict(player) && txn->err.code != txn->status)
		player_fail(
		    player, "the error has another code than the status");
}

void
play_outcome(struct player *player)
{
	struct message *message = player->last;
	const struct stls_recipient *recipient = NULL;
	int wanted = player_value_of(player, outcomes, player_word(player, 2));
	size_t i;

	for (i = 0; i < message->txn.count; i++) {
		recipient = &message->txn.recipients[i];
		if (strcmp(recipient->mailbox, player_word(player, 1)) == 0)
			break;
	}
	if (i == message->txn.count)
		player_fail(player, "no such recipient");
	message->told[i] |= 1u << wanted;
	player_check_value(
	    player, outcomes, (int)recipient->outcome, player_word(player, 2));
	if (player->step->count > 3 && player_is_strict(player) &&
	    recipient->code != atoi(player_word(player, 3)))
		player_fail(player, "the code is %d", recipient->code);
	player_check_piece(
	    player, stls_recipient_text(recipient), player_word(player, 4));
}

void
player_check_told(const struct player *player, const struct message *message)
{
	size_t i;

	if (message->submitted)
		player_fail(player, "%s is not done", message->name);
	for (i = 0; message->was_taken && i < message->txn.count; i++) {
		if (message->told[i] == 0)
			player_fail(player, "what became of <%s>?",
			    message->txn.recipients[i].mailbox);
	}
}

void
player_free_messages(struct player *player)
{
	size_t i;

	for (i = 0; i < player->count; i++) {
		stls_transaction_done(&player->messages[i].txn);
		free(player->messages[i].name);
		free(player->messages[i].told);
	}
}
