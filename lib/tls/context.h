/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_CONTEXT_H
#define STLS_TLS_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <gnutls/gnutls.h>

#include <smtptls/context.h>

#include "base/err.h"
#include "tls/credentials.h"
#include "tls/pins.h"
#include "tls/priority.h"
#include "tls/trust.h"
#include "tls/verdicts.h"

/* Tells contexts apart, also one from another that had the same address. */
#define STLS_CONTEXT_ID_LEN 16

/*
 * Once it is frozen nothing in here changes but `holders`, anchors that are
 * parsed when they are needed (tls/store.h), and `verdicts`, which have a lock
 * of their own; so sessions read it without one. The lock is for setters and
 * for the first freeze; it is recursive, as a password callback may call
 * setters.
 */
struct smtptls_context {
	pthread_mutex_t lock;
	atomic_uint holders;
	atomic_bool frozen;
	unsigned int setters; /* at work: one, and those its callback calls */
	struct stls_err err;  /* of the first failure; sticky */
	unsigned char id[STLS_CONTEXT_ID_LEN];
	enum smtptls_purpose purpose;
	enum smtptls_verify_mode verify_mode;
	bool check_hostname;
	bool insecure; /* a call weakened the verification */
	bool lax;      /* a call took the rules of form away */
	struct stls_priority_policy policy;
	gnutls_priority_t priority; /* always that of the policy */
	struct stls_trust trust;
	struct stls_pins pins;
	bool cas_listed; /* trust.ca is complete; under the lock */
	struct stls_credentials credentials;
	bool has_certificate;
	struct stls_verdicts verdicts;
	gnutls_datum_t ticket_key; /* servers: of what they give to resume */
};

/*
 * Freeze for the first session. Returns the sticky error where there is one,
 * copied to *err; SMTPTLS_E_STATE: a server without a certificate, or a setter
 * is at work. Safe under threads.
 */
int stls_context_freeze(struct smtptls_context *context, struct stls_err *err);

/*
 * A setter begins and ends with these: begin takes the lock if SMTPTLS_OK, and
 * finish gives it back. A context that is frozen is shared, so that not even
 * its error is written.
 */
int stls_context_begin(struct smtptls_context *context);
int stls_context_finish(
    struct smtptls_context *context, int r, const struct stls_err *err);

/*
 * For those who only read: a lock, but not of what is frozen, which nobody
 * writes; a child forked while another thread has the lock never gets it.
 */
bool stls_context_lock(struct smtptls_context *context);
void stls_context_unlock(struct smtptls_context *context, bool locked);

/* Make the priorities of a policy and use both; the string is copied. */
int stls_context_use_policy(struct smtptls_context *context,
    struct stls_err *err, const struct stls_priority_policy *policy);

#endif
