/* SPDX-License-Identifier: MIT */
#include "smtp/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* It goes with the last recipient that has it. */
struct stls_shared_text {
	size_t holders;
	char text[];
};

/* NULL for an empty one, and where memory ran out. Nobody holds it yet. */
static struct stls_shared_text *
text_new(const char *text)
{
	struct stls_shared_text *shared;
	size_t len = strlen(text);

	if (len == 0)
		return NULL;
	shared = stls_alloc(sizeof(*shared) + len + 1);
	if (shared == NULL)
		return NULL;
	shared->holders = 0;
	memcpy(shared->text, text, len + 1);
	return shared;
}

/* Have a recipient hold this one, or NULL, in the place of what it had. */
static void
hold_text(struct stls_recipient *recipient, struct stls_shared_text *shared)
{
	struct stls_shared_text *old = recipient->shared;

	if (shared != NULL)
		shared->holders++;
	recipient->shared = shared;
	if (old != NULL && --old->holders == 0)
		free(old);
}

void
stls_recipient_set_text(struct stls_recipient *recipient, const char *text)
{
	hold_text(recipient, text_new(text));
}

const char *
stls_recipient_text(const struct stls_recipient *recipient)
{
	return recipient->shared != NULL ? recipient->shared->text : "";
}

int
stls_transaction_set_sender(struct stls_transaction *txn, const char *mailbox,
    size_t len, bool needs_smtputf8)
{
	const char *copy;

	copy = stls_arena_copy(&txn->mailboxes, mailbox, len);
	if (copy == NULL)
		return SMTPTLS_E_NOMEM;
	txn->sender = copy;
	txn->sender_needs_smtputf8 = needs_smtputf8;
	return SMTPTLS_OK;
}

static int
grow(struct stls_transaction *txn)
{
	struct stls_recipient *recipients;
	size_t cap = 2 * txn->cap;
	bool is_few;

	if (cap == 0) {
		txn->recipients = txn->few;
		txn->cap = sizeof(txn->few) / sizeof(txn->few[0]);
		return SMTPTLS_OK;
	}
	is_few = txn->recipients == txn->few;
	recipients = stls_realloc(
	    is_few ? NULL : txn->recipients, cap * sizeof(*recipients));
	if (recipients == NULL)
		return SMTPTLS_E_NOMEM;
	if (is_few)
		memcpy(recipients, txn->few, sizeof(txn->few));
	txn->recipients = recipients;
	txn->cap = cap;
	return SMTPTLS_OK;
}

int
stls_transaction_add_recipient(struct stls_transaction *txn,
    const char *mailbox, size_t len, bool needs_smtputf8)
{
	const char *copy;

	if (txn->count == txn->cap && grow(txn) < 0)
		return SMTPTLS_E_NOMEM;
	copy = stls_arena_copy(&txn->mailboxes, mailbox, len);
	if (copy == NULL)
		return SMTPTLS_E_NOMEM;
	txn->recipients[txn->count++] = (struct stls_recipient){
		.mailbox = copy,
		.needs_smtputf8 = needs_smtputf8,
	};
	return SMTPTLS_OK;
}

bool
stls_recipient_is_open(const struct stls_recipient *recipient)
{
	/* Refused for now may be tried again; in doubt never by itself. */
	return recipient->outcome == SMTPTLS_OUTCOME_NOT_TRIED ||
	    recipient->outcome == SMTPTLS_OUTCOME_REFUSED_LATER;
}

/* Begin an attempt for those that are not settled. */
static void
start_attempt(struct stls_transaction *txn)
{
	struct stls_recipient *recipient;
	size_t i;

	for (i = 0; i < txn->count; i++) {
		recipient = &txn->recipients[i];
		recipient->asked = false;
		recipient->taken = false;
		if (recipient->settled)
			continue;
		recipient->outcome = SMTPTLS_OUTCOME_NOT_TRIED;
		recipient->code = 0;
		recipient->step = STLS_STEP_NONE;
		recipient->enhanced[0] = '\0';
		hold_text(recipient, NULL);
	}
	txn->next = NULL;
	txn->next_rcpt = 0;
	txn->asked = 0;
	txn->taken = 0;
	txn->put_off = 0;
	txn->due = 0;
	txn->envelope_due = 0;
	txn->end_offset = 0;
	txn->mail_was_refused = false;
	txn->is_stopped = false;
	txn->follows_refusal = false;
	txn->follows_reset = false;
	txn->status = SMTPTLS_AGAIN;
	stls_err_clear(&txn->err);
}

void
stls_transaction_start(struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++)
		txn->recipients[i].settled = !stls_recipient_is_open(
		    &txn->recipients[i]);
	txn->is_repeated = false;
	start_attempt(txn);
}

void
stls_transaction_start_again(struct stls_transaction *txn)
{
	txn->is_repeated = true;
	start_attempt(txn);
}

bool
stls_transaction_can_repeat(const struct stls_transaction *txn)
{
	return txn->can_rewind ||
	    (txn->mail_was_refused && txn->transfer == STLS_BY_DATA);
}

bool
stls_transaction_is_open(const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (!txn->recipients[i].settled)
			return true;
	}
	return false;
}

/* `text` is that of the reply; it may be NULL. */
static void
decide(struct stls_recipient *recipient, enum stls_step step,
    const struct stls_reply *reply, struct stls_shared_text *text)
{
	switch (reply->code / 100) {
	case 2:
		recipient->outcome = SMTPTLS_OUTCOME_ACCEPTED;
		break;
	case 4:
		recipient->outcome = SMTPTLS_OUTCOME_REFUSED_LATER;
		break;
	default:
		recipient->outcome = SMTPTLS_OUTCOME_REFUSED;
		break;
	}
	recipient->taken = false;
	recipient->settled = true;
	recipient->code = reply->code;
	recipient->step = step;
	memcpy(recipient->enhanced, reply->enhanced, STLS_ENHANCED_CAP);
	hold_text(recipient, text);
}

static struct stls_shared_text *
text_of_reply(const struct stls_reply *reply)
{
	char text[STLS_OUTCOME_TEXT_CAP];

	return text_new(stls_reply_text(reply, text, sizeof(text)));
}

void
stls_recipient_decide(struct stls_recipient *recipient, enum stls_step step,
    const struct stls_reply *reply)
{
	decide(recipient, step, reply, text_of_reply(reply));
}

static bool
is_taken(const struct stls_recipient *recipient)
{
	return recipient->taken;
}

static bool
is_unsettled(const struct stls_recipient *recipient)
{
	return !recipient->settled;
}

/* Decide about all of a kind by one reply, with one text. */
static void
decide_all(struct stls_transaction *txn,
    bool (*is_meant)(const struct stls_recipient *recipient),
    enum stls_step step, const struct stls_reply *reply)
{
	struct stls_shared_text *text = NULL;
	bool is_first = true;
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (!is_meant(&txn->recipients[i]))
			continue;
		if (is_first)
			text = text_of_reply(reply);
		is_first = false;
		decide(&txn->recipients[i], step, reply, text);
	}
}

void
stls_transaction_decide_taken(struct stls_transaction *txn, enum stls_step step,
    const struct stls_reply *reply)
{
	decide_all(txn, is_taken, step, reply);
}

void
stls_transaction_decide_open(struct stls_transaction *txn, enum stls_step step,
    const struct stls_reply *reply)
{
	decide_all(txn, is_unsettled, step, reply);
}

void
stls_transaction_fail(
    struct stls_transaction *txn, bool in_doubt, const struct stls_err *err)
{
	struct stls_recipient *recipient;
	size_t i;

	for (i = 0; i < txn->count; i++) {
		recipient = &txn->recipients[i];
		if (recipient->outcome != SMTPTLS_OUTCOME_NOT_TRIED)
			continue;
		/* Sent in one flight, it may have been taken unseen. */
		if (recipient->asked && in_doubt)
			recipient->outcome = SMTPTLS_OUTCOME_IN_DOUBT;
		recipient->taken = false;
		recipient->settled = true;
		if (recipient->shared == NULL)
			stls_recipient_set_text(recipient, stls_err_text(err));
	}
	if (txn->err.code == SMTPTLS_OK)
		stls_err_copy(&txn->err, err);
}

void
stls_transaction_doubt(struct stls_transaction *txn, enum stls_step step,
    const struct stls_err *err)
{
	struct stls_recipient *recipient;
	size_t i;

	for (i = 0; i < txn->count; i++) {
		recipient = &txn->recipients[i];
		if (!recipient->asked || recipient->step != step)
			continue;
		recipient->outcome = SMTPTLS_OUTCOME_IN_DOUBT;
		recipient->code = 0;
		recipient->enhanced[0] = '\0';
		stls_recipient_set_text(recipient, stls_err_text(err));
	}
}

/* The status of outcomes[o] recipients with outcome o. */
static int
sum_up(const struct stls_transaction *txn, const size_t *outcomes)
{
	if (txn->count > 0 && outcomes[SMTPTLS_OUTCOME_ACCEPTED] == txn->count)
		return SMTPTLS_OK;
	if (outcomes[SMTPTLS_OUTCOME_ACCEPTED] > 0)
		return SMTPTLS_E_PARTIAL;
	if (outcomes[SMTPTLS_OUTCOME_IN_DOUBT] > 0)
		return SMTPTLS_E_IN_DOUBT;
	if (outcomes[SMTPTLS_OUTCOME_REFUSED_LATER] > 0)
		return SMTPTLS_E_REFUSED_LATER;
	/* Who was not tried was not refused: what kept it is the status. */
	if (outcomes[SMTPTLS_OUTCOME_NOT_TRIED] > 0 && txn->err.code < 0)
		return txn->err.code;
	return outcomes[SMTPTLS_OUTCOME_REFUSED] > 0 ? SMTPTLS_E_REFUSED
						     : SMTPTLS_E_INVALID;
}

/* Whether an outcome is one that the status comes from. */
static bool
is_behind(int status, enum smtptls_outcome outcome)
{
	switch (status) {
	case SMTPTLS_E_PARTIAL:
		return outcome != SMTPTLS_OUTCOME_ACCEPTED;
	case SMTPTLS_E_IN_DOUBT:
		return outcome == SMTPTLS_OUTCOME_IN_DOUBT;
	case SMTPTLS_E_REFUSED_LATER:
		return outcome == SMTPTLS_OUTCOME_REFUSED_LATER;
	case SMTPTLS_E_REFUSED:
		return outcome == SMTPTLS_OUTCOME_REFUSED;
	default:
		return false;
	}
}

/* The first recipient that explains the status, NULL where err does. */
static const struct stls_recipient *
find_reason(const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (is_behind(txn->status, txn->recipients[i].outcome))
			return &txn->recipients[i];
	}
	return NULL;
}

static void
describe(struct stls_transaction *txn, const struct stls_recipient *recipient)
{
	const char *text = stls_recipient_text(recipient);

	if (recipient->code == 0)
		stls_err_set(&txn->err, txn->status, "<%s>: %s",
		    recipient->mailbox,
		    text[0] != '\0' ? text : smtptls_strerror(txn->status));
	else
		stls_err_set(&txn->err, txn->status, "<%s>: %d %s%s%s",
		    recipient->mailbox, recipient->code, recipient->enhanced,
		    recipient->enhanced[0] != '\0' ? " " : "", text);
}

void
stls_transaction_finish(struct stls_transaction *txn)
{
	size_t outcomes[SMTPTLS_OUTCOME_IN_DOUBT + 1] = { 0 }, i;
	const struct stls_recipient *recipient;

	for (i = 0; i < txn->count; i++)
		outcomes[txn->recipients[i].outcome]++;
	txn->status = sum_up(txn, outcomes);
	recipient = find_reason(txn);
	if (txn->status == SMTPTLS_OK)
		stls_err_clear(&txn->err);
	else if (recipient != NULL)
		describe(txn, recipient);
	else if (txn->err.code != txn->status)
		stls_err_set(&txn->err, txn->status, "nobody to send to");
}

void
stls_transaction_done(struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++)
		hold_text(&txn->recipients[i], NULL);
	if (txn->recipients != txn->few)
		free(txn->recipients);
	stls_arena_done(&txn->mailboxes);
	if (txn->demands != NULL)
		stls_demands_done(txn->demands);
	free(txn->demands);
	memset(txn, 0, sizeof(*txn));
}

void
stls_queue_append(struct stls_queue *queue, struct stls_transaction *txn)
{
	txn->next = NULL;
	if (queue->last != NULL)
		queue->last->next = txn;
	else
		queue->first = txn;
	queue->last = txn;
	queue->len++;
}

struct stls_transaction *
stls_queue_take(struct stls_queue *queue)
{
	struct stls_transaction *txn = queue->first;

	if (txn == NULL)
		return NULL;
	queue->first = txn->next;
	if (queue->first == NULL)
		queue->last = NULL;
	queue->len--;
	txn->next = NULL;
	return txn;
}
