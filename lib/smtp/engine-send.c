/* SPDX-License-Identifier: MIT */
/* What the engine sends, and when. */
#include "smtp/engine-parts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Account for a line that a stls_command_ function appended; r is its result. */
static int
sent_line(struct stls_engine *engine, size_t before, int r, const char *shown)
{
	const char *line = (const char *)stls_buf_data(&engine->out) + before;
	size_t len = stls_buf_len(&engine->out) - before;

	if (r < 0)
		return r;
	engine->queued += len;
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

	r = stls_command_write(&engine->err, &engine->out, verb);
	r = sent_line(engine, before, r, NULL);
	return r < 0 ? r : stls_engine_expect(engine, step, 0);
}

int
stls_engine_send_ehlo(struct stls_engine *engine)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	r = stls_command_ehlo(&engine->err, &engine->out,
	    engine->config.lmtp ? "LHLO" : "EHLO", engine->ehlo_name);
	r = sent_line(engine, before, r, NULL);
	return r < 0 ? r : stls_engine_expect(engine, STLS_STEP_EHLO, 0);
}

/*
 * The gate in front of AUTH and MAIL: whatever happened before, and whoever
 * made the transport, it may be trusted now or nothing leaves. Without TLS no
 * AUTH leaves, whatever the driver says.
 */
static int
check_gate(struct stls_engine *engine, enum stls_step step)
{
	bool clear_is_fine = engine->config.insecure_no_tls &&
	    step == STLS_STEP_MAIL;

	if ((engine->tls || clear_is_fine) &&
	    engine->config.may_send(step, engine->config.arg))
		return SMTPTLS_OK;
	engine->step = step;
	return stls_err_set(&engine->err, SMTPTLS_E_TLS,
	    "%s needs a verified TLS session, and this is none",
	    stls_step_name(step));
}

/* What the server does not offer and the message needs, before MAIL. */
static int
check_supported(const struct stls_engine *engine, struct stls_transaction *txn)
{
	const struct stls_capabilities *offered = &engine->capabilities;
	uint64_t size_max = stls_capabilities_size_max(offered);
	bool utf8 = stls_capabilities_find(offered, "SMTPUTF8") != NULL;

	if (!utf8 && (txn->smtputf8 || txn->sender_needs_smtputf8))
		return stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the message needs SMTPUTF8 and the server does not "
		    "offer it");
	if (txn->is_8bit && stls_capabilities_find(offered, "8BITMIME") == NULL)
		return stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the content is 8-bit and the server does not offer "
		    "8BITMIME");
	if (size_max > 0 && txn->size_is_known && txn->size > size_max)
		return stls_err_set(&txn->err, SMTPTLS_E_UNSUPPORTED,
		    "the message has %" PRIu64
		    " octets and the server takes %" PRIu64,
		    txn->size, size_max);
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
	struct stls_transaction *txn = engine->current;
	struct stls_mail_params params;
	size_t before = stls_buf_len(&engine->out);
	int r;

	r = check_gate(engine, STLS_STEP_MAIL);
	if (r < 0)
		return r;
	if (check_supported(engine, txn) < 0) {
		stls_transaction_fail(txn, false, &txn->err);
		stls_engine_finish_current(engine);
		return stls_engine_enter(engine, STLS_STATE_READY);
	}

	params = (struct stls_mail_params){
		.has_size = txn->size_is_known &&
		    stls_capabilities_find(offered, "SIZE") != NULL,
		.size = txn->size,
		.body_8bit = !txn->is_7bit &&
		    stls_capabilities_find(offered, "8BITMIME") != NULL,
		.smtputf8 = needs_smtputf8(txn) &&
		    stls_capabilities_find(offered, "SMTPUTF8") != NULL,
	};
	r = stls_command_mail(&engine->err, &engine->out, txn->sender, &params);
	r = sent_line(engine, before, r, NULL);
	if (r == SMTPTLS_OK)
		r = stls_engine_expect(engine, STLS_STEP_MAIL, 0);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_RCPT);
}

/* The transaction goes no further; the server has to forget it. */
int
stls_engine_give_up(struct stls_engine *engine)
{
	stls_engine_finish_current(engine);
	return stls_engine_enter(engine, STLS_STATE_RSET);
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

/* All recipients have been answered: is there a reason to go on? */
static int
after_recipients(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->current;
	struct stls_err err;

	if (txn->taken == 0)
		return stls_engine_give_up(engine);
	if (txn->all_or_nothing && is_anybody_left_out(txn)) {
		stls_err_set(&err, SMTPTLS_E_REFUSED,
		    "not sent, because another recipient was refused");
		stls_transaction_fail(txn, false, &err);
		return stls_engine_give_up(engine);
	}
	return stls_engine_enter(engine, STLS_STATE_DATA);
}

static int
send_rcpt(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->current;
	bool utf8 = stls_capabilities_find(&engine->capabilities, "SMTPUTF8") !=
	    NULL;
	size_t before = stls_buf_len(&engine->out);
	struct stls_recipient *recipient;
	struct stls_err err;
	int r;

	while (txn->next_rcpt < txn->count) {
		recipient = &txn->recipients[txn->next_rcpt++];
		if (!stls_recipient_is_open(recipient))
			continue;
		if (recipient->needs_smtputf8 && !utf8) {
			/* This one fails alone (RFC 6531 section 3.2). */
			stls_err_set(&err, SMTPTLS_E_UNSUPPORTED,
			    "the address needs SMTPUTF8 and the server does "
			    "not offer it");
			free(recipient->text);
			recipient->text = stls_strdup(err.text);
			stls_err_copy(&txn->err, &err);
			continue;
		}
		r = stls_command_rcpt(&engine->err, &engine->out,
		    recipient->mailbox, recipient->needs_smtputf8);
		r = sent_line(engine, before, r, NULL);
		if (r < 0)
			return r;
		return stls_engine_expect(
		    engine, STLS_STEP_RCPT, txn->next_rcpt - 1);
	}
	return after_recipients(engine);
}

static int
send_data(struct stls_engine *engine)
{
	int r;

	r = stls_engine_send(engine, "DATA", STLS_STEP_DATA);
	/* What is next is decided by the answer. */
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

static int
send_rset(struct stls_engine *engine)
{
	int r;

	r = stls_engine_send(engine, "RSET", STLS_STEP_RSET);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

static bool
is_anybody_open(const struct stls_transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (stls_recipient_is_open(&txn->recipients[i]))
			return true;
	}
	return false;
}

static int
take_up_transaction(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->waiting;

	engine->waiting = txn->next;
	engine->current = txn;
	stls_transaction_start(txn);
	if (is_anybody_open(txn))
		return stls_engine_enter(engine, STLS_STATE_MAIL);
	/* Submitted again, and everybody has an outcome that stays. */
	stls_engine_finish_current(engine);
	return SMTPTLS_OK;
}

/* Nothing is under way: take up what was queued. */
static int
take_up(struct stls_engine *engine)
{
	int r;

	if (engine->wants_rset) {
		engine->wants_rset = false;
		return stls_engine_enter(engine, STLS_STATE_RSET);
	}
	if (engine->wants_noop) {
		engine->wants_noop = false;
		r = stls_engine_send(engine, "NOOP", STLS_STEP_NOOP);
		return r < 0 ? r
			     : stls_engine_enter(engine, STLS_STATE_WAITING);
	}
	if (engine->waiting != NULL)
		return take_up_transaction(engine);
	if (engine->wants_quit) {
		r = stls_engine_send(engine, "QUIT", STLS_STEP_QUIT);
		return r < 0 ? r
			     : stls_engine_enter(engine, STLS_STATE_WAITING);
	}
	return SMTPTLS_AGAIN;
}

/*
 * Whether another command may join those that wait for their replies. One at
 * a time: this is the one place that knows what a flight may hold.
 */
static bool
may_send(const struct stls_engine *engine)
{
	return engine->expected.len == 0;
}

/* Send what can be sent now. */
void
stls_engine_advance(struct stls_engine *engine)
{
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK && may_send(engine)) {
		switch (engine->state) {
		case STLS_STATE_READY:
			r = take_up(engine);
			break;
		case STLS_STATE_MAIL:
			r = send_mail(engine);
			break;
		case STLS_STATE_RCPT:
			r = send_rcpt(engine);
			break;
		case STLS_STATE_DATA:
			r = send_data(engine);
			break;
		case STLS_STATE_RSET:
			r = send_rset(engine);
			break;
		default:
			return;
		}
	}
	stls_engine_settle(engine, r);
}

/* Keep an initial response for when the server asks for it. */
static int
defer_initial(struct stls_engine *engine, const struct stls_secret *initial)
{
	stls_err_clear(&engine->err);
	if (stls_secret_set(
		&engine->auth_initial, initial->data, initial->len) < 0)
		return stls_err_nomem(&engine->err);
	engine->auth_has_initial = true;
	return SMTPTLS_OK;
}

static void
auth_command(struct stls_engine *engine, const char *mechanism,
    const struct stls_secret *initial)
{
	size_t before = stls_buf_len(&engine->out);
	char shown[64];
	int r;

	r = stls_command_auth(&engine->err, &engine->out, mechanism, initial);
	if (r == SMTPTLS_E_LIMIT && initial != NULL) {
		r = defer_initial(engine, initial);
		initial = NULL;
		if (r == SMTPTLS_OK)
			r = stls_command_auth(
			    &engine->err, &engine->out, mechanism, NULL);
	}
	snprintf(shown, sizeof(shown), "AUTH %s%s", mechanism,
	    initial != NULL ? " ***" : "");
	r = sent_line(engine, before, r, shown);
	if (r == SMTPTLS_OK)
		r = stls_engine_expect(engine, STLS_STEP_AUTH, 0);
	if (r == SMTPTLS_OK)
		r = stls_engine_enter(engine, STLS_STATE_WAITING);
	stls_engine_settle(engine, r);
}

void
stls_engine_auth(struct stls_engine *engine, const char *mechanism,
    const struct stls_secret *initial)
{
	assert(engine->state == STLS_STATE_START_AUTH);
	if (check_gate(engine, STLS_STEP_AUTH) < 0) {
		stls_engine_close(engine);
		return;
	}
	auth_command(engine, mechanism, initial);
}

const struct stls_secret *
stls_engine_challenge(const struct stls_engine *engine)
{
	return &engine->challenge;
}

void
stls_engine_auth_respond(
    struct stls_engine *engine, const struct stls_secret *response)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	assert(engine->state == STLS_STATE_CHALLENGE);
	stls_secret_done(&engine->challenge);
	r = check_gate(engine, STLS_STEP_AUTH);
	if (r == SMTPTLS_OK)
		r = stls_command_auth_response(
		    &engine->err, &engine->out, response);
	r = sent_line(engine, before, r, "***");
	if (r == SMTPTLS_OK)
		r = stls_engine_expect(engine, STLS_STEP_AUTH, 0);
	if (r == SMTPTLS_OK)
		r = stls_engine_enter(engine, STLS_STATE_WAITING);
	stls_engine_settle(engine, r);
}
