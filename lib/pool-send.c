/* SPDX-License-Identifier: MIT */
/* The way of a message through a pool. */
#include "pool.h"

#include "client.h"
#include "message.h"

/* Whether it is over for a reason of its own, and not of the message. */
static bool
has_failed(const struct smtptls_client *client)
{
	if (client->life != STLS_LIFE_OVER)
		return false;
	switch (client->err.code) {
	case SMTPTLS_E_IO:
	case SMTPTLS_E_TLS:
	case SMTPTLS_E_PROTOCOL:
	case SMTPTLS_E_TIMEOUT:
	case SMTPTLS_E_REFUSED_LATER: /* 421 */
		return true;
	default:
		return false;
	}
}

static int
send_once(struct stls_slot *slot, struct smtptls_message *message)
{
	slot->messages++;
	return smtptls_client_send(slot->client, message);
}

/*
 * A connection that was idle may end in the moment in which it is used. Where
 * it is certain that the message has not got to the server, and only there, a
 * second one is no second copy.
 */
static int
send_in_slot(struct smtptls_pool *pool, struct stls_slot *slot,
    struct smtptls_message *message, stls_deadline deadline)
{
	size_t open = stls_message_count_open(message);
	struct stls_err reason;
	bool is_fresh;
	int r;

	if (stls_slot_connect(pool, slot, deadline, &reason, &is_fresh) < 0)
		return stls_message_not_sent(message, &reason);
	r = send_once(slot, message);
	if (is_fresh || !has_failed(slot->client) ||
	    !stls_message_is_untouched(message, open) ||
	    stls_deadline_left_ms(deadline) == 0)
		return r;
	stls_slot_drop(pool, slot);
	if (stls_slot_connect(pool, slot, deadline, &reason, &is_fresh) < 0)
		return stls_message_not_sent(message, &reason);
	return send_once(slot, message);
}

static int
check(const struct smtptls_pool *pool, struct stls_err *err)
{
	if (pool == NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID, "there is no pool");
	if (stls_fork_happened(pool->made_in))
		return stls_err_set(err, SMTPTLS_E_FORKED,
		    "the pool belongs to the parent of this process");
	if (pool->err.code < 0)
		stls_err_copy(err, &pool->err);
	return pool->err.code;
}

int
smtptls_pool_send(struct smtptls_pool *pool, struct smtptls_message *message)
{
	struct stls_slot *slot = NULL;
	stls_deadline deadline;
	struct stls_err reason;
	int r;

	r = stls_message_check(message);
	if (r < 0)
		return r;
	r = check(pool, &reason);
	if (r < 0)
		return stls_message_not_sent(message, &reason);
	deadline = stls_deadline_in(
	    pool->deadline_ms > 0 ? pool->deadline_ms : -1);
	r = stls_pool_take(pool, deadline, &reason, &slot);
	if (r < 0)
		return stls_message_not_sent(message, &reason);
	r = send_in_slot(pool, slot, message, deadline);
	stls_slot_settle(pool, slot);
	stls_pool_give(pool, slot);
	stls_pool_close_due(pool);
	return r;
}
