/* SPDX-License-Identifier: MIT */
/* Who has which slot: everything in here is short, and under the lock. */
#include "pool.h"

#include <time.h>

/*
 * The one that was used last: it is the likeliest to be alive, and the others
 * get to be idle for so long that they are closed.
 */
static struct stls_slot *
find_idle(struct smtptls_pool *pool)
{
	struct stls_slot *slot, *best = NULL;
	size_t i;

	for (i = 0; i < pool->connections_max; i++) {
		slot = &pool->slots[i];
		if (slot->state == STLS_SLOT_IDLE &&
		    (best == NULL || slot->too_idle > best->too_idle))
			best = slot;
	}
	return best;
}

static struct stls_slot *
find_free(struct smtptls_pool *pool)
{
	size_t i;

	for (i = 0; i < pool->connections_max; i++) {
		if (pool->slots[i].state == STLS_SLOT_FREE)
			return &pool->slots[i];
	}
	return NULL;
}

static int
init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int r;

	if (pthread_condattr_init(&attr) != 0)
		return SMTPTLS_E_NOMEM;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	r = pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return r == 0 ? SMTPTLS_OK : SMTPTLS_E_NOMEM;
}

static void
enter_queue(struct smtptls_pool *pool, struct stls_waiter *waiter)
{
	struct stls_waiter **end = &pool->waiters;

	while (*end != NULL)
		end = &(*end)->next;
	*end = waiter;
}

static void
leave_queue(struct smtptls_pool *pool, const struct stls_waiter *waiter)
{
	struct stls_waiter **place = &pool->waiters;

	while (*place != waiter)
		place = &(*place)->next;
	*place = waiter->next;
}

/* False: the time is over. */
static bool
sleep_until(struct smtptls_pool *pool, struct stls_waiter *waiter,
    stls_deadline deadline)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000),
		.tv_nsec = (long)(deadline % 1000) * 1000000,
	};

	return pthread_cond_timedwait(&waiter->cond, &pool->lock, &until) == 0;
}

static int
wait_for_slot(struct smtptls_pool *pool, stls_deadline deadline,
    struct stls_err *err, struct stls_slot **out_slot)
{
	struct stls_waiter waiter = { .slot = NULL };
	bool goes_on = true;

	if (init_cond(&waiter.cond) < 0)
		return stls_err_nomem(err);
	enter_queue(pool, &waiter);
	while (waiter.slot == NULL && !pool->cancelled && goes_on)
		goes_on = sleep_until(pool, &waiter, deadline);
	if (waiter.slot == NULL)
		leave_queue(pool, &waiter);
	pthread_cond_destroy(&waiter.cond);
	if (waiter.slot == NULL)
		return stls_err_set(err, SMTPTLS_E_TIMEOUT,
		    "no connection of the pool became free in time (all %zu "
		    "are in use)",
		    pool->connections_max);
	*out_slot = waiter.slot;
	return SMTPTLS_OK;
}

int
stls_pool_take(struct smtptls_pool *pool, stls_deadline deadline,
    struct stls_err *err, struct stls_slot **out_slot)
{
	struct stls_slot *slot;
	int r = SMTPTLS_OK;

	deadline = stls_deadline_first(
	    deadline, stls_deadline_in(pool->wait_ms));
	pthread_mutex_lock(&pool->lock);
	pool->started = true;
	slot = find_idle(pool);
	if (slot == NULL)
		slot = find_free(pool);
	if (slot == NULL)
		r = wait_for_slot(pool, deadline, err, &slot);
	if (pool->cancelled && slot == NULL)
		r = stls_err_set(err, SMTPTLS_E_CANCELLED, "cancelled");
	if (r == SMTPTLS_OK && slot != NULL) {
		slot->state = STLS_SLOT_BUSY;
		if (pool->cancelled)
			smtptls_client_cancel(slot->client);
		*out_slot = slot;
	}
	pthread_mutex_unlock(&pool->lock);
	return r;
}

struct stls_slot *
stls_pool_take_idle(struct smtptls_pool *pool, bool all)
{
	struct stls_slot *slot, *list = NULL;
	int64_t now = stls_now_ms();
	size_t i;

	pthread_mutex_lock(&pool->lock);
	for (i = 0; i < pool->connections_max; i++) {
		slot = &pool->slots[i];
		if (slot->state != STLS_SLOT_IDLE ||
		    (!all && slot->too_idle > now && slot->too_old > now))
			continue;
		slot->state = STLS_SLOT_BUSY;
		slot->next = list;
		list = slot;
	}
	pthread_mutex_unlock(&pool->lock);
	return list;
}

void
stls_pool_give(struct smtptls_pool *pool, struct stls_slot *slot)
{
	struct stls_waiter *waiter;

	pthread_mutex_lock(&pool->lock);
	waiter = pool->waiters;
	if (waiter != NULL) {
		/* From hand to hand, so that nobody comes in between. */
		pool->waiters = waiter->next;
		waiter->slot = slot;
		pthread_cond_signal(&waiter->cond);
	} else {
		slot->state = slot->client != NULL ? STLS_SLOT_IDLE
						   : STLS_SLOT_FREE;
	}
	pthread_mutex_unlock(&pool->lock);
}

struct smtptls_client *
stls_pool_exchange(struct smtptls_pool *pool, struct stls_slot *slot,
    struct smtptls_client *client)
{
	struct smtptls_client *before;

	pthread_mutex_lock(&pool->lock);
	before = slot->client;
	slot->client = client;
	if (pool->cancelled)
		smtptls_client_cancel(client);
	pthread_mutex_unlock(&pool->lock);
	return before;
}

stls_deadline
stls_pool_next_due(struct smtptls_pool *pool)
{
	stls_deadline due = STLS_NEVER;
	struct stls_slot *slot;
	size_t i;

	pthread_mutex_lock(&pool->lock);
	for (i = 0; i < pool->connections_max; i++) {
		slot = &pool->slots[i];
		if (slot->state != STLS_SLOT_IDLE)
			continue;
		due = stls_deadline_first(due, slot->too_idle);
		due = stls_deadline_first(due, slot->too_old);
	}
	pthread_mutex_unlock(&pool->lock);
	return due;
}
