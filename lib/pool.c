/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <stdlib.h>

#include <smtptls/session-cache.h>

#include "base/alloc.h"
#include "client.h"

#define CONNECTIONS_DEFAULT 4
#define CONNECTIONS_MAX 1024
#define MESSAGES_DEFAULT 100
#define MESSAGES_MAX 1000000
#define IDLE_MS_DEFAULT 60000
#define AGE_MS_DEFAULT 600000
#define WAIT_MS_DEFAULT 60000
#define MS_MAX 86400000

/* Look at URL and context as a client does, and keep both. */
static int
use_url(
    struct smtptls_pool *pool, const char *url, struct smtptls_context *context)
{
	struct smtptls_client *client = NULL;
	int r;

	r = smtptls_client_new(url, context, &client);
	if (r < 0)
		stls_err_set(&pool->err, r, "%s", smtptls_client_error(client));
	else
		pool->context = smtptls_context_ref(client->context);
	smtptls_client_free(client);
	if (r < 0)
		return r;
	pool->url = stls_strdup(url);
	return pool->url != NULL ? SMTPTLS_OK : stls_err_nomem(&pool->err);
}

static int
set_up(
    struct smtptls_pool *pool, const char *url, struct smtptls_context *context)
{
	int r;

	r = use_url(pool, url, context);
	if (r < 0)
		return r;
	pool->slots = stls_alloc_array(
	    pool->connections_max, sizeof(*pool->slots));
	if (pool->slots == NULL)
		return stls_err_nomem(&pool->err);
	r = smtptls_session_cache_new(0, &pool->session_cache);
	return r < 0 ? stls_err_nomem(&pool->err) : SMTPTLS_OK;
}

int
smtptls_pool_new(const char *url, struct smtptls_context *context,
    struct smtptls_pool **out_pool)
{
	struct smtptls_pool *pool;

	if (out_pool == NULL)
		return SMTPTLS_E_INVALID;
	*out_pool = NULL;
	pool = stls_alloc_zero(sizeof(*pool));
	if (pool == NULL)
		return SMTPTLS_E_NOMEM;
	if (pthread_mutex_init(&pool->lock, NULL) != 0) {
		free(pool);
		return SMTPTLS_E_NOMEM;
	}
	pool->made_in = stls_fork_current();
	pool->connections_max = CONNECTIONS_DEFAULT;
	pool->messages_max = MESSAGES_DEFAULT;
	pool->idle_ms = IDLE_MS_DEFAULT;
	pool->age_ms = AGE_MS_DEFAULT;
	pool->wait_ms = WAIT_MS_DEFAULT;
	*out_pool = pool;
	return set_up(pool, url, context);
}

static void
free_all(struct smtptls_pool *pool)
{
	smtptls_session_cache_free(pool->session_cache);
	smtptls_context_free(pool->context);
	free(pool->slots);
	free(pool->url);
	free(pool);
}

/*
 * What other threads of the parent were at cannot be touched here, and stays
 * as it is. What was idle is closed without a word, by the clients themselves.
 */
static void
free_in_child(struct smtptls_pool *pool)
{
	bool is_whole = true;
	struct stls_slot *slot;
	size_t i;

	if (pthread_mutex_trylock(&pool->lock) != 0)
		return;
	for (i = 0; pool->slots != NULL && i < pool->connections_max; i++) {
		slot = &pool->slots[i];
		is_whole &= slot->state != STLS_SLOT_BUSY;
		if (slot->state != STLS_SLOT_IDLE)
			continue;
		smtptls_client_free(slot->client);
		*slot = (struct stls_slot){ .state = STLS_SLOT_FREE };
	}
	pthread_mutex_unlock(&pool->lock);
	/* A callback may have forked: then this thread is in the pool. */
	if (is_whole)
		free_all(pool);
}

void
smtptls_pool_free(struct smtptls_pool *pool)
{
	if (pool == NULL)
		return;
	if (stls_fork_happened(pool->made_in)) {
		free_in_child(pool);
		return;
	}
	if (pool->slots != NULL)
		stls_pool_close_all(pool);
	pthread_mutex_destroy(&pool->lock);
	free_all(pool);
}

const char *
smtptls_pool_error(const struct smtptls_pool *pool)
{
	if (pool == NULL)
		return smtptls_strerror(SMTPTLS_E_NOMEM);
	if (stls_fork_happened(pool->made_in))
		return smtptls_strerror(SMTPTLS_E_FORKED);
	return pool->err.text;
}

/* In front of every setter, which then has the lock. */
static int
begin(struct smtptls_pool *pool)
{
	int r;

	if (pool == NULL)
		return SMTPTLS_E_INVALID;
	if (stls_fork_happened(pool->made_in))
		return SMTPTLS_E_FORKED;
	pthread_mutex_lock(&pool->lock);
	r = pool->started ? SMTPTLS_E_STATE : pool->err.code;
	if (r < 0)
		pthread_mutex_unlock(&pool->lock);
	return r;
}

static int
finish(struct smtptls_pool *pool, int r)
{
	pthread_mutex_unlock(&pool->lock);
	return r;
}

/* A number that is refused stays refused: see begin(). */
static int
check_range(
    struct smtptls_pool *pool, const char *what, long long value, long long max)
{
	if (value >= 1 && value <= max)
		return SMTPTLS_OK;
	return stls_err_set(&pool->err, SMTPTLS_E_INVALID,
	    "%s of a pool must be from 1 to %lld, not %lld", what, max, value);
}

static int
set_ms(struct smtptls_pool *pool, const char *what, int ms, int *setting)
{
	int r;

	r = begin(pool);
	if (r < 0)
		return r;
	r = check_range(pool, what, ms, MS_MAX);
	if (r == SMTPTLS_OK)
		*setting = ms;
	return finish(pool, r);
}

int
smtptls_pool_set_setup(
    struct smtptls_pool *pool, smtptls_pool_setup_cb setup, void *arg)
{
	int r;

	r = begin(pool);
	if (r < 0)
		return r;
	pool->setup = setup;
	pool->setup_arg = arg;
	return finish(pool, SMTPTLS_OK);
}

static int
set_connections_max(struct smtptls_pool *pool, size_t connections_max)
{
	struct stls_slot *slots;
	int r;

	r = check_range(pool, "the connections", (long long)connections_max,
	    CONNECTIONS_MAX);
	if (r < 0)
		return r;
	slots = stls_alloc_array(connections_max, sizeof(*slots));
	if (slots == NULL)
		return stls_err_nomem(&pool->err);
	free(pool->slots);
	pool->slots = slots;
	pool->connections_max = connections_max;
	return SMTPTLS_OK;
}

int
smtptls_pool_set_connections_max(
    struct smtptls_pool *pool, size_t connections_max)
{
	int r;

	r = begin(pool);
	if (r < 0)
		return r;
	return finish(pool, set_connections_max(pool, connections_max));
}

int
smtptls_pool_set_messages_max(struct smtptls_pool *pool, size_t messages_max)
{
	int r;

	r = begin(pool);
	if (r < 0)
		return r;
	r = check_range(pool, "the messages for each connection",
	    (long long)messages_max, MESSAGES_MAX);
	if (r == SMTPTLS_OK)
		pool->messages_max = messages_max;
	return finish(pool, r);
}

int
smtptls_pool_set_idle_ms(struct smtptls_pool *pool, int idle_ms)
{
	int *setting = pool != NULL ? &pool->idle_ms : NULL;

	return set_ms(pool, "the idle time", idle_ms, setting);
}

int
smtptls_pool_set_age_ms(struct smtptls_pool *pool, int age_ms)
{
	int *setting = pool != NULL ? &pool->age_ms : NULL;

	return set_ms(pool, "the age", age_ms, setting);
}

int
smtptls_pool_set_wait_ms(struct smtptls_pool *pool, int wait_ms)
{
	int *setting = pool != NULL ? &pool->wait_ms : NULL;

	return set_ms(pool, "the time to wait", wait_ms, setting);
}

int
smtptls_pool_set_deadline_ms(struct smtptls_pool *pool, int deadline_ms)
{
	int r;

	r = begin(pool);
	if (r < 0)
		return r;
	if (deadline_ms < 0)
		r = stls_err_set(&pool->err, SMTPTLS_E_INVALID,
		    "%d ms is no deadline", deadline_ms);
	else
		pool->deadline_ms = deadline_ms;
	return finish(pool, r);
}

int
smtptls_pool_tidy(struct smtptls_pool *pool)
{
	if (pool == NULL || pool->err.code < 0)
		return -1;
	if (stls_fork_happened(pool->made_in))
		return SMTPTLS_E_FORKED;
	stls_pool_close_dead(pool);
	return stls_deadline_left_ms(stls_pool_next_due(pool));
}

void
smtptls_pool_cancel(struct smtptls_pool *pool)
{
	struct stls_waiter *waiter;
	size_t i;

	if (pool == NULL || stls_fork_happened(pool->made_in))
		return;
	pthread_mutex_lock(&pool->lock);
	pool->cancelled = true;
	for (i = 0; pool->slots != NULL && i < pool->connections_max; i++) {
		if (pool->slots[i].state == STLS_SLOT_BUSY)
			smtptls_client_cancel(pool->slots[i].client);
	}
	for (waiter = pool->waiters; waiter != NULL; waiter = waiter->next)
		pthread_cond_signal(&waiter->cond);
	pthread_mutex_unlock(&pool->lock);
}
