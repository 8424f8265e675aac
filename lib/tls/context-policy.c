/* SPDX-License-Identifier: MIT */
#include "tls/context.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/session.h>

#include "base/alloc.h"
#include "base/cleanup.h"

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
	return stls_context_use_policy(context, err, &policy);
}

int
smtptls_context_set_ciphers(
    struct smtptls_context *context, const char *ciphers)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	r = set_ciphers(context, &err, ciphers);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_get_cipher(struct smtptls_context *context, size_t index,
    struct smtptls_cipher *out_cipher)
{
	int r = SMTPTLS_E_INVALID;
	bool locked;

	if (context == NULL || out_cipher == NULL)
		return SMTPTLS_E_INVALID;
	locked = stls_context_lock(context);
	if (context->priority != NULL &&
	    stls_priority_get_cipher(context->priority, index, out_cipher))
		r = SMTPTLS_OK;
	stls_context_unlock(context, locked);
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
		    smtptls_tls_version_name(version));
	return SMTPTLS_OK;
}

static int
set_version(struct smtptls_context *context, enum smtptls_tls_version version,
    bool is_minimum)
{
	struct stls_priority_policy policy;
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	policy = context->policy;
	if (is_minimum)
		policy.minimum = version;
	else
		policy.maximum = version;
	r = check_version(context, &err, version);
	if (r >= 0)
		r = stls_context_use_policy(context, &err, &policy);
	return stls_context_finish(context, r, &err);
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

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	r = check_verify_mode(context, &err, mode);
	if (r >= 0)
		context->verify_mode = mode;
	return stls_context_finish(context, r, &err);
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
smtptls_context_add_pin(struct smtptls_context *context, const char *pin)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	r = check_client(context, &err);
	if (r >= 0)
		r = stls_pins_add(&context->pins, &err, pin);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_insecure_no_check_hostname(struct smtptls_context *context)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	r = check_client(context, &err);
	if (r >= 0) {
		context->check_hostname = false;
		context->insecure = true;
	}
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_insecure_no_verify(struct smtptls_context *context)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
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
	return stls_context_finish(context, r, &err);
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
		    smtptls_tls_version_name(version));
	policy.legacy = version;
	policy.minimum = version;
	return stls_context_use_policy(context, err, &policy);
}

int
smtptls_context_insecure_allow_legacy(
    struct smtptls_context *context, enum smtptls_tls_version version)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	r = allow_legacy(context, &err, version);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_insecure_allow_lax_profile(struct smtptls_context *context)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	context->lax = true;
	return stls_context_finish(context, SMTPTLS_OK, &err);
}
