/* SPDX-License-Identifier: MIT */
/* The commands the engine sends, and in which order. */
#include "smtp/engine-parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

int
stls_engine_sent_line(
    struct stls_engine *engine, size_t before, int r, const char *shown)
{
	const char *line = (const char *)stls_buf_data(&engine->out) + before;
	size_t len = stls_buf_len(&engine->out) - before;

	if (r < 0)
		return r;
	engine->queued += len;
	if (engine->config.trace == NULL)
		return SMTPTLS_OK;
	if (shown != NULL)
		stls_engine_trace(engine, 'C', shown, strlen(shown));
	else
		stls_engine_trace(engine, 'C', line, len - 2);
	return SMTPTLS_OK;
}

int
stls_engine_send(
    struct stls_engine *engine, const char *verb, enum stls_step step)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	r = stls_command_write(engine->err, &engine->out, verb);
	r = stls_engine_sent_line(engine, before, r, NULL);
	return r < 0 ? r : stls_engine_expect(engine, step, 0, 0);
}

int
stls_engine_send_ehlo(struct stls_engine *engine)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	r = stls_command_ehlo(engine->err, &engine->out,
	    engine->config.lmtp ? "LHLO" : "EHLO", engine->ehlo_name);
	r = stls_engine_sent_line(engine, before, r, NULL);
	return r < 0 ? r : stls_engine_expect(engine, STLS_STEP_EHLO, 0, 0);
}

int
stls_engine_check_gate(struct stls_engine *engine, enum stls_step step)
{
	bool clear_is_fine = engine->config.insecure_no_tls &&
	    step == STLS_STEP_MAIL;

	if ((engine->tls || clear_is_fine) &&
	    engine->config.may_send(step, engine->config.arg))
		return SMTPTLS_OK;
	engine->step = step;
	return stls_err_set(engine->err, SMTPTLS_E_TLS,
	    "%s needs a verified TLS session, and this is none",
	    stls_step_name(step));
}

/* What the server does not offer and the message needs, before MAIL. */
static int
check_supported(const struct stls_engine *engine, struct stls_transaction *txn)
{
	const struct stls_capabilities *offered = &engine->capabilities;

	if (txn->demands != NULL &&
	    stls_demands_check(&txn->err, txn->demands, offered, engine->tls,
		engine->config.server) < 0)
		return SMTPTLS_E_UNSUPPORTED;
	if (!offered->smtputf8 && (txn->smtputf8 || txn->sender_needs_smtputf8))
		return stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the message needs SMTPUTF8 and the server does not "
		    "offer it");
	if (txn->is_8bit && !offered->eight_bit)
		return stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the content is 8-bit and the server does not offer "
		    "8BITMIME");
	if (offered->size_max > 0 && txn->size_is_known &&
	    txn->size > offered->size_max)
		return stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the message has %" PRIu64
		    " octets and the server takes %" PRIu64,
		    txn->size, offered->size_max);
	if (txn->all_or_nothing && offered->rcpts_max > 0 &&
	    txn->count > offered->rcpts_max)
		return stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the message has %zu recipients and the server takes "
		    "%" PRIu64 " at once",
		    txn->count, offered->rcpts_max);
	return SMTPTLS_OK;
}

static bool
needs_smtputf8(const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (txn->recipients[i].needs_smtputf8)
			return true;
	}
	return txn->smtputf8 || txn->sender_needs_smtputf8;
}

static int
send_mail(struct stls_engine *engine)
{
	const struct stls_capabilities *offered = &engine->capabilities;
	struct stls_transaction *txn = engine->sending;
	struct stls_mail_params params;
	size_t before = stls_buf_len(&engine->out);
	int r;

	txn->follows_reset = engine->queued == engine->reset_at;
	r = stls_engine_check_gate(engine, STLS_STEP_MAIL);
	if (r < 0)
		return r;
	params = (struct stls_mail_params){
		.has_size = txn->size_is_known && offered->has_size,
		.size = txn->size,
		.body_8bit = !txn->is_7bit && offered->eight_bit,
		.smtputf8 = offered->smtputf8 && needs_smtputf8(txn),
		.demands = txn->demands,
	};
	r = stls_command_mail(engine->err, &engine->out, txn->sender, &params);
	r = stls_engine_sent_line(engine, before, r, NULL);
	if (r == SMTPTLS_OK)
		r = stls_engine_expect(engine, STLS_STEP_MAIL, 0, 0);
	if (r < 0)
		return r;
	txn->envelope_due++;
	engine->mails++;
	return stls_engine_enter(engine, STLS_STATE_RCPT);
}

int
stls_engine_give_up(struct stls_engine *engine)
{
	/* Where MAIL was refused there is nothing to forget. */
	if (!engine->sending->mail_was_refused)
		engine->wants_rset = true;
	engine->sending = NULL;
	return stls_engine_enter(engine, STLS_STATE_READY);
}

/* Whether there is a recipient that neither will get nor has the message. */
static bool
is_anybody_left_out(const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (!txn->recipients[i].taken &&
		    txn->recipients[i].outcome != SMTPTLS_OUTCOME_ACCEPTED)
			return true;
	}
	return false;
}

/* All that is to be answered before the content: is it to be sent at all? */
static int
check_answers(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->sending;
	struct stls_err err;
	int r;

	if (txn->envelope_due > 0)
		return SMTPTLS_OK;
	if (txn->taken > 0 && txn->all_or_nothing && is_anybody_left_out(txn)) {
		stls_err_set(&err, SMTPTLS_E_REFUSED,
		    "not sent, because another recipient was refused");
		stls_transaction_fail(txn, false, &err);
		txn->put_off = 0;
		txn->taken = 0;
	}
	if (txn->taken > 0)
		return SMTPTLS_OK;
	r = stls_engine_give_up(engine);
	if (r == SMTPTLS_OK)
		stls_engine_settle_transaction(engine, txn);
	return r;
}

/* The server takes no more at once (RFC 9422): the others get their own. */
static int
put_off_the_others(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->sending;

	for (; txn->next_rcpt < txn->count; txn->next_rcpt++) {
		if (!txn->recipients[txn->next_rcpt].settled)
			txn->put_off++;
	}
	return stls_engine_enter(engine, STLS_STATE_DATA);
}

static int
ask_recipient(struct stls_engine *engine, size_t index)
{
	struct stls_transaction *txn = engine->sending;
	struct stls_recipient *recipient = &txn->recipients[index];
	size_t before = stls_buf_len(&engine->out);
	int r;

	if (txn->demands == NULL)
		r = stls_command_rcpt(engine->err, &engine->out,
		    recipient->mailbox, recipient->needs_smtputf8);
	else
		r = stls_command_rcpt_with(engine->err, &engine->out,
		    recipient->mailbox, recipient->needs_smtputf8, txn->demands,
		    index);
	r = stls_engine_sent_line(engine, before, r, NULL);
	if (r < 0)
		return r;
	recipient->asked = true;
	txn->asked++;
	txn->envelope_due++;
	return stls_engine_expect(engine, STLS_STEP_RCPT, index, 0);
}

static int
send_rcpt(struct stls_engine *engine)
{
	const struct stls_capabilities *offered = &engine->capabilities;
	struct stls_transaction *txn = engine->sending;
	struct stls_recipient *recipient;

	for (; txn->next_rcpt < txn->count; txn->next_rcpt++) {
		recipient = &txn->recipients[txn->next_rcpt];
		if (recipient->settled)
			continue;
		if (offered->rcpts_max > 0 && txn->asked == offered->rcpts_max)
			return put_off_the_others(engine);
		return ask_recipient(engine, txn->next_rcpt++);
	}
	return stls_engine_enter(engine, STLS_STATE_DATA);
}

static int
send_data(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->sending;
	int r;

	r = check_answers(engine);
	if (r < 0 || engine->sending != txn)
		return r;
	if (txn->transfer != STLS_BY_DATA)
		return stls_engine_begin_chunk(engine);
	r = stls_engine_send(engine, "DATA", STLS_STEP_DATA);
	/* What is next is decided by the answer. */
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

/* An address that needs SMTPUTF8 fails alone (RFC 6531 section 3.2). */
static void
refuse_utf8(const struct stls_engine *engine, struct stls_transaction *txn)
{
	struct stls_recipient *recipient;
	size_t i;

	for (i = 0; !engine->capabilities.smtputf8 && i < txn->count; i++) {
		recipient = &txn->recipients[i];
		if (recipient->settled || !recipient->needs_smtputf8)
			continue;
		stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the address needs SMTPUTF8 and the server does not "
		    "offer it");
		stls_recipient_set_text(recipient, txn->err.text);
		recipient->settled = true;
	}
}

static int
take_up_transaction(struct stls_engine *engine, struct stls_queue *queue)
{
	struct stls_transaction *txn = stls_queue_take(queue);

	if (check_supported(engine, txn) < 0)
		stls_transaction_fail(txn, false, &txn->err);
	else
		refuse_utf8(engine, txn);
	/* Or submitted again, and everybody has an outcome that stays. */
	if (!stls_transaction_is_open(txn)) {
		stls_engine_finish_transaction(engine, txn);
		return SMTPTLS_OK;
	}
	stls_queue_append(&engine->in_air, txn);
	engine->sending = txn;
	txn->transfer = stls_engine_choose_transfer(engine, txn);
	return stls_engine_enter(engine, STLS_STATE_MAIL);
}

static int
send_quit(struct stls_engine *engine)
{
	int r;

	r = stls_engine_send(engine, "QUIT", STLS_STEP_QUIT);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

/* Another message: here, or, where this was the last (RFC 9422), elsewhere. */
static int
take_up_message(struct stls_engine *engine)
{
	uint64_t mails_max = engine->capabilities.mails_max;

	if (mails_max == 0 || engine->mails < mails_max)
		return take_up_transaction(engine,
		    engine->again.len > 0 ? &engine->again : &engine->waiting);
	if (!stls_engine_may_quit(engine))
		return SMTPTLS_AGAIN;
	engine->is_used_up = true;
	return send_quit(engine);
}

/* No transaction is being sent: take up what was queued. */
static int
take_up(struct stls_engine *engine)
{
	if (engine->wants_rset) {
		engine->wants_rset = false;
		return stls_engine_enter(engine, STLS_STATE_RSET);
	}
	if (engine->wants_noop) {
		engine->wants_noop = false;
		return stls_engine_send(engine, "NOOP", STLS_STEP_NOOP);
	}
	if (engine->again.len > 0 || engine->waiting.len > 0)
		return take_up_message(engine);
	if (engine->wants_quit && stls_engine_may_quit(engine))
		return send_quit(engine);
	return SMTPTLS_AGAIN;
}

void
stls_engine_need_reset(
    struct stls_engine *engine, const struct stls_expected *refused)
{
	if (refused->offset > engine->reset_at)
		engine->wants_rset = true;
}

static int
send_rset(struct stls_engine *engine)
{
	int r;

	r = stls_engine_send(engine, "RSET", STLS_STEP_RSET);
	engine->reset_at = engine->queued;
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_READY);
}

typedef int (*sender)(struct stls_engine *engine);

/* The states in which something is to be sent, and who does. */
static const sender senders[STLS_STATE_COUNT] = {
	[STLS_STATE_READY] = take_up,
	[STLS_STATE_MAIL] = send_mail,
	[STLS_STATE_RCPT] = send_rcpt,
	[STLS_STATE_DATA] = send_data,
	[STLS_STATE_RSET] = send_rset,
};

/* Send what can be sent now. */
void
stls_engine_advance(struct stls_engine *engine)
{
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK && senders[engine->state] != NULL &&
	    stls_engine_may_send(engine))
		r = senders[engine->state](engine);
	stls_engine_settle(engine, r);
}
