/* SPDX-License-Identifier: MIT */
/* What the engine makes of each reply. */
#include "smtp/engine-parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"

/* Challenges of one authentication; LOGIN has two, SCRAM as many. */
#define AUTH_ROUNDS_MAX 8

int
stls_engine_fail_by_reply(struct stls_engine *engine, int code,
    const char *what, const struct stls_reply *reply)
{
	char text[STLS_OUTCOME_TEXT_CAP];

	stls_reply_text(reply, text, sizeof(text));
	return stls_err_set(engine->err, code, "%s: %d %s%s%s", what,
	    reply->code, reply->enhanced, reply->enhanced[0] != '\0' ? " " : "",
	    text);
}

int
stls_engine_fail_senseless(struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	char what[64];

	snprintf(what, sizeof(what), "not an answer to %s",
	    stls_step_name(expected->step));
	return stls_engine_fail_by_reply(
	    engine, SMTPTLS_E_PROTOCOL, what, reply);
}

bool
stls_engine_is_early(
    const struct stls_engine *engine, const struct stls_expected *expected)
{
	return expected->offset > engine->begun;
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

	if (stls_engine_is_refusal(reply))
		return stls_engine_fail_by_reply(engine, refusal_code(reply),
		    "the server does not serve", reply);
	if (reply->code != 220)
		return stls_engine_fail_senseless(engine, expected, reply);
	r = stls_engine_send_ehlo(engine);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

/* TLS is still to come: only STARTTLS, or nothing, is asked for in clear. */
static int
after_clear_ehlo(struct stls_engine *engine)
{
	int r;

	if (stls_capabilities_find(&engine->capabilities, "STARTTLS") == NULL)
		return stls_err_set(engine->err, SMTPTLS_E_NO_STARTTLS,
		    "the server does not offer STARTTLS");
	r = stls_engine_send(engine, "STARTTLS", STLS_STEP_STARTTLS);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

static int
on_ehlo(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	bool clear = !engine->tls && !engine->config.insecure_no_tls;

	if (stls_engine_is_refusal(reply)) {
		/* HELO knows no STARTTLS: there is no way back to it. */
		if (clear && reply->code >= 500)
			return stls_engine_fail_by_reply(engine,
			    SMTPTLS_E_NO_STARTTLS,
			    "EHLO refused, so there is no STARTTLS", reply);
		return stls_engine_fail_by_reply(
		    engine, refusal_code(reply), "EHLO refused", reply);
	}
	if (reply->code != 250)
		return stls_engine_fail_senseless(engine, expected, reply);
	if (stls_capabilities_parse(&engine->capabilities, reply) < 0)
		return stls_err_nomem(engine->err);

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
	if (stls_engine_is_refusal(reply))
		return stls_engine_fail_by_reply(
		    engine, SMTPTLS_E_NO_STARTTLS, "STARTTLS refused", reply);
	if (reply->code != 220)
		return stls_engine_fail_senseless(engine, expected, reply);
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
		return stls_err_set(engine->err, SMTPTLS_E_LIMIT,
		    "the server asks more than %d times during "
		    "authentication",
		    AUTH_ROUNDS_MAX);
	stls_reply_next_line(reply, &offset, &text, &len);
	if (offset != reply->len)
		return stls_err_set(engine->err, SMTPTLS_E_PROTOCOL,
		    "a challenge has more than one line");
	r = stls_secret_set(&engine->challenge, text, len);
	if (r < 0)
		return stls_err_nomem(engine->err);
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

/* The reply says that it failed; a challenge may have said why. */
static int
fail_auth(struct stls_engine *engine, int code, const struct stls_reply *reply)
{
	const char *what = code == SMTPTLS_E_AUTH
	    ? "authentication refused"
	    : "authentication refused for now";
	char shown[STLS_OUTCOME_TEXT_CAP];

	if (engine->auth_status != NULL) {
		snprintf(
		    shown, sizeof(shown), "%s (%s)", what, engine->auth_status);
		what = shown;
	}
	return stls_engine_fail_by_reply(engine, code, what, reply);
}

static int
on_auth(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	if (reply->code == 334)
		return on_challenge(engine, reply);
	stls_secret_done(&engine->auth_initial);
	stls_secret_done(&engine->auth_sent);
	stls_secret_done(&engine->challenge);
	if (reply->code >= 500)
		return fail_auth(engine, SMTPTLS_E_AUTH, reply);
	if (stls_engine_is_refusal(reply))
		return fail_auth(engine, SMTPTLS_E_REFUSED_LATER, reply);
	if (engine->auth_has_failed || reply->code != 235)
		return stls_engine_fail_senseless(engine, expected, reply);
	engine->authenticated = true;
	return stls_engine_enter(engine, STLS_STATE_READY);
}

static int
on_rset(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	(void)expected;
	/* A server that does not forget cannot be given another message. */
	if (reply->code != 250)
		return stls_engine_fail_by_reply(
		    engine, SMTPTLS_E_PROTOCOL, "RSET refused", reply);
	return SMTPTLS_OK;
}

static int
on_noop(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	char text[STLS_OUTCOME_TEXT_CAP];

	if (reply->code >= 300 && !stls_engine_is_refusal(reply))
		return stls_engine_fail_senseless(engine, expected, reply);
	/* Replies to other questions come before whoever asked looks. */
	engine->noop_code = reply->code;
	if (!stls_engine_is_refusal(reply))
		return SMTPTLS_OK;
	free(engine->noop_text);
	engine->noop_text = stls_strdup(
	    stls_reply_text(reply, text, sizeof(text)));
	return SMTPTLS_OK;
}

static int
on_quit(struct stls_engine *engine, const struct stls_expected *expected,
    const struct stls_reply *reply)
{
	(void)expected;
	(void)reply;
	stls_err_clear(engine->err);
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
	[STLS_STEP_MAIL] = stls_engine_on_mail,
	[STLS_STEP_RCPT] = stls_engine_on_rcpt,
	[STLS_STEP_BDAT] = stls_engine_on_bdat,
	[STLS_STEP_DATA] = stls_engine_on_data,
	[STLS_STEP_END_OF_DATA] = stls_engine_on_end_of_data,
	[STLS_STEP_RSET] = on_rset,
	[STLS_STEP_NOOP] = on_noop,
	[STLS_STEP_QUIT] = on_quit,
};

/* Most are short, and so is what a connection keeps. */
static void
set_last_text(struct stls_engine *engine, const char *text)
{
	size_t size = strlen(text) + 1;
	char *bigger;

	if (size > engine->last_text_cap) {
		bigger = stls_realloc(engine->last_text, size);
		if (bigger == NULL) {
			engine->last_text_cap = 0;
			return;
		}
		engine->last_text = bigger;
		engine->last_text_cap = size;
	}
	memcpy(engine->last_text, text, size);
}

const char *
stls_engine_last_text(const struct stls_engine *engine)
{
	return engine->last_text_cap != 0 ? engine->last_text : "";
}

void
stls_engine_keep_text(struct stls_engine *engine)
{
	char text[STLS_OUTCOME_TEXT_CAP];

	if (engine->last.lines == NULL)
		return;
	stls_reply_text(&engine->last, text, sizeof(text));
	set_last_text(engine, text);
	engine->last.lines = NULL;
	engine->last.len = 0;
}

static void
remember(struct stls_engine *engine, const struct stls_reply *reply)
{
	const char *text;
	size_t offset = 0, start = 0, len;

	engine->replies++;
	engine->last = *reply;
	if (engine->config.trace == NULL)
		return;
	stls_engine_keep_text(engine);
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
	return stls_engine_fail_by_reply(engine, SMTPTLS_E_REFUSED_LATER,
	    "the server is closing the connection", reply);
}

/*
 * What does not wait for the last octet of its question: a no to content that
 * is on its way. What was not even announced is no content yet.
 */
static bool
may_be_early(const struct stls_engine *engine,
    const struct stls_expected *expected, const struct stls_reply *reply)
{
	return stls_engine_is_refusal(reply) &&
	    expected->begins <= engine->begun &&
	    (expected->step == STLS_STEP_END_OF_DATA ||
		expected->step == STLS_STEP_BDAT);
}

/* A reply that nothing waits for yet. */
static int
fail_unasked(struct stls_engine *engine, const char *what,
    const struct stls_reply *reply)
{
	if (reply->code == 421)
		return fail_closing(engine, reply);
	return stls_engine_fail_by_reply(
	    engine, SMTPTLS_E_PROTOCOL, what, reply);
}

int
stls_engine_dispatch(struct stls_engine *engine, const struct stls_reply *reply)
{
	struct stls_expected expected;
	int r;

	remember(engine, reply);
	if (engine->expected.len == 0)
		return fail_unasked(
		    engine, "a reply to nothing that was asked", reply);
	expected = *stls_fifo_first(&engine->expected);
	if (stls_engine_is_early(engine, &expected) &&
	    !may_be_early(engine, &expected, reply))
		return fail_unasked(
		    engine, "a reply to what has not been sent yet", reply);

	stls_engine_count_reply(engine, &expected);
	r = handlers[expected.step](engine, &expected, reply);
	if (reply->code == 421 && engine->state != STLS_STATE_CLOSED)
		return fail_closing(engine, reply);
	if (r == SMTPTLS_OK && expected.txn != NULL)
		stls_engine_settle_transaction(engine, expected.txn);
	return r;
}
