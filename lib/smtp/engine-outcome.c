/* SPDX-License-Identifier: MIT */
/* What the engine makes of the replies that decide about a message. */
#include "smtp/engine-parts.h"

#include <string.h>

/* Nothing more is sent of this one, if it was the one that is being sent. */
static int
stop_sending(struct stls_engine *engine, struct stls_transaction *txn)
{
	if (engine->sending != txn)
		return SMTPTLS_OK;
	switch (engine->state) {
	case STLS_STATE_RCPT:
	case STLS_STATE_DATA:
		return stls_engine_give_up(engine);
	case STLS_STATE_BODY:
		/* By BDAT: what is announced comes, and no more. */
		txn->is_stopped = true;
		return SMTPTLS_OK;
	default:
		return SMTPTLS_OK;
	}
}

/*
 * Whether a no to MAIL is no more than that the server is still in the middle
 * of a message that it refused, and that was followed by this one unseen.
 */
static bool
is_out_of_step(
    const struct stls_transaction *txn, const struct stls_reply *reply)
{
	return txn->follows_refusal && reply->code == 503 &&
	    stls_transaction_can_repeat(txn);
}

static void
put_off_all(struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (!txn->recipients[i].settled)
			txn->put_off++;
	}
}

int
stls_engine_on_mail(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	struct stls_transaction *txn = expected->txn;

	txn->envelope_due--;
	if (!stls_engine_is_refusal(reply)) {
		if (reply->code != 250)
			return stls_engine_fail_senseless(
			    engine, expected, reply);
		return SMTPTLS_OK;
	}
	txn->mail_was_refused = true;
	if (is_out_of_step(txn, reply)) {
		put_off_all(txn);
		stls_engine_need_reset(engine, expected);
	} else {
		stls_transaction_decide_open(txn, expected->step, reply);
	}
	return stop_sending(engine, txn);
}

/*
 * Too many recipients (RFC 5321 section 4.5.3.1.10): 452, which some servers
 * say as 552. With an enhanced status code it is X.5.3 (RFC 3463); another one
 * says that a mailbox or the disk is full.
 */
static bool
is_too_many(const struct stls_reply *reply)
{
	const char *subject = strchr(reply->enhanced, '.');

	if (reply->code != 452 && reply->code != 552)
		return false;
	return subject == NULL || strcmp(subject, ".5.3") == 0;
}

static void
refuse_recipient(struct stls_transaction *txn, struct stls_recipient *recipient,
    const struct stls_reply *reply)
{
	stls_recipient_decide(recipient, STLS_STEP_RCPT, reply);
	if (txn->taken == 0 || txn->all_or_nothing || !is_too_many(reply))
		return;
	recipient->settled = false;
	recipient->outcome = SMTPTLS_OUTCOME_REFUSED_LATER;
	txn->put_off++;
}

int
stls_engine_on_rcpt(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	struct stls_transaction *txn = expected->txn;
	struct stls_recipient *recipient =
	    &txn->recipients[expected->recipient];

	txn->envelope_due--;
	/* 251 will forward; 252 answers VRFY (RFC 5321 section 3.4, 3.5.3). */
	if (!stls_engine_is_refusal(reply) && reply->code != 250 &&
	    reply->code != 251)
		return stls_engine_fail_senseless(engine, expected, reply);
	/* Behind a no to MAIL it says nothing new. */
	if (txn->mail_was_refused)
		return SMTPTLS_OK;
	if (stls_engine_is_refusal(reply)) {
		refuse_recipient(txn, recipient, reply);
	} else {
		recipient->taken = true;
		txn->taken++;
	}
	if (txn->envelope_due == 0 && txn->taken == 0 &&
	    engine->state == STLS_STATE_BODY)
		return stop_sending(engine, txn);
	return SMTPTLS_OK;
}

int
stls_engine_on_data(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	struct stls_transaction *txn = expected->txn;

	if (stls_engine_is_refusal(reply)) {
		stls_transaction_decide_taken(txn, expected->step, reply);
		return stls_engine_give_up(engine);
	}
	if (reply->code != 354)
		return stls_engine_fail_senseless(engine, expected, reply);
	if (txn->taken > 0)
		return stls_engine_begin_data(engine);
	/* RFC 2033 section 4.2 has no answer to that. */
	if (engine->config.lmtp)
		return stls_engine_fail_senseless(engine, expected, reply);
	return stls_engine_send_lone_dot(engine);
}

/* The recipient that a reply to LMTP's end of data is about, in order. */
static struct stls_recipient *
next_taken(struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (txn->recipients[i].taken)
			return &txn->recipients[i];
	}
	return NULL;
}

/* The rest of the content cannot be sent as anything else. */
static int
fail_in_content(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	struct stls_transaction *txn = expected->txn;

	/* To LMTP's others nobody has answered: they were not tried. */
	if (engine->config.lmtp && txn->taken > 0)
		stls_recipient_decide(next_taken(txn), expected->step, reply);
	else
		stls_transaction_decide_taken(txn, expected->step, reply);
	return stls_engine_fail_by_reply(engine, SMTPTLS_E_IO,
	    "the server refused in the middle of the content", reply);
}

/*
 * After a no to BDAT the server waits for RSET (RFC 3030 section 2), and what
 * is in the air up to the next one comes before that.
 */
static void
leave_in_the_middle(
    struct stls_engine *engine, const struct stls_expected *refused)
{
	struct stls_transaction *txn;

	stls_engine_need_reset(engine, refused);
	txn = refused->txn->next;
	for (; txn != NULL && !txn->follows_reset; txn = txn->next)
		txn->follows_refusal = true;
}

/* A no to the content is an answer to it, also where MAIL was refused. */
static void
mark_as_refused(struct stls_transaction *txn)
{
	txn->end_offset = 0;
}

int
stls_engine_on_bdat(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	struct stls_transaction *txn = expected->txn;

	if (!stls_engine_is_refusal(reply)) {
		if (reply->code != 250)
			return stls_engine_fail_senseless(
			    engine, expected, reply);
		return SMTPTLS_OK;
	}
	mark_as_refused(txn);
	/* The last chunk must not make a message of what is left. */
	if (engine->sending == txn && engine->last_chunk)
		return fail_in_content(engine, expected, reply);
	stls_transaction_decide_taken(txn, expected->step, reply);
	txn->taken = 0;
	leave_in_the_middle(engine, expected);
	return stop_sending(engine, txn);
}

static void
decide_by_end(struct stls_transaction *txn, bool lmtp,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	/* A lone dot, or content that nobody wanted: nothing to decide. */
	if (txn->taken == 0)
		return;
	if (lmtp)
		stls_recipient_decide(next_taken(txn), expected->step, reply);
	else
		stls_transaction_decide_taken(txn, expected->step, reply);
}

/*
 * A yes to what was to be sent again, because its MAIL was refused: a server in
 * the middle of another message has taken it for that one. Who got it, and from
 * whom, it does not say; who gets it again may have it twice.
 */
static void
leave_in_doubt(struct stls_transaction *txn, const struct stls_reply *reply)
{
	struct stls_err err;

	stls_err_set(&err, SMTPTLS_E_PROTOCOL,
	    "the server refused MAIL, and took the content all the same: %d",
	    reply->code);
	txn->put_off = 0;
	stls_transaction_fail(txn, true, &err);
}

/*
 * A yes to the last chunk, although another one was refused: such a server has
 * to refuse it, too (RFC 3030 section 2). What it has taken it does not say.
 */
static void
leave_chunks_in_doubt(
    struct stls_transaction *txn, const struct stls_reply *reply)
{
	struct stls_err err;

	stls_err_set(&err, SMTPTLS_E_PROTOCOL,
	    "the server refused a part of the content, and took its end all "
	    "the same: %d",
	    reply->code);
	stls_transaction_doubt(txn, STLS_STEP_BDAT, &err);
}

int
stls_engine_on_end_of_data(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	struct stls_transaction *txn = expected->txn;

	/* 221 answers QUIT, which may be in the same flight. */
	if (!stls_engine_is_refusal(reply) &&
	    (reply->code >= 300 || reply->code == 221))
		return stls_engine_fail_senseless(engine, expected, reply);
	if (stls_engine_is_refusal(reply) && !engine->config.lmtp)
		mark_as_refused(txn);
	if (stls_engine_is_early(engine, expected))
		return fail_in_content(engine, expected, reply);
	if (!stls_engine_is_refusal(reply))
		leave_chunks_in_doubt(txn, reply);
	if (!stls_engine_is_refusal(reply) && txn->mail_was_refused &&
	    txn->put_off > 0 && txn->transfer != STLS_BY_DATA)
		leave_in_doubt(txn, reply);
	decide_by_end(txn, engine->config.lmtp, expected, reply);
	if (stls_engine_is_refusal(reply) && txn->transfer != STLS_BY_DATA &&
	    !engine->config.lmtp)
		leave_in_the_middle(engine, expected);
	return SMTPTLS_OK;
}
