/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_CONTEXT_H
#define STLS_TLS_CONTEXT_H

#include <pthread.h>
#include <stdbool.h>

#include <gnutls/gnutls.h>

#include <smtptls/context.h>

#include "base/err.h"
#include "tls/priority.h"
#include "tls/trust.h"

/* Tells contexts apart, also one from another that had the same address. */
#define STLS_CONTEXT_ID_LEN 16

struct smtptls_context {
	pthread_mutex_t lock; /* of holders and frozen */
	unsigned int holders;
	bool frozen;
	struct stls_err err; /* of the first failure; sticky */
	unsigned char id[STLS_CONTEXT_ID_LEN];
	enum smtptls_purpose purpose;
	enum smtptls_verify_mode verify_mode;
	bool check_hostname;
	bool insecure; /* some insecure_ call was made */
	struct stls_priority_policy policy;
	gnutls_priority_t priority; /* made when frozen or listed */
	struct stls_trust trust;
	/* The own certificate; it is never asked to verify anything. */
	gnutls_certificate_credentials_t credentials;
	bool has_certificate;
};

/*
 * Freeze for the first session: make the priorities if need be. Returns the
 * sticky error where there is one, copied to *err. Safe under threads.
 */
int stls_context_freeze(struct smtptls_context *context, struct stls_err *err);

#endif
