/* SPDX-License-Identifier: MIT */
#include "client/connection.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtptls/context.h>

#include "base/cleanup.h"
#include "base/secret.h"
#include "credentials/credentials.h"
#include "credentials/prompt.h"

static void
free_context(struct smtptls_context **context)
{
	smtptls_context_free(*context);
}

static void
free_client(struct smtptls_client **client)
{
	smtptls_client_free(*client);
}

static int
out_of_memory(struct stls_err *err)
{
	return stls_err_set(err, EX_OSERR, "out of memory");
}

/* Take over the sentence of a context for the option that caused it. */
static int
context_failed(struct stls_err *err, int status, const char *option, int r,
    const struct smtptls_context *context)
{
	if (r == SMTPTLS_E_NOMEM)
		return out_of_memory(err);
	return stls_err_set(
	    err, status, "%s: %s", option, smtptls_context_error(context));
}

static int
ask_for_key_password(const char *what, char *password, size_t cap, void *arg)
{
	CLEANUP(stls_secret_done) struct stls_secret secret = { 0 };
	const struct settings *settings = arg;
	struct stls_err ignored = { 0 };
	char question[512];

	if (settings->dry_run)
		return SMTPTLS_E_INVALID;
	snprintf(question, sizeof(question), "password of %s: ", what);
	if (prompt_secret(&ignored, question, settings->deadline, &secret) != 0)
		return SMTPTLS_E_INVALID;
	if (secret.len >= cap)
		return SMTPTLS_E_LIMIT;
	memcpy(password, secret.data, secret.len + 1);
	return SMTPTLS_OK;
}

/* Whether a trust store makes no difference to what is going to happen. */
static bool
trusts_anybody(const struct settings *s)
{
	return (s->insecure_cleartext || s->insecure_no_verify) &&
	    s->cafile == NULL && s->capath == NULL && s->crlfile == NULL;
}

static int
load_trust(struct stls_err *err, const struct settings *s,
    struct smtptls_context **out_context)
{
	int r;

	if (trusts_anybody(s))
		r = smtptls_context_new(SMTPTLS_SERVER_AUTH, out_context);
	else
		r = smtptls_context_new_default(SMTPTLS_SERVER_AUTH, s->cafile,
		    s->capath, NULL, 0, out_context);
	if (r < 0)
		return context_failed(
		    err, EX_CONFIG, "trusted CAs", r, *out_context);

	if (s->system_ca && (s->cafile != NULL || s->capath != NULL)) {
		r = smtptls_context_load_default_certs(*out_context);
		if (r < 0)
			return context_failed(
			    err, EX_CONFIG, "--system-ca", r, *out_context);
	}
	if (s->crlfile != NULL) {
		r = smtptls_context_load_crl_file(*out_context, s->crlfile);
		if (r < 0)
			return context_failed(
			    err, EX_CONFIG, "--crlfile", r, *out_context);
	}
	return 0;
}

static int
set_protocol(struct stls_err *err, const struct settings *s,
    struct smtptls_context *context)
{
	int r;

	if (s->insecure_legacy_tls) {
		r = smtptls_context_insecure_allow_legacy(
		    context, SMTPTLS_TLS_1_0);
		if (r < 0)
			return context_failed(err, EX_CONFIG,
			    "--insecure-legacy-tls", r, context);
	}
	if (s->tls_min != SMTPTLS_TLS_NONE) {
		r = smtptls_context_set_minimum_version(context, s->tls_min);
		if (r < 0)
			return context_failed(
			    err, EX_CONFIG, "--tls-min", r, context);
	}
	if (s->ciphers != NULL) {
		r = smtptls_context_set_ciphers(context, s->ciphers);
		if (r < 0)
			return context_failed(
			    err, EX_USAGE, "--ciphers", r, context);
	}
	return 0;
}

static int
set_verification(struct stls_err *err, const struct settings *s,
    struct smtptls_context *context)
{
	size_t i;
	int r;

	for (i = 0; i < s->pins.count; i++) {
		r = smtptls_context_add_pin(context, s->pins.text[i]);
		if (r < 0)
			return context_failed(
			    err, EX_CONFIG, "--pin", r, context);
	}
	if (!s->insecure_no_verify)
		return 0;
	r = smtptls_context_insecure_no_check_hostname(context);
	if (r == 0)
		r = smtptls_context_insecure_no_verify(context);
	if (r < 0)
		return context_failed(
		    err, EX_CONFIG, "--insecure-no-verify", r, context);
	return 0;
}

static int
load_certificate(struct stls_err *err, const struct settings *s,
    struct smtptls_context *context)
{
	int r;

	if (s->cert == NULL)
		return 0;
	r = smtptls_context_load_cert_chain(
	    context, s->cert, s->key, ask_for_key_password, (void *)s);
	if (r < 0)
		return context_failed(err, EX_CONFIG, "--cert", r, context);
	return 0;
}

static int
make_context(struct stls_err *err, const struct settings *settings,
    struct smtptls_context **out_context)
{
	int r;

	r = load_trust(err, settings, out_context);
	if (r == 0)
		r = set_protocol(err, settings, *out_context);
	if (r == 0)
		r = set_verification(err, settings, *out_context);
	if (r == 0)
		r = load_certificate(err, settings, *out_context);
	return r;
}

/* What does not go together: whoever names the server says the rest, too. */
static int
client_failed(struct stls_err *err, const struct settings *s,
    const char *option, int r, const struct smtptls_client *client)
{
	if (r == SMTPTLS_E_NOMEM)
		return out_of_memory(err);
	return stls_err_set(err,
	    s->config == NULL || s->url_is_given ? EX_USAGE : EX_CONFIG,
	    "%s: %s", option, smtptls_client_error(client));
}

static void
print_trace(enum smtptls_trace_level level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static int
set_place_and_name(struct stls_err *err, const struct settings *s,
    struct smtptls_client *client)
{
	int r;

	if (s->connect_to != NULL) {
		r = smtptls_client_set_connect_to(client, s->connect_to);
		if (r < 0)
			return client_failed(err, s, "--connect-to", r, client);
	}
	if (s->ehlo_name != NULL) {
		r = smtptls_client_set_ehlo_name(client, s->ehlo_name);
		if (r < 0)
			return client_failed(err, s, "--ehlo", r, client);
	}
	if (s->insecure_cleartext) {
		r = smtptls_client_insecure_no_tls(client);
		if (r < 0)
			return client_failed(
			    err, s, "--insecure-cleartext", r, client);
	}
	smtptls_client_set_pipelining(client, s->pipelining);
	smtptls_client_set_chunking(client, !s->no_chunking);
	if (s->verbose)
		smtptls_client_set_trace(
		    client, SMTPTLS_TRACE_PROTOCOL, print_trace, NULL);
	return 0;
}

static int
set_password(struct stls_err *err, const struct settings *s,
    const struct identity *identity, struct smtptls_client *client)
{
	CLEANUP(credentials_done) struct credentials credentials = { 0 };
	int r;

	r = credentials_get(err, s, identity, &credentials);
	if (r != 0 || credentials.password.data == NULL)
		return r;
	if (s->password.source == PASSWORD_TOKEN_COMMAND)
		r = smtptls_client_set_token(
		    client, credentials.user.data, credentials.password.data);
	else
		r = smtptls_client_set_credentials(
		    client, credentials.user.data, credentials.password.data);
	if (r < 0)
		return client_failed(err, s, "credentials", r, client);
	return 0;
}

static int
set_authentication(struct stls_err *err, const struct settings *s,
    const struct identity *identity, struct smtptls_client *client)
{
	int r;

	if (!settings_want_auth(s))
		return 0;
	if (s->auth != NULL && strcmp(s->auth, "EXTERNAL") == 0) {
		r = smtptls_client_set_external(
		    client, s->user != NULL ? s->user : "");
		return r < 0 ? client_failed(err, s, "--user", r, client) : 0;
	}
	if (s->auth != NULL) {
		r = smtptls_client_set_auth_mechanism(client, s->auth);
		if (r < 0)
			return client_failed(err, s, "--auth", r, client);
	}
	return set_password(err, s, identity, client);
}

/* Credentials took their part of the time. */
static int
set_deadline(struct stls_err *err, const struct settings *s,
    struct smtptls_client *client)
{
	int left_ms = stls_deadline_left_ms(s->deadline);

	if (left_ms < 0)
		return 0;
	if (left_ms == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "the time that --timeout gives was over before the "
		    "connection was opened");
	smtptls_client_set_deadline_ms(client, left_ms);
	return 0;
}

/* Every time, so that a weak setting does not become a habit in silence. */
static void
warn(const struct settings *s)
{
	if (s->insecure_no_verify)
		fprintf(stderr,
		    PROGRAM ": warning: --insecure-no-verify: the server is "
			    "not verified, %s\n",
		    s->pins.count > 0 ? "only its key is looked at"
				      : "anybody in the network may be it");
	if (s->insecure_cleartext)
		fprintf(stderr,
		    PROGRAM ": warning: --insecure-cleartext: no TLS, anybody "
			    "in the network can read and change the mail\n");
	if (s->insecure_legacy_tls)
		fprintf(stderr,
		    PROGRAM ": warning: --insecure-legacy-tls: TLS 1.0 and "
			    "1.1 are allowed, which are broken\n");
}

int
connection_make_context(struct stls_err *err, const struct settings *settings,
    struct smtptls_context **out_context)
{
	CLEANUP(free_context) struct smtptls_context *context = NULL;
	int r;

	warn(settings);
	r = make_context(err, settings, &context);
	if (r == 0)
		*out_context = TAKE(context);
	return r;
}

int
connection_make_client(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct smtptls_context *context,
    struct smtptls_client **out_client)
{
	CLEANUP(free_client) struct smtptls_client *client = NULL;
	int r;

	r = smtptls_client_new(settings->url, context, &client);
	if (r < 0)
		return client_failed(err, settings, "--url", r, client);
	r = set_place_and_name(err, settings, client);
	if (r == 0)
		r = set_authentication(err, settings, identity, client);
	if (r == 0)
		r = set_deadline(err, settings, client);
	if (r == 0)
		*out_client = TAKE(client);
	return r;
}

int
connection_prepare(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct smtptls_client **out_client)
{
	CLEANUP(free_context) struct smtptls_context *context = NULL;
	int r;

	r = connection_make_context(err, settings, &context);
	if (r != 0)
		return r;
	return connection_make_client(
	    err, settings, identity, context, out_client);
}
