/* SPDX-License-Identifier: MIT */
#include "tls/context.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "crypto/random.h"

int
stls_context_begin(struct smtptls_context *context)
{
	int r;

	if (context == NULL)
		return SMTPTLS_E_INVALID;
	pthread_mutex_lock(&context->lock);
	r = context->err.code;
	if (atomic_load(&context->frozen))
		r = SMTPTLS_E_STATE;
	if (r < 0)
		pthread_mutex_unlock(&context->lock);
	else
		context->setters++;
	return r;
}

int
stls_context_finish(
    struct smtptls_context *context, int r, const struct stls_err *err)
{
	context->setters--;
	/* The first failure is the one that stays. */
	if (r < 0 && context->err.code == SMTPTLS_OK)
		stls_err_copy(&context->err, err);
	pthread_mutex_unlock(&context->lock);
	return r;
}

bool
stls_context_lock(struct smtptls_context *context)
{
	if (atomic_load(&context->frozen))
		return false;
	pthread_mutex_lock(&context->lock);
	return true;
}

void
stls_context_unlock(struct smtptls_context *context, bool locked)
{
	if (locked)
		pthread_mutex_unlock(&context->lock);
}

int
stls_context_use_policy(struct smtptls_context *context, struct stls_err *err,
    const struct stls_priority_policy *policy)
{
	CLEANUP(free_ptr) char *ciphers = NULL;
	gnutls_priority_t priority;
	int r;

	if (policy->ciphers != NULL) {
		ciphers = stls_strdup(policy->ciphers);
		if (ciphers == NULL)
			return stls_err_nomem(err);
	}
	r = stls_priority_init(err, policy, &priority);
	if (r < 0)
		return r;
	free(context->policy.ciphers);
	context->policy = *policy;
	context->policy.ciphers = TAKE(ciphers);
	gnutls_priority_deinit(context->priority);
	context->priority = priority;
	return SMTPTLS_OK;
}

static int
init_lock(struct smtptls_context *context)
{
	pthread_mutexattr_t attr;
	int r;

	if (pthread_mutexattr_init(&attr) != 0)
		return SMTPTLS_E_NOMEM;
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	r = pthread_mutex_init(&context->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return r == 0 ? SMTPTLS_OK : SMTPTLS_E_NOMEM;
}

/*
 * The context that a program gets when there is no memory for one. It cannot
 * be NULL: a client takes that for the system's CAs, which may be more than
 * what was asked for.
 */
static struct smtptls_context no_memory = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.err = { SMTPTLS_E_NOMEM, "out of memory" },
	.check_hostname = true,
};

static int
set_up(struct smtptls_context *context, struct stls_err *err,
    enum smtptls_purpose purpose)
{
	const struct stls_priority_policy policy = { 0 };
	int r;

	if (purpose != SMTPTLS_SERVER_AUTH && purpose != SMTPTLS_CLIENT_AUTH)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%d is no purpose of a context", (int)purpose);
	context->purpose = purpose;
	context->check_hostname = purpose == SMTPTLS_SERVER_AUTH;
	context->trust.is_eager = purpose == SMTPTLS_CLIENT_AUTH;
	context->verify_mode = purpose == SMTPTLS_SERVER_AUTH
	    ? SMTPTLS_CERT_REQUIRED
	    : SMTPTLS_CERT_NONE;
	r = stls_random(err, context->id, sizeof(context->id));
	if (r < 0)
		return r;
	r = stls_credentials_init(&context->credentials, err);
	if (r < 0)
		return r;
	return stls_context_use_policy(context, err, &policy);
}

int
smtptls_context_new(
    enum smtptls_purpose purpose, struct smtptls_context **out_context)
{
	struct smtptls_context *context;
	struct stls_err err;
	int r;

	if (out_context == NULL)
		return SMTPTLS_E_INVALID;
	*out_context = &no_memory;
	context = stls_alloc_zero(sizeof(*context));
	if (context == NULL)
		return SMTPTLS_E_NOMEM;
	if (init_lock(context) < 0) {
		free(context);
		return SMTPTLS_E_NOMEM;
	}
	if (stls_verdicts_init(&context->verdicts) < 0) {
		pthread_mutex_destroy(&context->lock);
		free(context);
		return SMTPTLS_E_NOMEM;
	}
	atomic_init(&context->holders, 1);
	atomic_init(&context->frozen, false);
	r = set_up(context, &err, purpose);
	if (r < 0)
		stls_err_copy(&context->err, &err);
	*out_context = context;
	return r;
}

static int
load_given(struct smtptls_context *context, const char *cafile,
    const char *capath, const void *cadata, size_t cadata_len)
{
	bool has_data = cadata != NULL || cadata_len > 0;
	int r = SMTPTLS_OK;

	if (cafile == NULL && capath == NULL && !has_data) {
		if (context->purpose == SMTPTLS_CLIENT_AUTH)
			return SMTPTLS_OK;
		return smtptls_context_load_default_certs(context);
	}
	if (cafile != NULL)
		r = smtptls_context_load_verify_file(context, cafile);
	if (r >= 0 && capath != NULL)
		r = smtptls_context_load_verify_dir(context, capath);
	if (r >= 0 && has_data)
		r = smtptls_context_load_verify_mem(
		    context, cadata, cadata_len);
	return r;
}

int
smtptls_context_new_default(enum smtptls_purpose purpose, const char *cafile,
    const char *capath, const void *cadata, size_t cadata_len,
    struct smtptls_context **out_context)
{
	int r;

	r = smtptls_context_new(purpose, out_context);
	if (r < 0)
		return r;
	return load_given(*out_context, cafile, capath, cadata, cadata_len);
}

struct smtptls_context *
smtptls_context_ref(struct smtptls_context *context)
{
	if (context != NULL && context != &no_memory)
		atomic_fetch_add(&context->holders, 1);
	return context;
}

void
smtptls_context_free(struct smtptls_context *context)
{
	if (context == NULL || context == &no_memory ||
	    atomic_fetch_sub(&context->holders, 1) > 1)
		return;
	if (context->ticket_key.data != NULL)
		stls_wipe(context->ticket_key.data, context->ticket_key.size);
	gnutls_free(context->ticket_key.data);
	stls_credentials_done(&context->credentials);
	stls_trust_done(&context->trust);
	stls_pins_done(&context->pins);
	gnutls_priority_deinit(context->priority);
	free(context->policy.ciphers);
	stls_verdicts_done(&context->verdicts);
	pthread_mutex_destroy(&context->lock);
	free(context);
}

const char *
smtptls_context_error(const struct smtptls_context *context)
{
	if (context == NULL)
		return smtptls_strerror(SMTPTLS_E_NOMEM);
	return context->err.text;
}

static int
freeze(struct smtptls_context *context, struct stls_err *err)
{
	/* Another thread was first, and its sessions read the ticket key. */
	if (atomic_load(&context->frozen))
		return SMTPTLS_OK;
	/* From a password callback: its setter would go on to write. */
	if (context->setters > 0)
		return stls_err_set(
		    err, SMTPTLS_E_STATE, "the context is still being set up");
	if (context->err.code < 0) {
		stls_err_copy(err, &context->err);
		return err->code;
	}
	if (context->purpose == SMTPTLS_CLIENT_AUTH &&
	    !context->has_certificate)
		return stls_err_set(err, SMTPTLS_E_STATE,
		    "a server context without a certificate");
	if (context->purpose == SMTPTLS_CLIENT_AUTH &&
	    gnutls_session_ticket_key_generate(&context->ticket_key) < 0)
		return stls_err_nomem(err);
	atomic_store(&context->frozen, true);
	return SMTPTLS_OK;
}

int
stls_context_freeze(struct smtptls_context *context, struct stls_err *err)
{
	int r;

	/* What is frozen has no error, and a forked child needs no lock. */
	if (atomic_load(&context->frozen))
		return SMTPTLS_OK;
	pthread_mutex_lock(&context->lock);
	r = freeze(context, err);
	pthread_mutex_unlock(&context->lock);
	return r;
}
