/* SPDX-License-Identifier: MIT */
/* The connection in a slot: by the thread that has the slot. */
#include "pool.h"

#include "client.h"

/* For how long the answers to QUIT are waited for, all of them together. */
#define QUIT_MS 500
/* Of what is left to a message behind it, this part at most. */
#define QUIT_PART 4

/* Within what is left, which may be nothing. */
static void
set_deadline(struct smtptls_client *client, stls_deadline deadline)
{
	int left = stls_deadline_left_ms(deadline);

	if (left == 0)
		left = 1;
	(void)smtptls_client_set_deadline_ms(client, left > 0 ? left : 0);
}

static bool
is_due(const struct stls_slot *slot)
{
	return stls_deadline_left_ms(slot->too_idle) == 0 ||
	    stls_deadline_left_ms(slot->too_old) == 0;
}

void
stls_slot_drop(struct smtptls_pool *pool, struct stls_slot *slot)
{
	smtptls_client_free(stls_pool_exchange(pool, slot, NULL));
}

/* Say QUIT; what the server says to it is for finish_leaving(). */
static void
begin_leaving(struct smtptls_pool *pool, struct stls_slot *slot)
{
	struct smtptls_client *client = stls_pool_exchange(pool, slot, NULL);

	/* The deadline was that of a message, and may have passed. */
	set_deadline(client, STLS_NEVER);
	(void)smtptls_client_start_quit(client);
	(void)smtptls_client_drive(client);
	slot->leaving = client;
}

static void
finish_leaving(struct stls_slot *slot, stls_deadline deadline)
{
	set_deadline(slot->leaving, deadline);
	(void)smtptls_client_quit(slot->leaving);
	smtptls_client_free(slot->leaving);
	slot->leaving = NULL;
}

/* The message behind it, if there is one, has this deadline. */
static void
leave(struct smtptls_pool *pool, struct stls_slot *slot, stls_deadline deadline)
{
	int left = stls_deadline_left_ms(deadline), ms = QUIT_MS;

	if (left >= 0 && left / QUIT_PART < ms)
		ms = left / QUIT_PART;
	begin_leaving(pool, slot);
	finish_leaving(slot, stls_deadline_in(ms));
}

static int
set_up(struct smtptls_pool *pool, struct smtptls_client *client,
    struct stls_err *err)
{
	const char *sentence;
	int r;

	r = smtptls_client_set_session_cache(client, pool->session_cache);
	if (r < 0 || pool->setup == NULL)
		return SMTPTLS_OK; /* connecting gives the client's error */
	r = pool->setup(client, pool->setup_arg);
	if (r == SMTPTLS_OK)
		return r;
	sentence = smtptls_client_error(client);
	if (sentence[0] == '\0')
		return stls_err_set(err, r < 0 ? r : SMTPTLS_E_INVALID,
		    "a client was not set up: the callback answered %d (%s)", r,
		    smtptls_strerror(r));
	return stls_err_set(err, r < 0 ? r : SMTPTLS_E_INVALID, "%s", sentence);
}

static int
open_connection(struct smtptls_pool *pool, struct stls_slot *slot,
    stls_deadline deadline, struct stls_err *err)
{
	struct smtptls_client *client = NULL;
	int r;

	r = smtptls_client_new(pool->url, pool->context, &client);
	if (client == NULL)
		return stls_err_nomem(err);
	(void)stls_pool_exchange(pool, slot, client);
	slot->messages = 0;
	slot->too_old = stls_deadline_in(pool->age_ms);
	if (r == SMTPTLS_OK) {
		r = set_up(pool, client, err);
		if (r < 0)
			return r;
		set_deadline(client, deadline);
		r = smtptls_client_connect(client);
	}
	if (r < 0)
		stls_err_set(err, r, "%s", smtptls_client_error(client));
	return r;
}

int
stls_slot_connect(struct smtptls_pool *pool, struct stls_slot *slot,
    stls_deadline deadline, struct stls_err *err, bool *out_fresh)
{
	int r;

	if (slot->client != NULL && !stls_client_is_alive(slot->client))
		stls_slot_drop(pool, slot);
	/* Gone before another one comes: the server may count them. */
	if (slot->client != NULL && is_due(slot))
		leave(pool, slot, deadline);
	*out_fresh = slot->client == NULL;
	if (*out_fresh) {
		r = open_connection(pool, slot, deadline, err);
		if (r < 0)
			stls_slot_drop(pool, slot);
		return r;
	}
	set_deadline(slot->client, deadline);
	return SMTPTLS_OK;
}

void
stls_slot_settle(struct smtptls_pool *pool, struct stls_slot *slot)
{
	slot->too_idle = stls_deadline_in(pool->idle_ms);
	if (slot->client != NULL && slot->client->life != STLS_LIFE_TALKING)
		stls_slot_drop(pool, slot);
	if (slot->client != NULL &&
	    (slot->messages >= pool->messages_max || is_due(slot)))
		leave(pool, slot, STLS_NEVER);
}

/* Close each of a list that is due or, if told so, is not used any more. */
static void
close_list(struct smtptls_pool *pool, struct stls_slot *list, bool all)
{
	stls_deadline deadline = stls_deadline_in(QUIT_MS);
	struct stls_slot *slot, *next, *leaving = NULL;

	for (slot = list; slot != NULL; slot = next) {
		next = slot->next;
		if (!stls_client_is_alive(slot->client))
			stls_slot_drop(pool, slot);
		else if (all || is_due(slot))
			begin_leaving(pool, slot);
		if (slot->leaving == NULL) {
			stls_pool_give(pool, slot);
			continue;
		}
		slot->next = leaving;
		leaving = slot;
	}
	for (slot = leaving; slot != NULL; slot = next) {
		next = slot->next;
		finish_leaving(slot, deadline);
		stls_pool_give(pool, slot);
	}
}

void
stls_pool_close_due(struct smtptls_pool *pool)
{
	close_list(pool, stls_pool_take_idle(pool, false), false);
}

void
stls_pool_close_dead(struct smtptls_pool *pool)
{
	close_list(pool, stls_pool_take_idle(pool, true), false);
}

void
stls_pool_close_all(struct smtptls_pool *pool)
{
	close_list(pool, stls_pool_take_idle(pool, true), true);
}
