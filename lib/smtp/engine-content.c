/* SPDX-License-Identifier: MIT */
/* How content leaves: by DATA, or in chunks by BDAT (RFC 3030). */
#include "smtp/engine-parts.h"

#include <assert.h>
#include <string.h>

static bool
is_by_bdat(const struct stls_engine *engine)
{
	return engine->sending->transfer != STLS_BY_DATA;
}

static void
init_data(struct stls_engine *engine)
{
	engine->data = (struct stls_data){
		.is_chunk = is_by_bdat(engine),
		.reject_line_endings = engine->sending->reject_line_endings,
		.refuse_8bit = !engine->capabilities.eight_bit,
	};
}

int
stls_engine_begin_data(struct stls_engine *engine)
{
	struct stls_expected *end;
	int r;

	init_data(engine);
	/* From now on a refusal may come at any time, a yes not yet. */
	r = stls_engine_expect(engine, STLS_STEP_END_OF_DATA, 0, 1);
	if (r < 0)
		return r;
	end = stls_fifo_last(&engine->expected);
	end->offset = STLS_OFFSET_UNKNOWN;
	if (engine->config.lmtp) {
		end->replies = engine->sending->taken;
		engine->sending->due += end->replies - 1;
	}
	return stls_engine_enter(engine, STLS_STATE_BODY);
}

/* Nothing more is sent of the transaction that is being sent. */
static int
finish_sending(struct stls_engine *engine)
{
	engine->sending = NULL;
	return stls_engine_enter(engine, STLS_STATE_READY);
}

int
stls_engine_send_lone_dot(struct stls_engine *engine)
{
	struct stls_data nothing = { 0 };
	int r;

	r = stls_data_end(engine->err, &nothing, &engine->out);
	if (r < 0)
		return r;
	engine->queued += sizeof(".\r\n") - 1;
	r = stls_engine_expect(engine, STLS_STEP_END_OF_DATA, 0, 0);
	return r < 0 ? r : finish_sending(engine);
}

/* BDAT, and what its answer answers: the last octet of its chunk. */
static int
announce(struct stls_engine *engine, uint64_t size, bool is_last)
{
	enum stls_step step = is_last ? STLS_STEP_END_OF_DATA : STLS_STEP_BDAT;
	struct stls_transaction *txn = engine->sending;
	size_t before = stls_buf_len(&engine->out);
	int r;

	r = stls_command_bdat(engine->err, &engine->out, size, is_last);
	r = stls_engine_sent_line(engine, before, r, NULL);
	if (r == SMTPTLS_OK)
		r = stls_engine_expect(engine, step, 0, size);
	if (r < 0)
		return r;
	engine->chunk_left = size;
	engine->content_left -= size;
	engine->last_chunk = is_last;
	if (!is_last)
		return SMTPTLS_OK;
	txn->end_offset = engine->queued + size;
	if (engine->config.lmtp) {
		stls_fifo_last(&engine->expected)->replies = txn->taken;
		txn->due += txn->taken - 1;
	}
	return SMTPTLS_OK;
}

static int
announce_next(struct stls_engine *engine)
{
	uint64_t chunk_max = engine->config.chunk_max;
	bool is_last = engine->content_left <= chunk_max;

	return announce(
	    engine, is_last ? engine->content_left : chunk_max, is_last);
}

int
stls_engine_begin_chunk(struct stls_engine *engine)
{
	int r;

	init_data(engine);
	engine->content_left = engine->sending->content_size;
	engine->chunk_left = 0;
	engine->last_chunk = false;
	engine->last_octet_is_held = false;
	r = stls_engine_enter(engine, STLS_STATE_BODY);
	/* An empty one is its own last octet, and waits for its end. */
	if (r < 0 || engine->content_left == 0)
		return r;
	return announce_next(engine);
}

/* What was announced is not what there is. */
static int
fail_changed(struct stls_err *err)
{
	return stls_err_set(
	    err, SMTPTLS_E_SOURCE, "the content changed while it was sent");
}

/* Move the announcement that was appended in front of `rest` octets. */
static void
put_in_front(struct stls_buf *out, size_t rest, size_t line_len)
{
	unsigned char line[STLS_COMMAND_LINE_MAX], *end;

	end = out->data + out->tail;
	memcpy(line, end - line_len, line_len);
	memmove(end - rest, end - rest - line_len, rest);
	memcpy(end - rest - line_len, line, line_len);
}

static int account_for_chunks(struct stls_engine *engine, size_t len);

/* The last `rest` octets of the output belong to the next chunk. */
static int
continue_behind_chunk(struct stls_engine *engine, size_t rest)
{
	struct stls_transaction *txn = engine->sending;
	size_t before = stls_buf_len(&engine->out);
	int r;

	engine->asked = engine->queued;
	if (txn->is_stopped) {
		stls_buf_truncate(&engine->out, before - rest);
		r = stls_engine_give_up(engine);
		stls_engine_settle_transaction(engine, txn);
		return r;
	}
	r = announce_next(engine);
	if (r < 0)
		return r;
	put_in_front(&engine->out, rest, stls_buf_len(&engine->out) - before);
	return account_for_chunks(engine, rest);
}

/* The last octet of all stays here until it is released. */
static int
complete_last_chunk(struct stls_engine *engine)
{
	stls_buf_truncate(&engine->out, stls_buf_len(&engine->out) - 1);
	engine->queued--;
	engine->last_octet_is_held = true;
	return SMTPTLS_OK;
}

/* Part the last `len` octets of the output, which are content, into chunks. */
static int
account_for_chunks(struct stls_engine *engine, size_t len)
{
	size_t rest;

	if (len == 0)
		return SMTPTLS_OK;
	if (engine->last_octet_is_held ||
	    (engine->last_chunk && len > engine->chunk_left))
		return fail_changed(engine->err);
	if (len < engine->chunk_left) {
		engine->chunk_left -= len;
		engine->queued += len;
		return SMTPTLS_OK;
	}
	rest = len - (size_t)engine->chunk_left;
	engine->queued += engine->chunk_left;
	engine->chunk_left = 0;
	return engine->last_chunk ? complete_last_chunk(engine)
				  : continue_behind_chunk(engine, rest);
}

/* Account for content that was appended. */
static int
account(struct stls_engine *engine, size_t before)
{
	size_t len = stls_buf_len(&engine->out) - before;

	if (is_by_bdat(engine))
		return account_for_chunks(engine, len);
	engine->queued += len;
	return SMTPTLS_OK;
}

void
stls_engine_body(struct stls_engine *engine, const char *data, size_t len)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	assert(engine->state == STLS_STATE_BODY);
	r = stls_data_write(
	    engine->err, &engine->data, data, len, &engine->out);
	if (r == SMTPTLS_OK)
		r = account(engine, before);
	stls_engine_settle(engine, r);
	stls_engine_advance(engine);
}

/* What is announced is there, but for its last octet. */
static int
end_chunks(struct stls_engine *engine)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	r = stls_data_end(engine->err, &engine->data, &engine->out);
	if (r == SMTPTLS_OK)
		r = account(engine, before);
	if (r == SMTPTLS_OK && engine->state == STLS_STATE_BODY &&
	    engine->sending->content_size > 0 && !engine->last_octet_is_held)
		r = fail_changed(engine->err);
	return r;
}

void
stls_engine_body_end(struct stls_engine *engine)
{
	int r = SMTPTLS_OK;

	assert(engine->state == STLS_STATE_BODY);
	if (is_by_bdat(engine))
		r = end_chunks(engine);
	if (r == SMTPTLS_OK && engine->state == STLS_STATE_BODY)
		r = stls_engine_enter(engine, STLS_STATE_BEFORE_END);
	stls_engine_settle(engine, r);
	stls_engine_advance(engine);
}

static int
end_by_data(struct stls_engine *engine)
{
	size_t before = stls_buf_len(&engine->out);
	int r;

	r = stls_data_end(engine->err, &engine->data, &engine->out);
	if (r < 0)
		return r;
	engine->queued += stls_buf_len(&engine->out) - before;
	engine->sending->end_offset = engine->queued;
	stls_fifo_last(&engine->expected)->offset = engine->queued;
	return SMTPTLS_OK;
}

static int
end_by_bdat(struct stls_engine *engine)
{
	if (engine->sending->content_size == 0)
		return announce(engine, 0, true);
	/* Normalised, a content that is not empty ends in a line ending. */
	if (stls_buf_append(&engine->out, "\n", 1) < 0)
		return stls_err_nomem(engine->err);
	engine->queued++;
	return SMTPTLS_OK;
}

void
stls_engine_end_of_data(struct stls_engine *engine)
{
	int r;

	assert(engine->state == STLS_STATE_BEFORE_END);
	r = is_by_bdat(engine) ? end_by_bdat(engine) : end_by_data(engine);
	if (r == SMTPTLS_OK) {
		engine->asked = engine->queued;
		r = finish_sending(engine);
	}
	stls_engine_settle(engine, r);
	stls_engine_advance(engine);
}
