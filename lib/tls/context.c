/* SPDX-License-Identifier: MIT */
#include "tls/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "crypto/random.h"

/*
 * Begin to set something: takes the lock if SMTPTLS_OK, and the caller ends
 * with finish(). A context that is frozen is shared, so that its error is not
 * written either.
 */
static int
begin(struct smtptls_context *context)
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
	return r;
}

/* End it: the first failure is the one that stays. */
static int
finish(struct smtptls_context *context, int r, const struct stls_err *err)
{
	if (r < 0 && context->err.code == SMTPTLS_OK)
		stls_err_copy(&context->err, err);
	pthread_mutex_unlock(&context->lock);
	return r;
}

static const char *
version_name(enum smtptls_tls_version version)
{
	const char *name;

	name = gnutls_protocol_get_name(stls_priority_protocol(version));
	return name != NULL ? name : "(unknown)";
}

/* Make the priorities of a policy and use both; the strings are copied. */
static int
use_policy(struct smtptls_context *context, struct stls_err *err,
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
	context->verify_mode = purpose == SMTPTLS_SERVER_AUTH
	    ? SMTPTLS_CERT_REQUIRED
	    : SMTPTLS_CERT_NONE;
	r = stls_random(err, context->id, sizeof(context->id));
	if (r < 0)
		return r;
	r = stls_credentials_init(&context->credentials, err);
	if (r < 0)
		return r;
	return use_policy(context, err, &policy);
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
	*out_context = NULL;
	context = stls_alloc_zero(sizeof(*context));
	if (context == NULL)
		return SMTPTLS_E_NOMEM;
	if (init_lock(context) < 0) {
		free(context);
		return SMTPTLS_E_NOMEM;
	}
	atomic_init(&context->holders, 1);
	atomic_init(&context->frozen, false);
	r = set_up(context, &err, purpose);
	if (r == SMTPTLS_E_NOMEM) {
		smtptls_context_free(context);
		return r;
	}
	if (r < 0)
		stls_err_copy(&context->err, &err);
	*out_context = context;
	return r;
}

static int
load_given(struct smtptls_context *context, const char *cafile,
    const char *capath, const void *cadata, size_t cadata_len)
{
	int r = SMTPTLS_OK;

	if (cafile == NULL && capath == NULL && cadata == NULL) {
		if (context->purpose == SMTPTLS_CLIENT_AUTH)
			return SMTPTLS_OK;
		return smtptls_context_load_default_certs(context);
	}
	if (cafile != NULL)
		r = smtptls_context_load_verify_file(context, cafile);
	if (r >= 0 && capath != NULL)
		r = smtptls_context_load_verify_dir(context, capath);
	if (r >= 0 && cadata != NULL)
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
	r = load_given(*out_context, cafile, capath, cadata, cadata_len);
	if (r == SMTPTLS_E_NOMEM) {
		smtptls_context_free(*out_context);
		*out_context = NULL;
	}
	return r;
}

struct smtptls_context *
smtptls_context_ref(struct smtptls_context *context)
{
	if (context != NULL)
		atomic_fetch_add(&context->holders, 1);
	return context;
}

void
smtptls_context_free(struct smtptls_context *context)
{
	if (context == NULL || atomic_fetch_sub(&context->holders, 1) > 1)
		return;
	if (context->ticket_key.data != NULL)
		stls_wipe(context->ticket_key.data, context->ticket_key.size);
	gnutls_free(context->ticket_key.data);
	stls_credentials_done(&context->credentials);
	stls_trust_done(&context->trust);
	gnutls_priority_deinit(context->priority);
	free(context->policy.ciphers);
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

int
smtptls_context_load_verify_file(
    struct smtptls_context *context, const char *path)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	if (path == NULL)
		r = stls_err_set(&err, SMTPTLS_E_INVALID, "no file of CAs");
	else
		r = stls_trust_load_file(&context->trust, &err, path);
	return finish(context, r, &err);
}

int
smtptls_context_load_verify_dir(
    struct smtptls_context *context, const char *path)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	if (path == NULL)
		r = stls_err_set(
		    &err, SMTPTLS_E_INVALID, "no directory of CAs");
	else
		r = stls_trust_load_dir(&context->trust, &err, path);
	return finish(context, r, &err);
}

int
smtptls_context_load_verify_mem(
    struct smtptls_context *context, const void *data, size_t len)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	r = stls_trust_load_mem(&context->trust, &err, data, len);
	return finish(context, r, &err);
}

int
smtptls_context_load_default_certs(struct smtptls_context *context)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	r = stls_trust_load_system(&context->trust, &err);
	return finish(context, r, &err);
}

int
smtptls_context_load_crl_file(struct smtptls_context *context, const char *path)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	if (path == NULL)
		r = stls_err_set(
		    &err, SMTPTLS_E_INVALID, "no file of revocation lists");
	else
		r = stls_trust_load_crl_file(&context->trust, &err, path);
	return finish(context, r, &err);
}

int
smtptls_context_load_crl_mem(
    struct smtptls_context *context, const void *data, size_t len)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	r = stls_trust_load_crl_mem(&context->trust, &err, data, len);
	return finish(context, r, &err);
}

int
smtptls_context_cert_store_stats(
    struct smtptls_context *context, struct smtptls_cert_store_stats *out_stats)
{
	struct stls_err err;
	int r;

	if (context == NULL || out_stats == NULL)
		return SMTPTLS_E_INVALID;
	pthread_mutex_lock(&context->lock);
	r = stls_trust_stats(&context->trust, &err, out_stats);
	pthread_mutex_unlock(&context->lock);
	return r;
}

static int
get_ca_cert(struct smtptls_context *context, size_t index,
    const unsigned char **out_der, size_t *out_len)
{
	struct stls_err err;
	int r;

	if (!context->cas_listed) {
		r = stls_trust_list_cas(&context->trust, &err);
		if (r < 0)
			return r;
		context->cas_listed = true;
	}
	if (index >= context->trust.cas)
		return SMTPTLS_E_INVALID;
	*out_der = context->trust.ca[index].data;
	*out_len = context->trust.ca[index].size;
	return SMTPTLS_OK;
}

int
smtptls_context_get_ca_cert(struct smtptls_context *context, size_t index,
    const unsigned char **out_der, size_t *out_len)
{
	int r;

	if (context == NULL || out_der == NULL || out_len == NULL)
		return SMTPTLS_E_INVALID;
	pthread_mutex_lock(&context->lock);
	r = get_ca_cert(context, index, out_der, out_len);
	pthread_mutex_unlock(&context->lock);
	return r;
}

int
smtptls_context_load_cert_chain(struct smtptls_context *context,
    const char *certfile, const char *keyfile, smtptls_password_cb password,
    void *arg)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	if (certfile == NULL)
		r = stls_err_set(
		    &err, SMTPTLS_E_INVALID, "no file of the own certificate");
	else
		r = stls_credentials_load(&context->credentials, &err, certfile,
		    keyfile, password, arg);
	if (r >= 0)
		context->has_certificate = true;
	return finish(context, r, &err);
}

/* Several choices apply one after another; a blank cannot be in a word. */
static char *
join_ciphers(const char *before, const char *ciphers)
{
	size_t size;
	char *joined;

	if (before == NULL)
		return stls_strdup(ciphers);
	size = strlen(before) + strlen(ciphers) + 2;
	joined = stls_alloc(size);
	if (joined != NULL)
		snprintf(joined, size, "%s %s", before, ciphers);
	return joined;
}

static int
set_ciphers(
    struct smtptls_context *context, struct stls_err *err, const char *ciphers)
{
	CLEANUP(free_ptr) char *joined = NULL;
	struct stls_priority_policy policy = context->policy;

	if (ciphers == NULL || strchr(ciphers, ' ') != NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "cipher suites are words separated by colons");
	joined = join_ciphers(policy.ciphers, ciphers);
	if (joined == NULL)
		return stls_err_nomem(err);
	policy.ciphers = joined;
	return use_policy(context, err, &policy);
}

int
smtptls_context_set_ciphers(
    struct smtptls_context *context, const char *ciphers)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	r = set_ciphers(context, &err, ciphers);
	return finish(context, r, &err);
}

int
smtptls_context_get_cipher(struct smtptls_context *context, size_t index,
    struct smtptls_cipher *out_cipher)
{
	int r = SMTPTLS_E_INVALID;

	if (context == NULL || out_cipher == NULL)
		return SMTPTLS_E_INVALID;
	pthread_mutex_lock(&context->lock);
	if (context->priority != NULL &&
	    stls_priority_get_cipher(context->priority, index, out_cipher))
		r = SMTPTLS_OK;
	pthread_mutex_unlock(&context->lock);
	return r;
}

/* Whether a version may be the minimum or maximum of a context. */
static int
check_version(const struct smtptls_context *context, struct stls_err *err,
    enum smtptls_tls_version version)
{
	enum smtptls_tls_version lowest = context->policy.legacy;

	if (version == SMTPTLS_SSL_3_0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "SSL 3.0 is broken (RFC 7568) and never spoken");
	if (stls_priority_protocol(version) == GNUTLS_VERSION_UNKNOWN)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "0x%04x is no version of TLS", (unsigned int)version);
	if (lowest == SMTPTLS_TLS_NONE)
		lowest = SMTPTLS_TLS_1_2;
	if (version < lowest)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s is not secure, and not allowed here",
		    version_name(version));
	return SMTPTLS_OK;
}

static int
set_version(struct smtptls_context *context, enum smtptls_tls_version version,
    bool is_minimum)
{
	struct stls_priority_policy policy;
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	policy = context->policy;
	if (is_minimum)
		policy.minimum = version;
	else
		policy.maximum = version;
	r = check_version(context, &err, version);
	if (r >= 0)
		r = use_policy(context, &err, &policy);
	return finish(context, r, &err);
}

int
smtptls_context_set_minimum_version(
    struct smtptls_context *context, enum smtptls_tls_version version)
{
	return set_version(context, version, true);
}

int
smtptls_context_set_maximum_version(
    struct smtptls_context *context, enum smtptls_tls_version version)
{
	return set_version(context, version, false);
}

static int
check_verify_mode(const struct smtptls_context *context, struct stls_err *err,
    enum smtptls_verify_mode mode)
{
	if (mode != SMTPTLS_CERT_REQUIRED && mode != SMTPTLS_CERT_OPTIONAL &&
	    mode != SMTPTLS_CERT_NONE)
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%d is no verify mode", (int)mode);
	if (context->purpose == SMTPTLS_SERVER_AUTH &&
	    mode != SMTPTLS_CERT_REQUIRED)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "a client context requires a certificate "
		    "(smtptls_context_insecure_no_verify() says otherwise)");
	return SMTPTLS_OK;
}

int
smtptls_context_set_verify_mode(
    struct smtptls_context *context, enum smtptls_verify_mode mode)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	r = check_verify_mode(context, &err, mode);
	if (r >= 0)
		context->verify_mode = mode;
	return finish(context, r, &err);
}

enum smtptls_verify_mode
smtptls_context_verify_mode(const struct smtptls_context *context)
{
	return context != NULL ? context->verify_mode : SMTPTLS_CERT_REQUIRED;
}

enum smtptls_purpose
smtptls_context_purpose(const struct smtptls_context *context)
{
	return context != NULL ? context->purpose : SMTPTLS_SERVER_AUTH;
}

int
smtptls_context_check_hostname(const struct smtptls_context *context)
{
	return context == NULL || context->check_hostname;
}

static int
check_client(const struct smtptls_context *context, struct stls_err *err)
{
	if (context->purpose == SMTPTLS_SERVER_AUTH)
		return SMTPTLS_OK;
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "this is for client contexts, and the context is a server's");
}

int
smtptls_context_insecure_no_check_hostname(struct smtptls_context *context)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	r = check_client(context, &err);
	if (r >= 0) {
		context->check_hostname = false;
		context->insecure = true;
	}
	return finish(context, r, &err);
}

int
smtptls_context_insecure_no_verify(struct smtptls_context *context)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	r = check_client(context, &err);
	if (r >= 0 && context->check_hostname)
		r = stls_err_set(&err, SMTPTLS_E_INVALID,
		    "certificates are needed as long as host names are "
		    "checked");
	if (r >= 0) {
		context->verify_mode = SMTPTLS_CERT_NONE;
		context->insecure = true;
	}
	return finish(context, r, &err);
}

static int
allow_legacy(struct smtptls_context *context, struct stls_err *err,
    enum smtptls_tls_version version)
{
	struct stls_priority_policy policy = context->policy;

	if (version == SMTPTLS_SSL_3_0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "SSL 3.0 is broken (RFC 7568), and GnuTLS has it no more");
	if (version != SMTPTLS_TLS_1_0 && version != SMTPTLS_TLS_1_1)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s needs no permission, only TLS 1.0 and 1.1 do",
		    version_name(version));
	policy.legacy = version;
	policy.minimum = version;
	return use_policy(context, err, &policy);
}

int
smtptls_context_insecure_allow_legacy(
    struct smtptls_context *context, enum smtptls_tls_version version)
{
	struct stls_err err;
	int r;

	r = begin(context);
	if (r < 0)
		return r;
	r = allow_legacy(context, &err, version);
	return finish(context, r, &err);
}

static int
freeze(struct smtptls_context *context, struct stls_err *err)
{
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
