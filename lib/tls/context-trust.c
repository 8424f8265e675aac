/* SPDX-License-Identifier: MIT */
#include "tls/context.h"

#ifndef STLS_SYSTEM_BUNDLE
#define STLS_SYSTEM_BUNDLE NULL
#endif

int
smtptls_context_load_verify_file(
    struct smtptls_context *context, const char *path)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	if (path == NULL)
		r = stls_err_set(&err, SMTPTLS_E_INVALID, "no file of CAs");
	else
		r = stls_trust_load_file(&context->trust, &err, path);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_load_verify_dir(
    struct smtptls_context *context, const char *path)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	if (path == NULL)
		r = stls_err_set(
		    &err, SMTPTLS_E_INVALID, "no directory of CAs");
	else
		r = stls_trust_load_dir(&context->trust, &err, path);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_load_verify_mem(
    struct smtptls_context *context, const void *data, size_t len)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	r = stls_trust_load_mem(&context->trust, &err, data, len);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_load_default_certs(struct smtptls_context *context)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	context->cas_listed = false;
	r = stls_trust_load_system(&context->trust, &err, STLS_SYSTEM_BUNDLE);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_load_crl_file(struct smtptls_context *context, const char *path)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	if (path == NULL)
		r = stls_err_set(
		    &err, SMTPTLS_E_INVALID, "no file of revocation lists");
	else
		r = stls_trust_load_crl_file(&context->trust, &err, path);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_load_crl_mem(
    struct smtptls_context *context, const void *data, size_t len)
{
	struct stls_err err;
	int r;

	r = stls_context_begin(context);
	if (r < 0)
		return r;
	r = stls_trust_load_crl_mem(&context->trust, &err, data, len);
	return stls_context_finish(context, r, &err);
}

int
smtptls_context_cert_store_stats(
    struct smtptls_context *context, struct smtptls_cert_store_stats *out_stats)
{
	struct stls_err err;
	bool locked;
	int r;

	if (context == NULL || out_stats == NULL)
		return SMTPTLS_E_INVALID;
	locked = stls_context_lock(context);
	r = stls_trust_stats(&context->trust, &err, out_stats);
	stls_context_unlock(context, locked);
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

	r = stls_context_begin(context);
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
	return stls_context_finish(context, r, &err);
}
