/* SPDX-License-Identifier: MIT */
#ifndef STLS_POOL_H
#define STLS_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <smtptls/pool.h>

#include "base/deadline.h"
#include "base/err.h"
#include "base/fork.h"

/*
 * A place for one connection. One thread at a time has it, while it is busy,
 * and looks at it without the lock; only `state` and `client` are also looked
 * at by others, and written under the lock.
 */
struct stls_slot {
	enum {
		STLS_SLOT_FREE, /* no connection */
		STLS_SLOT_BUSY,
		STLS_SLOT_IDLE
	} state;
	struct smtptls_client *client;
	struct smtptls_client *leaving; /* has said QUIT */
	size_t messages;
	stls_deadline too_old;	/* by its age */
	stls_deadline too_idle; /* while it is idle */
	struct stls_slot *next; /* in a list of the thread that has it */
};

/* A thread that waits for a slot; all of them are busy then. */
struct stls_waiter {
	pthread_cond_t cond;
	struct stls_slot *slot; /* what it was given */
	struct stls_waiter *next;
};

/*
 * pool.c has the settings, pool-slots.c who has which slot, pool-connection.c
 * what is in it, and pool-send.c the way of a message.
 */
struct smtptls_pool {
	stls_fork_id made_in;
	struct stls_err err; /* why it is spoiled; not written once started */
	pthread_mutex_t lock;
	bool started;
	bool cancelled;
	struct stls_slot *slots;
	struct stls_waiter *waiters; /* who waits longest first */

	/* settings */
	char *url;
	struct smtptls_context *context;
	struct smtptls_session_cache *session_cache;
	smtptls_pool_setup_cb setup;
	void *setup_arg;
	size_t connections_max;
	size_t messages_max;
	int idle_ms;
	int age_ms;
	int wait_ms;
	int deadline_ms; /* 0: none */
};

/*
 * pool-slots.c: take one that is idle or free, or wait for it until the
 * deadline. SMTPTLS_E_TIMEOUT, SMTPTLS_E_CANCELLED, SMTPTLS_E_NOMEM.
 */
int stls_pool_take(struct smtptls_pool *pool, stls_deadline deadline,
    struct stls_err *err, struct stls_slot **out_slot);

/* Take all that are idle, or only those that are due; a list. */
struct stls_slot *stls_pool_take_idle(struct smtptls_pool *pool, bool all);

/* Give a slot back, with its connection or without one. */
void stls_pool_give(struct smtptls_pool *pool, struct stls_slot *slot);

/* Change what is in a slot that one has. @return what was there */
struct smtptls_client *stls_pool_exchange(struct smtptls_pool *pool,
    struct stls_slot *slot, struct smtptls_client *client);

/* When the first connection that is idle will be due. */
stls_deadline stls_pool_next_due(struct smtptls_pool *pool);

/*
 * pool-connection.c: see that there is a connection that works, a new one if
 * need be. *out_fresh: it is new. Or what kept it from being made.
 */
int stls_slot_connect(struct smtptls_pool *pool, struct stls_slot *slot,
    stls_deadline deadline, struct stls_err *err, bool *out_fresh);

/* Whether its connection can be used again; if not, close it. */
void stls_slot_settle(struct smtptls_pool *pool, struct stls_slot *slot);

/* Drop a connection without a word. */
void stls_slot_drop(struct smtptls_pool *pool, struct stls_slot *slot);

/* Close what is idle too long, or was closed by the server, or everything. */
void stls_pool_close_due(struct smtptls_pool *pool);
void stls_pool_close_dead(struct smtptls_pool *pool);
void stls_pool_close_all(struct smtptls_pool *pool);

#endif
