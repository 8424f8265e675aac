/* SPDX-License-Identifier: MIT */
/* Where a transaction is: submitted, in the air, again, or done with. */
#include "smtp/engine-parts.h"

#include <assert.h>

void
stls_engine_finish_transaction(
    struct stls_engine *engine, struct stls_transaction *txn)
{
	stls_transaction_finish(txn);
	stls_queue_append(&engine->done, txn);
}

/* Whether an attempt was some use to somebody. */
static bool
made_progress(const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (txn->recipients[i].asked && txn->recipients[i].settled)
			return true;
	}
	/* It was not looked at, and will be behind RSET. */
	return txn->follows_refusal;
}

/* Those who were put off get an attempt of their own, or a reason. */
static void
put_off(struct stls_engine *engine, struct stls_transaction *txn)
{
	struct stls_err err;

	if (stls_transaction_can_repeat(txn) && made_progress(txn)) {
		stls_transaction_start_again(txn);
		stls_queue_append(&engine->again, txn);
		return;
	}
	stls_err_set(&err, SMTPTLS_E_SOURCE,
	    "the server takes no more recipients at once, and the content "
	    "cannot be read a second time");
	stls_transaction_fail(txn, false, &err);
	stls_engine_finish_transaction(engine, txn);
}

void
stls_engine_settle_transaction(
    struct stls_engine *engine, struct stls_transaction *txn)
{
	if (txn->due > 0 || txn == engine->sending)
		return;
	/* Replies come in order, so it is the first of those in the air. */
	assert(txn == engine->in_air.first);
	stls_queue_take(&engine->in_air);
	if (txn->put_off > 0)
		put_off(engine, txn);
	else
		stls_engine_finish_transaction(engine, txn);
}

/*
 * Whether the octets up to its end have left, and nothing forbade it. A no to
 * MAIL that put it off does not: a server in the middle of another message may
 * have taken the chunks for that one.
 */
static bool
is_handed_over(
    const struct stls_engine *engine, const struct stls_transaction *txn)
{
	return txn->end_offset > 0 && engine->exposed >= txn->end_offset &&
	    (!txn->mail_was_refused ||
		(txn->put_off > 0 && txn->transfer != STLS_BY_DATA));
}

/*
 * What is wrong with the content that is being sent ends the connection, and
 * is no reason to give up another message, which goes on a new one.
 */
static void
set_reason_of_others(
    const struct stls_engine *engine, struct stls_err *out_reason)
{
	const struct stls_err *err = engine->err;

	if (engine->sending == NULL ||
	    (err->code != SMTPTLS_E_SOURCE &&
		err->code != SMTPTLS_E_UNSUPPORTED)) {
		stls_err_copy(out_reason, err);
		return;
	}
	stls_err_set(out_reason, SMTPTLS_E_IO,
	    "the connection was ended because of another message: %s",
	    stls_err_text(err));
}

static void
fail_all(struct stls_engine *engine, struct stls_queue *queue,
    const struct stls_err *reason)
{
	struct stls_transaction *txn;

	while ((txn = stls_queue_take(queue)) != NULL) {
		/* One address without SMTPUTF8 is not why the others fail. */
		stls_err_clear(&txn->err);
		stls_transaction_fail(txn, is_handed_over(engine, txn),
		    txn == engine->sending ? engine->err : reason);
		stls_engine_finish_transaction(engine, txn);
	}
}

/* Close for the reason in engine->err. */
void
stls_engine_close(struct stls_engine *engine)
{
	struct stls_err reason;

	stls_engine_enter(engine, STLS_STATE_CLOSED);
	stls_fifo_clear(&engine->expected);
	stls_buf_clear(&engine->out);
	engine->offered = 0;
	stls_engine_keep_text(engine);
	stls_buf_clear(&engine->in);
	set_reason_of_others(engine, &reason);
	fail_all(engine, &engine->in_air, &reason);
	engine->sending = NULL;
	if (engine->is_used_up) {
		/* The server said so before; how it ends is no matter. */
		stls_err_clear(engine->err);
		return;
	}
	fail_all(engine, &engine->again, &reason);
	fail_all(engine, &engine->waiting, &reason);
}

void
stls_engine_lose(struct stls_engine *engine, const struct stls_err *err)
{
	if (engine->state == STLS_STATE_CLOSED)
		return;
	stls_err_copy(engine->err, err);
	stls_engine_close(engine);
}

void
stls_engine_fail(struct stls_engine *engine, const struct stls_err *err)
{
	if (engine->state == STLS_STATE_CLOSED && !engine->is_used_up)
		return;
	engine->is_used_up = false;
	stls_err_copy(engine->err, err);
	stls_engine_close(engine);
}

bool
stls_engine_has_waiting(const struct stls_engine *engine)
{
	return engine->again.len > 0 || engine->waiting.len > 0;
}

int
stls_engine_submit(struct stls_engine *engine, struct stls_transaction *txn)
{
	bool is_over = engine->state == STLS_STATE_CLOSED &&
	    !(engine->is_used_up && stls_engine_has_waiting(engine));

	if (is_over || engine->wants_quit)
		return SMTPTLS_E_STATE;
	stls_transaction_start(txn);
	stls_queue_append(&engine->waiting, txn);
	stls_engine_advance(engine);
	return SMTPTLS_OK;
}

void
stls_engine_move_on(struct stls_engine *engine, struct stls_engine *next)
{
	struct stls_transaction *txn;

	while ((txn = stls_queue_take(&engine->again)) != NULL)
		stls_queue_append(&next->again, txn);
	while ((txn = stls_queue_take(&engine->waiting)) != NULL)
		stls_queue_append(&next->waiting, txn);
	next->wants_quit = engine->wants_quit;
	next->wants_noop = engine->wants_noop;
	next->noop_code = engine->noop_code;
	next->noop_text = engine->noop_text;
	engine->noop_text = NULL;
}

void
stls_engine_abandon(struct stls_engine *engine, const struct stls_err *err)
{
	stls_engine_fail(engine, err);
}

struct stls_transaction *
stls_engine_take_done(struct stls_engine *engine)
{
	return stls_queue_take(&engine->done);
}
