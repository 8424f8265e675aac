/* SPDX-License-Identifier: MIT */
#ifndef SMTPTLS_POOL_H
#define SMTPTLS_POOL_H

#include <stddef.h>

#include <smtptls/client.h>
#include <smtptls/context.h>
#include <smtptls/message.h>
#include <smtptls/status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/**
 * A pool: connections to one server, under one identity and policy, that many
 * threads send by.
 *
 * It has no thread of its own: a message is sent in the thread that calls
 * smtptls_pool_send(), by a connection that is idle, or a new one while there
 * are fewer than the maximum, or else by the next that becomes free; who waits
 * longest is served first. A connection that was closed by the server is
 * noticed before it is used, and replaced. New connections resume the TLS
 * session of earlier ones.
 *
 * Settings are made before the first message, in one thread; later ones are
 * SMTPTLS_E_STATE. One that is refused spoils the pool: every message ends
 * with its error.
 */
struct smtptls_pool;

/**
 * Make a pool. Nothing is connected yet.
 *
 * @param url  as for smtptls_client_new()
 * @param context  a client context, which gets a holder; NULL: a default
 *     context of the pool's own
 * @param out_pool  the pool; on failure one that only has an error to read,
 *     NULL where memory ran out
 * @return as smtptls_client_new()
 *
 * Since 0.1.
 */
int smtptls_pool_new(const char *url, struct smtptls_context *context,
    struct smtptls_pool **out_pool);

/**
 * Free a pool, when no thread is in a call with it. Idle connections are
 * closed with QUIT, which takes no longer than half a second. NULL is fine.
 */
void smtptls_pool_free(struct smtptls_pool *pool);

/**
 * Tell what is wrong with the pool itself. What became of a message is told by
 * smtptls_message_error(). @return a sentence, empty where nothing is; never
 * NULL
 */
const char *smtptls_pool_error(const struct smtptls_pool *pool);

/**
 * Set up the client of a new connection, which is not connected yet:
 * credentials, place to connect to, time limits, trace and so on. It is called
 * in the thread that sends, and may be in several at once. To every client it
 * has to do the same.
 *
 * @return SMTPTLS_OK; below 0: it is not to be used, and the message ends with
 *     this error. A setter that failed need not be looked at.
 */
typedef int (*smtptls_pool_setup_cb)(struct smtptls_client *client, void *arg);

/** Set what sets up new clients; NULL: nothing, the default. Since 0.1. */
int smtptls_pool_set_setup(
    struct smtptls_pool *pool, smtptls_pool_setup_cb setup, void *arg);

/** Set how many connections there are at most, 1 to 1024; 4 by default. */
int smtptls_pool_set_connections_max(
    struct smtptls_pool *pool, size_t connections_max);

/**
 * Set how many messages a connection is used for, 1 to 1,000,000; 100 by
 * default.
 */
int smtptls_pool_set_messages_max(
    struct smtptls_pool *pool, size_t messages_max);

/**
 * Set for how long a connection may be idle, 1 to 86,400,000 ms; one minute by
 * default. Servers close after some minutes.
 */
int smtptls_pool_set_idle_ms(struct smtptls_pool *pool, int idle_ms);

/**
 * Set for how long a connection may be used, counted from when it was begun, 1
 * to 86,400,000 ms; ten minutes by default. What is being sent goes on.
 */
int smtptls_pool_set_age_ms(struct smtptls_pool *pool, int age_ms);

/**
 * Set how long a message may wait for a connection to become free, 1 to
 * 86,400,000 ms; one minute by default.
 */
int smtptls_pool_set_wait_ms(struct smtptls_pool *pool, int wait_ms);

/**
 * Set how long a message may take in all: to wait, to connect, to be sent. It
 * takes the place of smtptls_client_set_deadline_ms().
 *
 * @param deadline_ms  1 or more; 0: no deadline, the default
 */
int smtptls_pool_set_deadline_ms(struct smtptls_pool *pool, int deadline_ms);

/**
 * Send a message and wait for its outcome. May be called by many threads at
 * once, each with a message of its own.
 *
 * A message is given to a second connection, once, where the first had been
 * used before and failed without taking any of it: no recipient has an
 * outcome, the hook before the end of data was not called, and the content can
 * be read from its start. What is in doubt stays in doubt.
 *
 * @return what smtptls_message_status() says then, with the sentence in the
 *     message; among it what smtptls_client_connect() may return, and
 *     SMTPTLS_E_TIMEOUT: no connection became free; SMTPTLS_E_INVALID: no
 *     sender, recipient or content
 *
 * Since 0.1.
 */
int smtptls_pool_send(
    struct smtptls_pool *pool, struct smtptls_message *message);

/**
 * Close the connections that are idle or used for too long, or that the server
 * has closed. A daemon calls it now and then; without it that is done with the
 * next message. It takes no longer than half a second.
 *
 * @return in how many milliseconds there will be something to close, -1: no
 *     connection is idle; SMTPTLS_E_FORKED is less than that
 */
int smtptls_pool_tidy(struct smtptls_pool *pool);

/**
 * Stop: whatever other threads send ends with SMTPTLS_E_CANCELLED, and so does
 * what comes later. Not for signal handlers. The pool is still to be freed,
 * once the threads are out of it.
 */
void smtptls_pool_cancel(struct smtptls_pool *pool);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
