/* SPDX-License-Identifier: MIT */
#include "settings/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "settings/account.h"
#include "settings/apply.h"
#include "settings/spool.h"
#include "settings/table.h"

static bool
is_external(const struct settings *s)
{
	return s->auth != NULL && strcmp(s->auth, "EXTERNAL") == 0;
}

/* RFC 7628, and what there was before it. */
static bool
is_for_tokens(const char *auth)
{
	return strcmp(auth, "OAUTHBEARER") == 0 || strcmp(auth, "XOAUTH2") == 0;
}

bool
settings_want_auth(const struct settings *s)
{
	return s->user != NULL || s->auth != NULL ||
	    s->password.source == PASSWORD_NETRC;
}

static bool
waits_for_account(const struct settings *s)
{
	return s->url == NULL && s->config != NULL &&
	    s->config->account_count > 0 && !s->account_is_given;
}

static int
check_credentials(struct stls_err *err, const struct settings *s)
{
	bool has_password = s->password.source != PASSWORD_PROMPT;
	bool has_token = s->password.source == PASSWORD_TOKEN_COMMAND;

	if (is_external(s) && has_password)
		return stls_err_set(err, EX_USAGE,
		    "--auth EXTERNAL proves itself by --cert, not by a "
		    "%s",
		    has_token ? "token" : "password");
	if (is_external(s) && s->cert == NULL)
		return stls_err_set(
		    err, EX_USAGE, "--auth EXTERNAL needs --cert");
	if (s->auth != NULL && !is_external(s) && has_token &&
	    !is_for_tokens(s->auth))
		return stls_err_set(err, EX_USAGE,
		    "--auth %s wants a password, and --token-command gives a "
		    "token",
		    s->auth);
	if (s->auth != NULL && is_for_tokens(s->auth) && !has_token &&
	    !waits_for_account(s))
		return stls_err_set(
		    err, EX_USAGE, "--auth %s needs --token-command", s->auth);
	/*
	 * A netrc knows the user as well, and so may an account that is not
	 * chosen yet: without it there is no server either.
	 */
	if (s->password.source == PASSWORD_NETRC || waits_for_account(s))
		return 0;
	if (s->user == NULL && has_password)
		return stls_err_set(err, EX_USAGE,
		    "a %s needs --user beside it",
		    has_token ? "token" : "password");
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
	if (s->pins.count > 0 && s->insecure_cleartext)
		return stls_err_set(err, EX_USAGE,
		    "--pin is about the key of a server, which without TLS "
		    "shows none: leave out --insecure-cleartext or the pin");
	if (s->options.require_tls &&
	    (s->insecure_no_verify || s->insecure_cleartext ||
		s->insecure_legacy_tls))
		return stls_err_set(err, EX_USAGE,
		    "--require-tls asks every server on the way for verified "
		    "TLS: leave out what begins with --insecure, or it");
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
	r = settings_check_queue(err, s);
	if (r != 0)
		return r;
	if (s->json && !s->probe)
		return stls_err_set(
		    err, EX_USAGE, "--json goes with --probe only");
	if (s->mode == MODE_SMTP && s->dry_run)
		return stls_err_set(err, EX_USAGE,
		    "--dry-run and -bs exclude each other: what a client is "
		    "told has to be true");
	return 0;
}

stls_deadline
settings_deadline(const struct settings *settings)
{
	if (settings->timeout_s <= 0)
		return STLS_NEVER;
	return stls_deadline_in((int64_t)settings->timeout_s * 1000);
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

static bool
needs_files(const struct settings *settings)
{
	return settings->mode != MODE_PRINT_HELP &&
	    settings->mode != MODE_PRINT_VERSION &&
	    settings->mode != MODE_CONFIGURE && settings->mode != MODE_ALIASES;
}

/* Our own command line, and behind it what was handed over. */
struct lines {
	const struct words *own;
	const struct words *theirs; /* NULL: nothing was */
	const char *account;	    /* whatever they say; NULL: what they say */
};

static int
parse_command_line(
    struct stls_err *err, const struct lines *lines, struct settings *settings)
{
	int r;

	settings->layer = LAYER_COMMAND_LINE;
	r = options_parse(err, &settings_options, OPTION_COMMAND_LINE,
	    lines->own->argc, lines->own->argv, settings, settings->recipients,
	    &settings->recipient_count);
	if (r != 0 || lines->theirs == NULL)
		return r;
	settings->mode = MODE_SEND;
	return options_parse(err, &settings_options, OPTION_HANDED_OVER,
	    lines->theirs->argc, lines->theirs->argv, settings,
	    settings->recipients, &settings->recipient_count);
}

/* Apply the files to settings on which the command line comes again then. */
static int
apply_files(struct stls_err *err, const struct config_paths *given,
    const struct settings *command_line, const char *account,
    struct settings *settings)
{
	struct config_paths paths = *given;
	struct settings_choice choice = {
		.account = account != NULL ? account : command_line->account,
		.sender = command_line->sender,
		/* Who names a file or an account as well wants them too. */
		.url_is_given = command_line->url != NULL &&
		    command_line->account == NULL &&
		    command_line->config_file == NULL,
	};
	int r;

	settings->config = stls_alloc_zero(sizeof(*settings->config));
	if (settings->config == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	if (command_line->config_file != NULL)
		paths.only = command_line->config_file;
	r = config_load(err, &paths, &settings_options, settings->config);
	if (r == 0)
		r = settings_check(err, settings->config, settings);
	if (r == 0)
		r = settings_apply(err, settings->config, &choice, settings,
		    &settings->account);
	return r;
}

static int
parse(struct stls_err *err, const struct lines *lines,
    const struct config_paths *paths, struct settings *settings)
{
	const struct settings before = *settings;
	struct settings command_line;
	struct stls_err ignored = { 0 };
	const char *account;
	int r;

	r = parse_command_line(err, lines, settings);
	if (r != 0)
		return r;
	if (paths == NULL || !needs_files(settings))
		return check(err, settings);
	command_line = *settings;
	*settings = before;
	r = apply_files(err, paths, &command_line, lines->account, settings);
	if (r != 0)
		return r;
	account = settings->account;
	r = parse_command_line(err, lines, settings);
	settings->account = account;
	settings->url_is_given = command_line.url != NULL;
	settings->account_is_given = command_line.account != NULL ||
	    lines->account != NULL;
	if (r != 0 || check(err, settings) == 0)
		return r;
	/* Where the command line alone is good, a file is what is wrong. */
	if (check(&ignored, &command_line) == 0)
		err->code = EX_CONFIG;
	return err->code;
}

static int
parse_lines(struct stls_err *err, const struct lines *lines,
    const struct config_paths *paths, struct settings *settings)
{
	const struct words *own = lines->own;
	size_t recipient_max = (size_t)own->argc + 1;
	int r;

	memset(settings, 0, sizeof(*settings));
	settings->paths = paths;
	settings->aliases = paths != NULL ? paths->aliases : NULL;
	settings->argc = own->argc;
	settings->argv = own->argv;
	settings->deadline = STLS_NEVER;
	settings->spool_lifetime_s = SPOOL_LIFETIME_S;
	settings->mode = mode_of_name(own->argc > 0 ? own->argv[0] : NULL);
	if (settings->mode == MODE_ALIASES)
		return 0;

	if (lines->theirs != NULL)
		recipient_max += (size_t)lines->theirs->argc;
	settings->recipients = stls_alloc_array(
	    recipient_max, sizeof(settings->recipients[0]));
	if (settings->recipients == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = parse(err, lines, paths, settings);
	if (r == 0)
		settings->deadline = settings_deadline(settings);
	return r;
}

int
settings_parse(struct stls_err *err, int argc, char **argv,
    const struct config_paths *paths, struct settings *settings)
{
	const struct words own = { argc, argv };
	const struct lines lines = { &own, NULL, NULL };

	return parse_lines(err, &lines, paths, settings);
}

bool
settings_sender_may_choose(const struct settings *settings)
{
	return settings->config != NULL &&
	    settings->config->account_count > 0 &&
	    !settings->account_is_given && !settings->url_is_given;
}

int
settings_account_of_sender(struct stls_err *err,
    const struct settings *settings, const char *sender,
    const char **out_account)
{
	const struct settings_choice choice = { .sender = sender };

	*out_account = settings->account;
	if (!settings_sender_may_choose(settings))
		return 0;
	return settings_choose_account(
	    err, settings->config, &choice, out_account);
}

int
settings_for_account(struct stls_err *err, const struct settings *settings,
    const char *account, struct settings *out_settings)
{
	const struct words own = { settings->argc, settings->argv };
	const struct lines lines = { &own, NULL, account };
	stls_deadline deadline = settings->deadline;
	int r;

	r = parse_lines(err, &lines, settings->paths, out_settings);
	/* The time of the program, not of the account. */
	out_settings->deadline = deadline;
	return r;
}

int
settings_hand_over(struct stls_err *err, const struct words *own,
    const struct words *theirs, struct settings *settings)
{
	const struct lines lines = { own, theirs, NULL };
	const struct config_paths *paths = settings->paths;

	settings_done(settings);
	return parse_lines(err, &lines, paths, settings);
}

bool
settings_need_helper(const struct settings *settings)
{
	return settings->url == NULL && settings->config != NULL &&
	    settings->config->system_is_out_of_reach;
}

int
settings_no_server(struct stls_err *err, const struct settings *settings)
{
	const struct config_paths *paths = settings->paths;
	const struct config *config = settings->config;

	if (settings_need_helper(settings))
		return stls_err_set(err, EX_CONFIG,
		    "the configuration file %s may not be used by user %ld, "
		    "and no submit helper is set up: give them %s",
		    paths->system, (long)getuid(),
		    paths->user != NULL ? paths->user : "--url");
	if (config != NULL && config->file_count > 0)
		return stls_err_set(err, EX_CONFIG,
		    "no server is set: %s%s%s has no url%s%s; or use --url, "
		    "for example --url smtps://mail.example.org",
		    config->files[0], config->file_count > 1 ? " or " : "",
		    config->file_count > 1 ? config->files[1] : "",
		    settings->account[0] != '\0' ? " for account " : "",
		    settings->account);
	return stls_err_set(err, EX_CONFIG,
	    "no server is set: use --url, for example --url "
	    "smtps://mail.example.org, or write url = "
	    "smtps://mail.example.org into %s%s%s",
	    paths->user != NULL ? paths->user : "",
	    paths->user != NULL ? " or " : "", paths->system);
}

void
settings_done(struct settings *settings)
{
	free(settings->recipients);
	settings->recipients = NULL;
	if (settings->config != NULL)
		config_done(settings->config);
	free(settings->config);
	settings->config = NULL;
}
