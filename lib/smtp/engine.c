/* SPDX-License-Identifier: MIT */
#include "smtp/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "smtp/engine-parts.h"

/* What may be there, and a piece of content, or a command, behind it. */
#define OUTPUT_MAX (STLS_OUTPUT_FULL + STLS_DATA_GROWTH_MAX + 65536)
/* A reply that is not complete, and what one read adds to it. */
#define INPUT_MAX (STLS_REPLY_BYTES_MAX + STLS_REPLY_LINE_MAX + 65536)

/*
 * BDAT announces no more than this at once: the server's no to one chunk then
 * costs no more than the rest of the next, and the connection goes on.
 */
#define CHUNK_MAX (1024 * 1024)

static const char *const state_names[STLS_STATE_COUNT] = {
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

static bool
is_in_content(const struct stls_engine *engine)
{
	return engine->state == STLS_STATE_BODY ||
	    engine->state == STLS_STATE_BEFORE_END;
}

/* What is waited for first, and whether its content is on its way. */
static void
update_step(struct stls_engine *engine)
{
	const struct stls_expected *first;

	if (engine->expected.len == 0)
		return;
	first = stls_fifo_first(&engine->expected);
	engine->step = first->step;
	if (first->step == STLS_STEP_END_OF_DATA && is_in_content(engine) &&
	    first->txn == engine->sending)
		engine->step = STLS_STEP_CONTENT;
}

/* The only way to change the state. */
int
stls_engine_enter(struct stls_engine *engine, enum stls_state state)
{
	bool was_in_content = is_in_content(engine);

	if (engine->state == STLS_STATE_CLOSED)
		return engine->err->code;
	engine->state = state;
	if (engine->config.trace != NULL)
		stls_engine_trace(engine, '=', state_names[state],
		    strlen(state_names[state]));
	if (state != STLS_STATE_CLOSED &&
	    is_in_content(engine) != was_in_content)
		update_step(engine);
	return SMTPTLS_OK;
}

int
stls_engine_expect(struct stls_engine *engine, enum stls_step step,
    size_t recipient, uint64_t more)
{
	struct stls_expected *expected = stls_fifo_append(&engine->expected);
	struct stls_transaction *txn = engine->sending;

	if (expected == NULL)
		return stls_err_nomem(engine->err);
	*expected = (struct stls_expected){
		.step = step,
		.replies = 1,
		.offset = engine->queued + more,
		.begins = engine->queued,
		.txn = txn,
		.recipient = recipient,
	};
	if (more == 0)
		engine->asked = engine->queued;
	if (txn != NULL)
		txn->due++;
	if (engine->expected.len == 1)
		update_step(engine);
	return SMTPTLS_OK;
}

void
stls_engine_count_reply(
    struct stls_engine *engine, const struct stls_expected *expected)
{
	stls_fifo_count_reply(&engine->expected);
	update_step(engine);
	if (expected->replies == 1)
		engine->answered = expected->offset;
	if (expected->txn != NULL)
		expected->txn->due--;
}

/* Close unless r is a success; what a handler or sender returned. */
void
stls_engine_settle(struct stls_engine *engine, int r)
{
	if (r < 0 && engine->state != STLS_STATE_CLOSED)
		stls_engine_close(engine);
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
		return stls_err_nomem(engine->err);
	if (r < 0)
		return stls_err_set(
		    engine->err, r, "the server sends too much");
	stls_engine_hide_response(engine, engine->in.data + engine->in.head,
	    stls_buf_len(&engine->in));
	return SMTPTLS_OK;
}

/*
 * Nothing that came before TLS may be taken for something inside it (RFC 3207
 * section 5): what is behind the 220 is an attack or a broken server.
 */
static int
fail_behind_starttls(struct stls_engine *engine)
{
	return stls_err_set(engine->err, SMTPTLS_E_PROTOCOL,
	    "the server sent something in clear behind its answer to "
	    "STARTTLS");
}

/*
 * See what the reply means that begins behind *taken octets, and add its own.
 * SMTPTLS_AGAIN: it is not complete.
 */
static int
take_reply(struct stls_engine *engine, size_t *taken)
{
	struct stls_reply reply;
	int r;

	if (engine->state == STLS_STATE_START_TLS)
		return fail_behind_starttls(engine);
	r = stls_reply_parse(engine->err, &engine->parser,
	    (const char *)stls_buf_data(&engine->in) + *taken,
	    stls_buf_len(&engine->in) - *taken, &reply);
	if (r != SMTPTLS_OK)
		return r;
	*taken += reply.len;
	r = stls_engine_dispatch(engine, &reply);
	engine->begun = written(engine);
	return r;
}

void
stls_engine_receive(struct stls_engine *engine, const void *data, size_t len)
{
	size_t taken = 0;
	int r;

	if (engine->state == STLS_STATE_CLOSED)
		return;
	r = take_in(engine, data, len);
	while (r == SMTPTLS_OK && taken < stls_buf_len(&engine->in)) {
		r = take_reply(engine, &taken);
		/* After each, so that the pieces they come in do not count. */
		if (r == SMTPTLS_OK)
			stls_engine_advance(engine);
	}
	stls_engine_settle(engine, r);
	/* Closing has cleared it. */
	if (engine->state == STLS_STATE_CLOSED)
		return;
	stls_engine_keep_text(engine);
	stls_buf_consume(&engine->in, taken);
}

void
stls_engine_init(
    struct stls_engine *engine, const struct stls_engine_config *config)
{
	memset(engine, 0, sizeof(*engine));
	engine->config = *config;
	engine->err = config->err;
	stls_err_clear(engine->err);
	if (engine->config.chunk_max == 0)
		engine->config.chunk_max = CHUNK_MAX;
	stls_buf_init(&engine->in, INPUT_MAX);
	stls_buf_init(&engine->out, OUTPUT_MAX);
}

void
stls_engine_done(struct stls_engine *engine)
{
	assert(engine->in_air.len == 0 && engine->again.len == 0 &&
	    engine->waiting.len == 0);
	stls_buf_done(&engine->in);
	stls_buf_done(&engine->out);
	stls_fifo_done(&engine->expected);
	free(engine->ehlo_name);
	free(engine->auth_status);
	free(engine->last_text);
	free(engine->noop_text);
	stls_capabilities_done(&engine->capabilities);
	stls_secret_done(&engine->auth_initial);
	stls_secret_done(&engine->auth_sent);
	stls_secret_done(&engine->challenge);
	memset(engine, 0, sizeof(*engine));
}

int
stls_engine_start(struct stls_engine *engine, const char *ehlo_name)
{
	int r;

	assert(engine->state == STLS_STATE_START);
	/* Only to see whether it can be sent, before anybody is asked. */
	r = stls_command_ehlo(engine->err, &engine->out, "EHLO", ehlo_name);
	if (r < 0)
		return r;
	stls_buf_clear(&engine->out);
	engine->ehlo_name = stls_strdup(ehlo_name);
	if (engine->ehlo_name == NULL)
		return stls_err_nomem(engine->err);
	if (engine->config.implicit_tls) {
		engine->step = STLS_STEP_TLS;
		return stls_engine_enter(engine, STLS_STATE_START_TLS);
	}
	r = stls_engine_expect(engine, STLS_STEP_GREETING, 0, 0);
	return r < 0 ? r : stls_engine_enter(engine, STLS_STATE_WAITING);
}

enum stls_event
stls_engine_event(const struct stls_engine *engine)
{
	size_t output = stls_buf_len(&engine->out);

	if (engine->done.len > 0)
		return STLS_MESSAGE_DONE;
	if (engine->state == STLS_STATE_CLOSED)
		return stls_engine_has_waiting(engine) ? STLS_RECONNECT
						       : STLS_CLOSED;
	if (output >= STLS_OUTPUT_FULL)
		return STLS_HAVE_OUTPUT;
	if (engine->state == STLS_STATE_BODY)
		return STLS_NEED_BODY;
	if (engine->state == STLS_STATE_BEFORE_END)
		return STLS_BEFORE_END_OF_DATA;
	if (output > 0)
		return STLS_HAVE_OUTPUT;
	switch (engine->state) {
	case STLS_STATE_START_TLS:
		return STLS_START_TLS;
	case STLS_STATE_START_AUTH:
		return STLS_START_AUTH;
	case STLS_STATE_CHALLENGE:
		return STLS_AUTH_CHALLENGE;
	case STLS_STATE_READY:
		return engine->expected.len == 0 ? STLS_READY : STLS_NEED_INPUT;
	default:
		return STLS_NEED_INPUT;
	}
}

const unsigned char *
stls_engine_output(struct stls_engine *engine, size_t *out_len)
{
	size_t buffered = stls_buf_len(&engine->out);

	if (engine->offered == 0) {
		engine->offered = buffered < STLS_OUTPUT_FULL
		    ? buffered
		    : STLS_OUTPUT_FULL;
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
	/* Wiping content would cost as much as to copy it. */
	if (written(engine) < engine->secret_end)
		stls_buf_consume(&engine->out, len);
	else
		stls_buf_drop(&engine->out, len);
	engine->offered = 0;
	/* Commands that had no place join the flight. */
	stls_engine_advance(engine);
}

bool
stls_engine_is_asking(const struct stls_engine *engine)
{
	return engine->asked > engine->exposed;
}

void
stls_engine_tls(struct stls_engine *engine)
{
	int r;

	assert(engine->state == STLS_STATE_START_TLS);
	stls_capabilities_done(&engine->capabilities);
	engine->tls = true;
	if (engine->config.implicit_tls)
		r = stls_engine_expect(engine, STLS_STEP_GREETING, 0, 0);
	else
		r = stls_engine_send_ehlo(engine);
	if (r == SMTPTLS_OK)
		r = stls_engine_enter(engine, STLS_STATE_WAITING);
	stls_engine_settle(engine, r);
}

void
stls_engine_trim(struct stls_engine *engine)
{
	stls_buf_trim(&engine->in, 0);
	stls_buf_trim(&engine->out, 0);
	if (engine->expected.len == 0)
		stls_fifo_done(&engine->expected);
}

void
stls_engine_noop(struct stls_engine *engine)
{
	engine->wants_noop = true;
	engine->noop_code = 0;
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
