/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "settings-options.h"

static bool
is_external(const struct settings *s)
{
	return s->auth != NULL && strcmp(s->auth, "EXTERNAL") == 0;
}

bool
settings_want_auth(const struct settings *s)
{
	return s->user != NULL || s->auth != NULL;
}

static int
check_credentials(struct stls_err *err, const struct settings *s)
{
	bool has_password = s->password_file != NULL ||
	    s->password_command != NULL;

	if (s->password_file != NULL && s->password_command != NULL)
		return stls_err_set(err, EX_USAGE,
		    "--password-file and --password-command exclude each "
		    "other");
	if (is_external(s) && has_password)
		return stls_err_set(err, EX_USAGE,
		    "--auth EXTERNAL proves itself by --cert, not by a "
		    "password");
	if (is_external(s) && s->cert == NULL)
		return stls_err_set(
		    err, EX_USAGE, "--auth EXTERNAL needs --cert");
	if (s->user == NULL && has_password)
		return stls_err_set(
		    err, EX_USAGE, "a password needs --user beside it");
	if (s->user == NULL && s->auth != NULL && !is_external(s))
		return stls_err_set(
		    err, EX_USAGE, "--auth %s needs --user", s->auth);
	return 0;
}

static int
check_insecure(struct stls_err *err, const struct settings *s)
{
	if (settings_want_auth(s) && s->insecure_cleartext)
		return stls_err_set(err, EX_USAGE,
		    "credentials are never sent in clear: leave out "
		    "--insecure-cleartext or the credentials");
	if (settings_want_auth(s) && s->insecure_no_verify)
		return stls_err_set(err, EX_USAGE,
		    "credentials are never sent to a server that was not "
		    "verified: leave out --insecure-no-verify or the "
		    "credentials");
	if (s->tls_min != SMTPTLS_TLS_NONE && s->insecure_legacy_tls)
		return stls_err_set(err, EX_USAGE,
		    "--tls-min and --insecure-legacy-tls exclude each other");
	return 0;
}

static int
check(struct stls_err *err, const struct settings *s)
{
	int r;

	if (s->mode == MODE_PRINT_HELP || s->mode == MODE_PRINT_VERSION)
		return 0;
	r = check_credentials(err, s);
	if (r == 0)
		r = check_insecure(err, s);
	if (r != 0)
		return r;
	if (s->key != NULL && s->cert == NULL)
		return stls_err_set(err, EX_USAGE, "--key needs --cert");
	if (s->json && !s->probe)
		return stls_err_set(
		    err, EX_USAGE, "--json goes with --probe only");
	return 0;
}

/* What the program does is also said by the name it is called by. */
static enum mode
mode_of_name(const char *argv0)
{
	const char *slash = argv0 != NULL ? strrchr(argv0, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argv0;

	if (name != NULL && strcmp(name, "mailq") == 0)
		return MODE_QUEUE_PRINT;
	if (name != NULL && strcmp(name, "newaliases") == 0)
		return MODE_ALIASES;
	return MODE_SEND;
}

int
settings_parse(
    struct stls_err *err, int argc, char **argv, struct settings *settings)
{
	int r;

	memset(settings, 0, sizeof(*settings));
	settings->deadline = STLS_NEVER;
	settings->mode = mode_of_name(argc > 0 ? argv[0] : NULL);
	if (settings->mode == MODE_ALIASES)
		return 0;

	settings->recipients = stls_alloc_array(
	    (size_t)argc + 1, sizeof(settings->recipients[0]));
	if (settings->recipients == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = options_parse(err, &settings_options, OPTION_COMMAND_LINE, argc,
	    argv, settings, settings->recipients, &settings->recipient_count);
	if (r == 0)
		r = check(err, settings);
	if (r == 0 && settings->timeout_s > 0)
		settings->deadline = stls_deadline_in(
		    (int64_t)settings->timeout_s * 1000);
	return r;
}

int
settings_hand_over(
    struct stls_err *err, int argc, char **argv, struct settings *settings)
{
	const char **recipients;

	recipients = stls_alloc_array((size_t)argc + 1, sizeof(recipients[0]));
	if (recipients == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	free(settings->recipients);
	settings->recipients = recipients;
	settings->recipient_count = 0;
	settings->mode = MODE_SEND;
	return options_parse(err, &settings_options, OPTION_HANDED_OVER, argc,
	    argv, settings, settings->recipients, &settings->recipient_count);
}

void
settings_done(struct settings *settings)
{
	free(settings->recipients);
	settings->recipients = NULL;
}
