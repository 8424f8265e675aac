/* SPDX-License-Identifier: MIT */
/* What may leave together: RFC 2920, RFC 3030, and how far we use them. */
#include "smtp/engine-parts.h"

/*
 * With a window, no message is begun while more than this is unanswered: it
 * is what a lost connection leaves in doubt, and what replies may pile up.
 */
#define WINDOW_OCTETS_MAX (1024 * 1024)
#define WINDOW_REPLIES_MAX 2048

bool
stls_engine_is_pipelining(const struct stls_engine *engine)
{
	return engine->capabilities.pipelining && !engine->config.one_by_one;
}

/* Whether whole messages follow one another without waiting. */
static bool
has_window(const struct stls_engine *engine)
{
	return engine->config.window > 1;
}

/*
 * Whether nothing may follow this command before its answer has come (RFC 2920
 * section 3.1). Content is no command: what follows the final dot may be the
 * next MAIL. After BDAT there may only be BDAT (RFC 3030 section 2), which is
 * what a window does not keep to.
 */
static bool
ends_group(
    const struct stls_engine *engine, const struct stls_expected *expected)
{
	switch (expected->step) {
	case STLS_STEP_MAIL:
	case STLS_STEP_RCPT:
	case STLS_STEP_RSET:
		return false;
	case STLS_STEP_END_OF_DATA:
		return expected->txn->transfer != STLS_BY_DATA &&
		    !has_window(engine);
	default:
		return true;
	}
}

/* Whether another message may be begun behind those in the air. */
static bool
is_window_open(const struct stls_engine *engine)
{
	if (!has_window(engine))
		return true;
	return engine->in_air.len < engine->config.window &&
	    engine->queued - engine->answered < WINDOW_OCTETS_MAX &&
	    engine->expected.len < WINDOW_REPLIES_MAX;
}

/* DATA before the recipients are answered cannot be taken back. */
static bool
may_send_content(const struct stls_transaction *txn)
{
	switch (txn->transfer) {
	case STLS_BY_DATA:
		return txn->envelope_due == 0 || !txn->all_or_nothing;
	case STLS_BY_BDAT:
		return txn->envelope_due == 0;
	default:
		return true;
	}
}

bool
stls_engine_may_send(const struct stls_engine *engine)
{
	if (engine->expected.len == 0)
		return true;
	if (!stls_engine_is_pipelining(engine) ||
	    stls_buf_len(&engine->out) >= STLS_OUTPUT_FULL ||
	    ends_group(engine, stls_fifo_last(&engine->expected)))
		return false;
	switch (engine->state) {
	case STLS_STATE_READY:
		return is_window_open(engine);
	case STLS_STATE_DATA:
		return may_send_content(engine->sending);
	default:
		return true;
	}
}

bool
stls_engine_may_quit(const struct stls_engine *engine)
{
	const struct stls_transaction *txn;

	if (engine->expected.len == 0)
		return true;
	for (txn = engine->in_air.first; txn != NULL; txn = txn->next) {
		/* QUIT rides with a DATA content, and is the last of all. */
		if (txn->transfer != STLS_BY_DATA || txn->put_off > 0)
			return false;
	}
	return true;
}

/*
 * By what takes fewer flights. With PIPELINING that is DATA, because its
 * content may have company; without, BDAT saves the wait for 354. What was
 * not looked at as a whole has no size to announce.
 */
enum stls_transfer
stls_engine_choose_transfer(
    const struct stls_engine *engine, const struct stls_transaction *txn)
{
	bool pipelining = stls_engine_is_pipelining(engine);

	if (!engine->capabilities.chunking || engine->config.no_chunking ||
	    engine->config.one_by_one || !txn->is_exact)
		return STLS_BY_DATA;
	if (pipelining && engine->config.at_once && !txn->all_or_nothing &&
	    !engine->config.lmtp)
		return STLS_BY_BDAT_AT_ONCE;
	if (!pipelining && txn->content_size > engine->config.chunk_max)
		return STLS_BY_DATA;
	return !pipelining || txn->all_or_nothing ? STLS_BY_BDAT : STLS_BY_DATA;
}
