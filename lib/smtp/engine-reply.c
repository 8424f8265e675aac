/* SPDX-License-Identifier: MIT */
/* What the engine makes of each reply. */
#include "smtp/engine-parts.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"

/* Challenges of one authentication; LOGIN has two, SCRAM as many. */
#define AUTH_ROUNDS_MAX 8

/* Fail with the server's own words. */
static int
fail_by_reply(struct stls_engine *engine, int code, const char *what,
    const struct stls_reply *reply)
{
	char text[STLS_OUTCOME_TEXT_CAP];

	stls_reply_text(reply, text, sizeof(text));
	return stls_err_set(&engine->err, code, "%s: %d %s%s%s", what,
	    reply->code, reply->enhanced, reply->enhanced[0] != '\0' ? " " : "",
	    text);
}

/* A reply that is neither yes nor no to what was asked. */
static int
fail_senseless(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	char what[64];

	snprintf(what, sizeof(what), "no answer to %s",
	    stls_step_name(expected->step));
	return fail_by_reply(engine, SMTPTLS_E_PROTOCOL, what, reply);
}

/*
 * Whether a reply began to come when what it answers had not left, which is
 * no answer then, wherever the rest of it came.
 */
static bool
comes_early(
    const struct stls_engine *engine, const struct stls_expected *expected)
{
	return expected->offset > engine->begun;
}

static bool
is_refusal(const struct stls_reply *reply)
{
	return reply->code >= 400;
}

static int
refusal_code(const struct stls_reply *reply)
{
	return reply->code >= 500 ? SMTPTLS_E_REFUSED : SMTPTLS_E_REFUSED_LATER;
}

static int
on_greeting(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	int r;

	if (is_refusal(reply))
		return fail_by_reply(engine, refusal_code(reply),
		    "the server does not serve", reply);
	if (reply->code != 220)
		return fail_senseless(engine, expected, reply);
	r = stls_engine_send_ehlo(engine);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

/* TLS is still to come: only STARTTLS, or nothing, is asked for in clear. */
static int
after_clear_ehlo(struct stls_engine *engine)
{
	int r;

	if (stls_capabilities_find(&engine->capabilities, "STARTTLS") == NULL)
		return stls_err_set(&engine->err, SMTPTLS_E_NO_STARTTLS,
		    "the server does not offer STARTTLS");
	r = stls_engine_send(engine, "STARTTLS", STLS_STEP_STARTTLS);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

static int
on_ehlo(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	bool clear = !engine->tls && !engine->config.insecure_no_tls;

	if (is_refusal(reply)) {
		/* HELO knows no STARTTLS: there is no way back to it. */
		if (clear && reply->code >= 500)
			return fail_by_reply(engine, SMTPTLS_E_NO_STARTTLS,
			    "EHLO refused, so there is no STARTTLS", reply);
		return fail_by_reply(
		    engine, refusal_code(reply), "EHLO refused", reply);
	}
	if (reply->code != 250)
		return fail_senseless(engine, expected, reply);
	if (stls_capabilities_parse(&engine->capabilities, reply) < 0)
		return stls_err_nomem(&engine->err);

	if (clear)
		return after_clear_ehlo(engine);
	if (!engine->config.authenticate)
		return stls_engine_enter(engine, STLS_STATE_READY);
	engine->step = STLS_STEP_AUTH;
	return stls_engine_enter(engine, STLS_STATE_START_AUTH);
}

static int
on_starttls(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	if (is_refusal(reply))
		return fail_by_reply(
		    engine, SMTPTLS_E_NO_STARTTLS, "STARTTLS refused", reply);
	if (reply->code != 220)
		return fail_senseless(engine, expected, reply);
	engine->step = STLS_STEP_TLS;
	return stls_engine_enter(engine, STLS_STATE_START_TLS);
}

static int
on_challenge(struct stls_engine *engine, const struct stls_reply *reply)
{
	size_t offset = 0, len;
	const char *text;
	int r;

	if (++engine->auth_rounds > AUTH_ROUNDS_MAX)
		return stls_err_set(&engine->err, SMTPTLS_E_LIMIT,
		    "the server asks more than %d times during "
		    "authentication",
		    AUTH_ROUNDS_MAX);
	stls_reply_next_line(reply, &offset, &text, &len);
	if (offset != reply->len)
		return stls_err_set(&engine->err, SMTPTLS_E_PROTOCOL,
		    "a challenge has more than one line");
	r = stls_secret_set(&engine->challenge, text, len);
	if (r < 0)
		return stls_err_nomem(&engine->err);
	/* Some servers write words here where no challenge is needed. */
	r = stls_base64_decode(engine->challenge.data, text, len, &len);
	stls_secret_shorten(&engine->challenge, r < 0 ? 0 : len);

	stls_engine_enter(engine, STLS_STATE_CHALLENGE);
	if (engine->auth_has_initial) {
		/* It was too long for the AUTH command. */
		engine->auth_has_initial = false;
		stls_engine_auth_respond(engine, &engine->auth_initial);
		stls_secret_done(&engine->auth_initial);
	}
	return SMTPTLS_OK;
}

static int
on_auth(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	if (reply->code == 334)
		return on_challenge(engine, reply);
	stls_secret_done(&engine->auth_initial);
	stls_secret_done(&engine->challenge);
	if (reply->code >= 500)
		return fail_by_reply(
		    engine, SMTPTLS_E_AUTH, "authentication refused", reply);
	if (is_refusal(reply))
		return fail_by_reply(engine, SMTPTLS_E_REFUSED_LATER,
		    "authentication refused for now", reply);
	if (reply->code != 235)
		return fail_senseless(engine, expected, reply);
	engine->authenticated = true;
	return stls_engine_enter(engine, STLS_STATE_READY);
}

static int
on_mail(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	if (is_refusal(reply)) {
		stls_transaction_decide_open(
		    engine->current, expected->step, reply);
		stls_engine_finish_current(engine);
		return stls_engine_enter(engine, STLS_STATE_READY);
	}
	if (reply->code != 250)
		return fail_senseless(engine, expected, reply);
	return SMTPTLS_OK;
}

static int
on_rcpt(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	struct stls_transaction *txn = engine->current;
	struct stls_recipient *recipient =
	    &txn->recipients[expected->recipient];

	if (is_refusal(reply)) {
		stls_recipient_decide(recipient, expected->step, reply);
		return SMTPTLS_OK;
	}
	/* 251 will forward; 252 answers VRFY (RFC 5321 section 3.4, 3.5.3). */
	if (reply->code != 250 && reply->code != 251)
		return fail_senseless(engine, expected, reply);
	recipient->taken = true;
	txn->taken++;
	return SMTPTLS_OK;
}

static int
on_data(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	struct stls_transaction *txn = engine->current;
	struct stls_expected *expected_end;
	int r;

	if (is_refusal(reply)) {
		stls_transaction_decide_taken(txn, expected->step, reply);
		return stls_engine_give_up(engine);
	}
	if (reply->code != 354)
		return fail_senseless(engine, expected, reply);

	engine->data = (struct stls_data){
		.reject_line_endings = txn->reject_line_endings,
		.refuse_8bit = stls_capabilities_find(
				   &engine->capabilities, "8BITMIME") == NULL,
	};
	/* From now on a refusal may come at any time, a yes not yet. */
	r = stls_engine_expect(engine, STLS_STEP_END_OF_DATA, 0);
	if (r < 0)
		return r;
	expected_end = stls_fifo_last(&engine->expected);
	expected_end->offset = STLS_OFFSET_UNKNOWN;
	engine->step = STLS_STEP_CONTENT;
	if (engine->config.lmtp)
		expected_end->replies = txn->taken;
	return stls_engine_enter(engine, STLS_STATE_BODY);
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
on_early_refusal(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	struct stls_transaction *txn = engine->current;

	if (engine->config.lmtp) {
		/* To the others nobody has answered: they were not tried. */
		stls_recipient_decide(next_taken(txn), expected->step, reply);
	} else {
		stls_transaction_decide_taken(txn, expected->step, reply);
		stls_engine_finish_current(engine);
	}
	return fail_by_reply(engine, SMTPTLS_E_IO,
	    "the server refused in the middle of the content", reply);
}

static int
on_end_of_data(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	struct stls_transaction *txn = engine->current;
	bool early = comes_early(engine, expected);

	if (!is_refusal(reply) && reply->code >= 300)
		return fail_senseless(engine, expected, reply);
	if (early)
		return on_early_refusal(engine, expected, reply);
	if (engine->config.lmtp) {
		stls_recipient_decide(next_taken(txn), expected->step, reply);
		if (++txn->decided < txn->taken)
			return SMTPTLS_OK;
	} else {
		stls_transaction_decide_taken(txn, expected->step, reply);
	}
	stls_engine_finish_current(engine);
	return stls_engine_enter(engine, STLS_STATE_READY);
}

static int
on_rset(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	(void)expected;
	/* A server that does not forget cannot be given another message. */
	if (reply->code != 250)
		return fail_by_reply(
		    engine, SMTPTLS_E_PROTOCOL, "RSET refused", reply);
	return stls_engine_enter(engine, STLS_STATE_READY);
}

static int
on_noop(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	if (reply->code >= 300 && !is_refusal(reply))
		return fail_senseless(engine, expected, reply);
	return stls_engine_enter(engine, STLS_STATE_READY);
}

static int
on_quit(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	(void)expected;
	(void)reply;
	stls_err_clear(&engine->err);
	stls_engine_close(engine);
	return SMTPTLS_OK;
}

typedef int (*reply_handler)(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply);

/* Every reply there can be, and who understands it. */
static const reply_handler handlers[STLS_STEP_COUNT] = {
	[STLS_STEP_GREETING] = on_greeting,
	[STLS_STEP_EHLO] = on_ehlo,
	[STLS_STEP_STARTTLS] = on_starttls,
	[STLS_STEP_AUTH] = on_auth,
	[STLS_STEP_MAIL] = on_mail,
	[STLS_STEP_RCPT] = on_rcpt,
	[STLS_STEP_DATA] = on_data,
	[STLS_STEP_END_OF_DATA] = on_end_of_data,
	[STLS_STEP_RSET] = on_rset,
	[STLS_STEP_NOOP] = on_noop,
	[STLS_STEP_QUIT] = on_quit,
};

static void
remember(struct stls_engine *engine, const struct stls_reply *reply)
{
	const char *text;
	size_t offset = 0, start = 0, len;

	engine->replies++;
	engine->last_code = reply->code;
	memcpy(engine->last_enhanced, reply->enhanced, STLS_ENHANCED_CAP);
	stls_reply_text(reply, engine->last_text, sizeof(engine->last_text));
	while (stls_reply_next_line(reply, &offset, &text, &len)) {
		stls_engine_trace(
		    engine, 'S', reply->lines + start, offset - start - 2);
		start = offset;
	}
}

/* 421 may come at any time: the server closes (RFC 5321 section 3.8). */
static int
fail_closing(struct stls_engine *engine, const struct stls_reply *reply)
{
	return fail_by_reply(engine, SMTPTLS_E_REFUSED_LATER,
	    "the server is closing the connection", reply);
}

int
stls_engine_dispatch(struct stls_engine *engine, const struct stls_reply *reply)
{
	struct stls_expected expected;
	int r;

	remember(engine, reply);
	if (engine->expected.len == 0) {
		if (reply->code == 421)
			return fail_closing(engine, reply);
		return fail_by_reply(engine, SMTPTLS_E_PROTOCOL,
		    "a reply to nothing that was asked", reply);
	}

	expected = *stls_fifo_first(&engine->expected);
	if (comes_early(engine, &expected) &&
	    !(expected.step == STLS_STEP_END_OF_DATA && is_refusal(reply))) {
		if (reply->code == 421)
			return fail_closing(engine, reply);
		return fail_by_reply(engine, SMTPTLS_E_PROTOCOL,
		    "a reply to what has not been sent yet", reply);
	}
	stls_fifo_count_reply(&engine->expected);
	if (engine->expected.len > 0)
		engine->step = stls_fifo_first(&engine->expected)->step;
	r = handlers[expected.step](engine, &expected, reply);
	if (reply->code == 421 && engine->state != STLS_STATE_CLOSED)
		return fail_closing(engine, reply);
	return r;
}
