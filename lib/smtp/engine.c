/* SPDX-License-Identifier: MIT */
#include "smtp/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "smtp/engine-parts.h"

/* The content is handed on in pieces of one TLS record (RFC 8446 5.1). */
#define OUTPUT_FULL 16384
/* Commands of one flight, and the content behind them. */
#define OUTPUT_MAX (OUTPUT_FULL + STLS_DATA_GROWTH_MAX + 65536)
/* A reply that is not complete, and what one read adds to it. */
#define INPUT_MAX (STLS_REPLY_BYTES_MAX + STLS_REPLY_LINE_MAX + 65536)

static const char *const state_names[] = {
	[STLS_STATE_START] = "start",
	[STLS_STATE_WAITING] = "waiting",
	[STLS_STATE_START_TLS] = "start TLS",
	[STLS_STATE_START_AUTH] = "start authentication",
	[STLS_STATE_CHALLENGE] = "challenge",
	[STLS_STATE_READY] = "ready",
	[STLS_STATE_MAIL] = "mail",
	[STLS_STATE_RCPT] = "recipients",
	[STLS_STATE_DATA] = "data",
	[STLS_STATE_BODY] = "content",
	[STLS_STATE_BEFORE_END] = "before end of data",
	[STLS_STATE_AFTER_END] = "after end of data",
	[STLS_STATE_RSET] = "reset",
	[STLS_STATE_CLOSED] = "closed",
};

void
stls_engine_trace(
    const struct stls_engine *engine, char what, const char *text, size_t len)
{
	if (engine->config.trace != NULL)
		engine->config.trace(what, text, len, engine->config.arg);
}

/* The only way to change the state. */
int
stls_engine_enter(struct stls_engine *engine, enum stls_state state)
{
	if (engine->state == STLS_STATE_CLOSED)
		return engine->err.code;
	engine->state = state;
	stls_engine_trace(
	    engine, '=', state_names[state], strlen(state_names[state]));
	return SMTPTLS_OK;
}

int
stls_engine_expect(
    struct stls_engine *engine, enum stls_step step, size_t recipient)
{
	struct stls_expected expected = {
		.step = step,
		.replies = 1,
		.offset = engine->queued,
		.recipient = recipient,
	};

	if (stls_fifo_append(&engine->expected, &expected) < 0)
		return stls_err_nomem(&engine->err);
	engine->step = stls_fifo_first(&engine->expected)->step;
	return SMTPTLS_OK;
}

static void
finish(struct stls_engine *engine, struct stls_transaction *txn)
{
	struct stls_transaction **end = &engine->done;

	stls_transaction_finish(txn);
	while (*end != NULL)
		end = &(*end)->next;
	txn->next = NULL;
	*end = txn;
}

void
stls_engine_finish_current(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->current;

	engine->current = NULL;
	finish(engine, txn);
}

/* Whether the octets up to the final dot have left. */
static bool
is_handed_over(
    const struct stls_engine *engine, const struct stls_transaction *txn)
{
	return txn->end_offset > 0 && engine->exposed >= txn->end_offset;
}

/* Close for the reason in engine->err. */
void
stls_engine_close(struct stls_engine *engine)
{
	struct stls_transaction *txn;

	stls_engine_enter(engine, STLS_STATE_CLOSED);
	stls_fifo_clear(&engine->expected);
	stls_buf_clear(&engine->out);
	engine->offered = 0;
	stls_buf_clear(&engine->in);
	if (engine->current != NULL) {
		txn = engine->current;
		/* One address without SMTPUTF8 is not why the others fail. */
		stls_err_clear(&txn->err);
		stls_transaction_fail(
		    txn, is_handed_over(engine, txn), &engine->err);
		stls_engine_finish_current(engine);
	}
	while (engine->waiting != NULL) {
		txn = engine->waiting;
		engine->waiting = txn->next;
		stls_transaction_fail(txn, false, &engine->err);
		finish(engine, txn);
	}
}

void
stls_engine_fail(struct stls_engine *engine, const struct stls_err *err)
{
	if (engine->state == STLS_STATE_CLOSED)
		return;
	stls_err_copy(&engine->err, err);
	stls_engine_close(engine);
}

/* Close unless r is a success; what a handler or sender returned. */
void
stls_engine_settle(struct stls_engine *engine, int r)
{
	if (r < 0 && engine->state != STLS_STATE_CLOSED)
		stls_engine_close(engine);
}

/*
 * Nothing that came before TLS may be taken for something inside it (RFC 3207
 * section 5): what is behind the 220 is an attack or a broken server.
 */
static int
check_nothing_behind_starttls(struct stls_engine *engine)
{
	if (engine->state != STLS_STATE_START_TLS ||
	    stls_buf_len(&engine->in) == 0)
		return SMTPTLS_OK;
	return stls_err_set(&engine->err, SMTPTLS_E_PROTOCOL,
	    "the server sent something in clear behind its answer to "
	    "STARTTLS");
}

/*
 * Octets that the driver has written. What it was only given may still wait in
 * a record that no server can have read.
 */
static uint64_t
written(const struct stls_engine *engine)
{
	return engine->queued - stls_buf_len(&engine->out);
}

static int
take_in(struct stls_engine *engine, const void *data, size_t len)
{
	int r;

	if (stls_buf_len(&engine->in) == 0)
		engine->begun = written(engine);
	r = stls_buf_append(&engine->in, data, len);
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_nomem(&engine->err);
	if (r < 0)
		return stls_err_set(
		    &engine->err, r, "the server sends too much");
	return SMTPTLS_OK;
}

/* See what the next reply means. SMTPTLS_AGAIN: it is not complete. */
static int
take_reply(struct stls_engine *engine)
{
	struct stls_reply reply;
	int r;

	r = check_nothing_behind_starttls(engine);
	if (r == SMTPTLS_OK)
		r = stls_reply_parse(&engine->err, &engine->parser,
		    (const char *)stls_buf_data(&engine->in),
		    stls_buf_len(&engine->in), &reply);
	if (r != SMTPTLS_OK)
		return r;
	r = stls_engine_dispatch(engine, &reply);
	if (engine->state != STLS_STATE_CLOSED)
		stls_buf_consume(&engine->in, reply.len);
	engine->begun = written(engine);
	return r;
}

void
stls_engine_receive(struct stls_engine *engine, const void *data, size_t len)
{
	int r;

	if (engine->state == STLS_STATE_CLOSED)
		return;
	r = take_in(engine, data, len);
	while (r == SMTPTLS_OK && engine->state != STLS_STATE_CLOSED &&
	    stls_buf_len(&engine->in) > 0) {
		r = take_reply(engine);
		/* After each, so that the pieces they come in do not count. */
		if (r == SMTPTLS_OK)
			stls_engine_advance(engine);
	}
	stls_engine_settle(engine, r);
}

void
stls_engine_init(
    struct stls_engine *engine, const struct stls_engine_config *config)
{
	memset(engine, 0, sizeof(*engine));
	engine->config = *config;
	stls_buf_init(&engine->in, INPUT_MAX);
	stls_buf_init(&engine->out, OUTPUT_MAX);
}

void
stls_engine_done(struct stls_engine *engine)
{
	assert(engine->current == NULL && engine->waiting == NULL);
	stls_buf_done(&engine->in);
	stls_buf_done(&engine->out);
	stls_fifo_done(&engine->expected);
	free(engine->ehlo_name);
	stls_capabilities_done(&engine->capabilities);
	stls_secret_done(&engine->auth_initial);
	stls_secret_done(&engine->challenge);
	memset(engine, 0, sizeof(*engine));
}

int
stls_engine_start(struct stls_engine *engine, const char *ehlo_name)
{
	int r;

	assert(engine->state == STLS_STATE_START);
	/* Only to see whether it can be sent, before anybody is asked. */
	r = stls_command_ehlo(&engine->err, &engine->out, "EHLO", ehlo_name);
	if (r < 0)
		return r;
	stls_buf_clear(&engine->out);
	engine->ehlo_name = stls_strdup(ehlo_name);
	if (engine->ehlo_name == NULL)
		return stls_err_nomem(&engine->err);
	if (engine->config.implicit_tls) {
		engine->step = STLS_STEP_TLS;
		return stls_engine_enter(engine, STLS_STATE_START_TLS);
	}
	r = stls_engine_expect(engine, STLS_STEP_GREETING, 0);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

enum stls_event
stls_engine_event(const struct stls_engine *engine)
{
	if (engine->done != NULL)
		return STLS_MESSAGE_DONE;
	if (engine->state == STLS_STATE_CLOSED)
		return STLS_CLOSED;
	if (engine->state == STLS_STATE_BODY &&
	    stls_buf_len(&engine->out) < OUTPUT_FULL)
		return STLS_NEED_BODY;
	if (engine->state == STLS_STATE_BEFORE_END)
		return STLS_BEFORE_END_OF_DATA;
	if (stls_buf_len(&engine->out) > 0)
		return STLS_HAVE_OUTPUT;
	switch (engine->state) {
	case STLS_STATE_START_TLS:
		return STLS_START_TLS;
	case STLS_STATE_START_AUTH:
		return STLS_START_AUTH;
	case STLS_STATE_CHALLENGE:
		return STLS_AUTH_CHALLENGE;
	case STLS_STATE_READY:
		return STLS_READY;
	default:
		return STLS_NEED_INPUT;
	}
}

const unsigned char *
stls_engine_output(struct stls_engine *engine, size_t *out_len)
{
	size_t buffered = stls_buf_len(&engine->out);

	if (engine->offered == 0) {
		engine->offered = buffered < OUTPUT_FULL ? buffered
							 : OUTPUT_FULL;
		engine->exposed = engine->queued - buffered + engine->offered;
	}
	*out_len = engine->offered;
	return stls_buf_data(&engine->out);
}

bool
stls_engine_has_output(const struct stls_engine *engine)
{
	return stls_buf_len(&engine->out) > 0;
}

void
stls_engine_sent(struct stls_engine *engine, size_t len)
{
	stls_buf_consume(&engine->out, len);
	engine->offered = 0;
}

void
stls_engine_tls(struct stls_engine *engine)
{
	int r;

	assert(engine->state == STLS_STATE_START_TLS);
	stls_capabilities_done(&engine->capabilities);
	engine->tls = true;
	if (engine->config.implicit_tls)
		r = stls_engine_expect(engine, STLS_STEP_GREETING, 0);
	else
		r = stls_engine_send_ehlo(engine);
	if (r == SMTPTLS_OK)
		r = stls_engine_enter(engine, STLS_STATE_WAITING);
	stls_engine_settle(engine, r);
}

int
stls_engine_submit(struct stls_engine *engine, struct stls_transaction *txn)
{
	struct stls_transaction **end = &engine->waiting;

	if (engine->state == STLS_STATE_CLOSED || engine->wants_quit)
		return SMTPTLS_E_STATE;
	while (*end != NULL)
		end = &(*end)->next;
	txn->next = NULL;
	*end = txn;
	stls_engine_advance(engine);
	return SMTPTLS_OK;
}

void
stls_engine_body(struct stls_engine *engine, const char *data, size_t len)
{
	size_t before = stls_buf_len(&engine->out);
	struct stls_err err;

	assert(engine->state == STLS_STATE_BODY);
	if (stls_data_write(&err, &engine->data, data, len, &engine->out) < 0) {
		stls_engine_abandon(engine, &err);
		return;
	}
	engine->queued += stls_buf_len(&engine->out) - before;
}

void
stls_engine_body_end(struct stls_engine *engine)
{
	assert(engine->state == STLS_STATE_BODY);
	stls_engine_enter(engine, STLS_STATE_BEFORE_END);
}

void
stls_engine_end_of_data(struct stls_engine *engine)
{
	size_t before = stls_buf_len(&engine->out);
	struct stls_err err;

	assert(engine->state == STLS_STATE_BEFORE_END);
	if (stls_data_end(&err, &engine->data, &engine->out) < 0) {
		stls_engine_abandon(engine, &err);
		return;
	}
	engine->queued += stls_buf_len(&engine->out) - before;
	engine->current->end_offset = engine->queued;
	stls_fifo_first(&engine->expected)->offset = engine->queued;
	engine->step = STLS_STEP_END_OF_DATA;
	stls_engine_enter(engine, STLS_STATE_AFTER_END);
}

void
stls_engine_abandon(struct stls_engine *engine, const struct stls_err *err)
{
	stls_engine_fail(engine, err);
}

struct stls_transaction *
stls_engine_take_done(struct stls_engine *engine)
{
	struct stls_transaction *txn = engine->done;

	if (txn != NULL) {
		engine->done = txn->next;
		txn->next = NULL;
	}
	return txn;
}

void
stls_engine_noop(struct stls_engine *engine)
{
	engine->wants_noop = true;
	stls_engine_advance(engine);
}

void
stls_engine_rset(struct stls_engine *engine)
{
	engine->wants_rset = true;
	stls_engine_advance(engine);
}

void
stls_engine_quit(struct stls_engine *engine)
{
	engine->wants_quit = true;
	stls_engine_advance(engine);
}

enum stls_step
stls_engine_step(const struct stls_engine *engine)
{
	return engine->step;
}
