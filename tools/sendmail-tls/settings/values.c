/* SPDX-License-Identifier: MIT */
#include "settings/values.h"

#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "settings/sender-from.h"
#include "settings/settings.h"

static int
keep(struct stls_err *err, void *target, const struct option_use *use)
{
	const char **field = (void *)((char *)target + use->spec->field);

	(void)err;
	*field = use->value;
	return 0;
}

/*
 * The name of a file. In a configuration it is a whole one, since nobody knows
 * in which directory a program calls, or begins with the home directory.
 */
int
settings_set_path(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char **field = (void *)((char *)target + use->spec->field);

	*field = use->value;
	if (use->place == OPTION_COMMAND_LINE)
		return 0;
	return config_expand_path(
	    err, settings->config, use->shown, use->value, field);
}

/* A file, or a certificate or key in a token. */
int
settings_set_path_or_uri(
    struct stls_err *err, void *target, const struct option_use *use)
{
	if (strncmp(use->value, "pkcs11:", 7) == 0)
		return keep(err, target, use);
	return settings_set_path(err, target, use);
}

/* A file, or the word none. */
int
settings_set_path_or_none(
    struct stls_err *err, void *target, const struct option_use *use)
{
	const char **field = (void *)((char *)target + use->spec->field);

	if (strcmp(use->value, "none") != 0)
		return settings_set_path(err, target, use);
	*field = NULL;
	return 0;
}

/* Checked where it is said, so that a mistake is told with its line. */
int
settings_set_sender_address(
    struct stls_err *err, void *target, const struct option_use *use)
{
	CLEANUP(sender_from_done) struct sender_from from = { 0 };
	int r;

	r = sender_from_parse(err, use->value, NULL, &from);
	if (r != 0)
		return stls_err_prefix(err, "%s", use->shown);
	return keep(err, target, use);
}

/* The null sender is an answer here. */
int
settings_set_envelope_from(
    struct stls_err *err, void *target, const struct option_use *use)
{
	if (strcmp(use->value, "<>") == 0)
		return keep(err, target, use);
	return settings_set_sender_address(err, target, use);
}

int
settings_set_aliases_file(
    struct stls_err *err, void *target, const struct option_use *use)
{
	((struct settings *)target)->aliases_are_configured = true;
	return settings_set_path_or_none(err, target, use);
}

int
settings_set_spool(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	settings->spool_is_configured = use->place == OPTION_CONFIGURATION;
	settings->spool_is_system = settings->layer <= LAYER_SYSTEM_LAST;
	return settings_set_path_or_none(err, target, use);
}

int
settings_set_log(
    struct stls_err *err, void *target, const struct option_use *use)
{
	if (strcmp(use->value, LOG_TO_SYSLOG) == 0)
		return keep(err, target, use);
	return settings_set_path_or_none(err, target, use);
}

/* In a file it is the default, which whoever chooses looks up there. */
int
settings_set_account(
    struct stls_err *err, void *target, const struct option_use *use)
{
	(void)err;
	if (use->place == OPTION_COMMAND_LINE)
		((struct settings *)target)->account = use->value;
	return 0;
}

static const char *
dashes(const struct option_use *use)
{
	return use->place == OPTION_COMMAND_LINE ? "--" : "";
}

/* The last one counts, but nobody says two things at once. */
int
settings_set_password(
    struct stls_err *err, void *target, const struct option_use *use)
{
	static const char *const names[] = {
		[PASSWORD_FILE] = "password-file",
		[PASSWORD_COMMAND] = "password-command",
		[PASSWORD_GIVEN] = "password",
		[PASSWORD_CREDENTIAL] = "password-credential",
		[PASSWORD_KEYRING] = "password-keyring",
		[PASSWORD_NETRC] = "netrc",
		[PASSWORD_TOKEN_COMMAND] = "token-command",
	};
	struct settings *settings = target;
	enum password_source source = (enum password_source)use->spec->field;
	enum password_source old = settings->password.source;

	if (old != PASSWORD_PROMPT && old != source &&
	    settings->password.layer == settings->layer)
		return stls_err_set(err, EX_USAGE,
		    "%s%s and %s%s exclude each other", dashes(use), names[old],
		    dashes(use), names[source]);
	settings->password.source = source;
	settings->password.layer = settings->layer;
	settings->password.value = use->value;
	if (use->place == OPTION_COMMAND_LINE ||
	    (source != PASSWORD_FILE && source != PASSWORD_NETRC))
		return 0;
	return config_expand_path(err, settings->config, use->shown, use->value,
	    &settings->password.value);
}

int
settings_set_keyring(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	if (use->value == NULL || strcmp(use->value, "yes") == 0)
		return settings_set_password(err, target, use);
	if (strcmp(use->value, "no") != 0)
		return stls_err_set(err, EX_USAGE, "%s is yes or no, not %s",
		    use->shown, use->value);
	if (settings->password.source == PASSWORD_KEYRING)
		settings->password.source = PASSWORD_PROMPT;
	return 0;
}

/* A file in the directory that systemd names, and nowhere else. */
int
settings_set_credential(
    struct stls_err *err, void *target, const struct option_use *use)
{
	if (use->value[0] == '.' || strchr(use->value, '/') != NULL)
		return stls_err_set(err, EX_USAGE,
		    "%s is the name of a credential, not %s", use->shown,
		    use->value);
	return settings_set_password(err, target, use);
}
