/* SPDX-License-Identifier: MIT */
#include "settings-options.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "settings-config.h"
#include "settings-message.h"
#include "settings.h"
#include "settings-spool.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* On the command line it is said, in a configuration it is yes or no. */
static int
set_flag(struct stls_err *err, void *target, const struct option_use *use)
{
	bool *field = (void *)((char *)target + use->spec->field);

	if (use->value == NULL || strcmp(use->value, "yes") == 0)
		*field = true;
	else if (strcmp(use->value, "no") == 0)
		*field = false;
	else
		return stls_err_set(err, EX_USAGE, "%s is yes or no, not %s",
		    use->shown, use->value);
	return 0;
}

static int
set_string(struct stls_err *err, void *target, const struct option_use *use)
{
	const char **field = (void *)((char *)target + use->spec->field);

	(void)err;
	*field = use->value;
	return 0;
}

/* Accepted because programs pass it, and without any effect here. */
static int
set_nothing(struct stls_err *err, void *target, const struct option_use *use)
{
	(void)err;
	(void)target;
	(void)use;
	return 0;
}

/* A setting that is not there yet must never be passed over in silence. */
static int
comes_later(struct stls_err *err, void *target, const struct option_use *use)
{
	(void)target;
	return stls_err_set(err, EX_USAGE,
	    "%s comes in a later version of " PROGRAM, use->shown);
}

static int
set_mode(struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char *value = use->value;

	if (value[0] == '\0' || value[1] != '\0')
		return stls_err_set(
		    err, EX_USAGE, "there is no mode -b%s", value);
	switch (value[0]) {
	case 'm':
		settings->mode = MODE_SEND;
		return 0;
	case 'v':
		settings->mode = MODE_VERIFY;
		return 0;
	case 'p':
		settings->mode = MODE_QUEUE_PRINT;
		return 0;
	case 'i':
		settings->mode = MODE_ALIASES;
		return 0;
	case 's':
		settings->mode = MODE_SMTP;
		return 0;
	case 'd':
	case 'D':
	case 'l':
		return stls_err_set(err, EX_USAGE,
		    "-b%s is for a daemon, and " PROGRAM " is none", value);
	case 'h':
	case 'H':
	case 't':
		return stls_err_set(err, EX_USAGE,
		    "-b%s asks about parts of sendmail that " PROGRAM
		    " does not have",
		    value);
	default:
		return stls_err_set(
		    err, EX_USAGE, "there is no mode -b%s", value);
	}
}

static int
set_aliases(struct stls_err *err, void *target, const struct option_use *use)
{
	(void)err;
	(void)use;
	((struct settings *)target)->mode = MODE_ALIASES;
	return 0;
}

static int
set_submit(struct stls_err *err, void *target, const struct option_use *use)
{
	(void)err;
	(void)use;
	((struct settings *)target)->mode = MODE_SUBMIT;
	return 0;
}

static int
set_configure(struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	(void)err;
	settings->mode = MODE_CONFIGURE;
	settings->configure = use->value;
	return 0;
}

static int
set_pipelining(struct stls_err *err, void *target, const struct option_use *use)
{
	static const struct {
		const char *word;
		enum smtptls_pipelining level;
	} levels[] = {
		{ "none", SMTPTLS_PIPELINING_NONE },
		{ "standard", SMTPTLS_PIPELINING_STANDARD },
		{ "one-flight", SMTPTLS_PIPELINING_ONE_FLIGHT },
	};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].word, use->value) != 0)
			continue;
		((struct settings *)target)->pipelining = levels[i].level;
		return 0;
	}
	return stls_err_set(err, EX_USAGE,
	    "%s %s: it is none, standard or one-flight", use->shown,
	    use->value);
}

static int
set_help(struct stls_err *err, void *target, const struct option_use *use)
{
	(void)err;
	(void)use;
	((struct settings *)target)->mode = MODE_PRINT_HELP;
	return 0;
}

static int
set_version(struct stls_err *err, void *target, const struct option_use *use)
{
	(void)err;
	(void)use;
	((struct settings *)target)->mode = MODE_PRINT_VERSION;
	return 0;
}

/* A boolean of sendmail: nothing, or a word of which the first letter counts. */
static bool
is_true(const char *value)
{
	return value[0] == '\0' || strchr("tTyY1", value[0]) != NULL;
}

/* The old options: one letter and its value. */
static int
set_old_option(struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	(void)err;
	if (use->value[0] == 'i')
		settings->dot_is_data = is_true(use->value + 1);
	return 0;
}

/* `name=value` for one name, in any case; NULL where it is another one. */
static const char *
value_of(const char *option, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(option, name, len) != 0)
		return NULL;
	if (option[len] == '=')
		return option + len + 1;
	return option[len] == '\0' ? option + len : NULL;
}

static int
set_long_option(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char *value;

	(void)err;
	value = value_of(use->value, "smtputf8");
	if (value != NULL)
		settings->options.smtputf8 = is_true(value);
	value = value_of(use->value, "ignoredots");
	if (value != NULL)
		settings->dot_is_data = is_true(value);
	value = value_of(use->value, "requiretls");
	if (value != NULL)
		settings->options.require_tls = is_true(value);
	return 0;
}

/* -Ac and -Am choose a file of sendmail's configuration. */
static int
set_config_kind(
    struct stls_err *err, void *target, const struct option_use *use)
{
	(void)target;
	if (strcmp(use->value, "c") == 0 || strcmp(use->value, "m") == 0)
		return 0;
	return stls_err_set(
	    err, EX_USAGE, "-A%s is neither -Ac nor -Am", use->value);
}

static int
set_full_name(struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char *p;

	for (p = use->value; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return stls_err_set(err, EX_USAGE,
			    "the full name has a control character in it: %s",
			    use->value);
	}
	settings->full_name = use->value;
	return 0;
}

static int
set_tls_min(struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	if (strcmp(use->value, "1.2") == 0)
		settings->tls_min = SMTPTLS_TLS_1_2;
	else if (strcmp(use->value, "1.3") == 0)
		settings->tls_min = SMTPTLS_TLS_1_3;
	else if (strcmp(use->value, "1.0") == 0 ||
	    strcmp(use->value, "1.1") == 0)
		return stls_err_set(err, EX_USAGE,
		    "%s %s is not safe: --insecure-legacy-tls allows it",
		    use->shown, use->value);
	else
		return stls_err_set(err, EX_USAGE, "%s is 1.2 or 1.3, not %s",
		    use->shown, use->value);
	return 0;
}

static int
set_timeout(struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char *p = use->value;
	long seconds = 0;

	while (*p >= '0' && *p <= '9' && seconds <= INT_MAX / 1000)
		seconds = seconds * 10 + (*p++ - '0');
	if (*p != '\0' || seconds < 1 || seconds > INT_MAX / 1000)
		return stls_err_set(err, EX_USAGE,
		    "%s is a number of seconds from 1 to %d, not \"%s\"",
		    use->shown, INT_MAX / 1000, use->value);
	settings->timeout_s = (int)seconds;
	return 0;
}

static int
set_auth(struct stls_err *err, void *target, const struct option_use *use)
{
	static const char *const known[] = { "PLAIN", "LOGIN", "EXTERNAL" };
	struct settings *settings = target;
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(use->value, known[i]) == 0) {
			settings->auth = known[i];
			return 0;
		}
	}
	return stls_err_set(err, EX_USAGE,
	    "%s is PLAIN, LOGIN or EXTERNAL in this version, not %s",
	    use->shown, use->value);
}

/* Where an option may be said, and what it is about: see options.h. */
#define COMMAND OPTION_COMMAND_LINE, 0
#define MESSAGE OPTION_COMMAND_LINE | OPTION_HANDED_OVER, 0
#define SETTING OPTION_COMMAND_LINE | OPTION_CONFIGURATION, 0
#define SERVER OPTION_COMMAND_LINE | OPTION_CONFIGURATION, OPTION_ABOUT_SERVER
#define ACCOUNT OPTION_COMMAND_LINE | OPTION_CONFIGURATION, OPTION_OF_ALL
#define FILES_ONLY(kinds) OPTION_CONFIGURATION, kinds
#define EVERYWHERE                                                             \
	OPTION_COMMAND_LINE | OPTION_CONFIGURATION | OPTION_HANDED_OVER, 0

#define FLAG(letter, name, field, where)                                       \
	{                                                                      \
		letter, name, OPTION_ALONE, set_flag,                          \
		    offsetof(struct settings, field), where                    \
	}
#define STRING(letter, name, field, where)                                     \
	{                                                                      \
		letter, name, OPTION_VALUE, set_string,                        \
		    offsetof(struct settings, field), where                    \
	}
#define VALUE(letter, name, field, set, where)                                 \
	{                                                                      \
		letter, name, OPTION_VALUE, set,                               \
		    offsetof(struct settings, field), where                    \
	}
#define PASSWORD(name, source, where)                                          \
	{                                                                      \
		0, name, OPTION_VALUE, settings_set_password, source, where    \
	}
#define CALL(letter, name, argument, apply, where)                             \
	{                                                                      \
		letter, name, argument, apply, 0, where                        \
	}

static const struct option_spec specs[] = {
	/* sendmail(8) */
	FLAG('t', NULL, extract_recipients, MESSAGE),
	STRING('f', NULL, sender, MESSAGE),
	STRING('r', NULL, sender, MESSAGE),
	CALL('F', NULL, OPTION_VALUE, set_full_name, MESSAGE),
	FLAG('i', NULL, dot_is_data, MESSAGE),
	FLAG('v', NULL, verbose, COMMAND),
	FLAG('G', NULL, relay, MESSAGE),
	CALL('b', NULL, OPTION_VALUE, set_mode, COMMAND),
	CALL('I', NULL, OPTION_ALONE, set_aliases, COMMAND),
	CALL('q', NULL, OPTION_ATTACHED, settings_set_queue_run, COMMAND),
	CALL('O', NULL, OPTION_VALUE, set_long_option, MESSAGE),
	CALL('o', NULL, OPTION_VALUE, set_old_option, MESSAGE),
	CALL('A', NULL, OPTION_VALUE, set_config_kind, MESSAGE),
	FLAG('n', NULL, no_aliases, MESSAGE),
	CALL('m', NULL, OPTION_ALONE, set_nothing, MESSAGE),
	CALL('U', NULL, OPTION_ALONE, set_nothing, MESSAGE),
	CALL('c', NULL, OPTION_ALONE, set_nothing, MESSAGE),
	CALL('x', NULL, OPTION_ALONE, set_nothing, MESSAGE),
	STRING('L', NULL, log_tag, MESSAGE),
	CALL('e', NULL, OPTION_VALUE, set_nothing, MESSAGE),
	CALL('B', NULL, OPTION_VALUE, set_nothing, MESSAGE),
	CALL('h', NULL, OPTION_VALUE, set_nothing, MESSAGE),
	CALL('p', NULL, OPTION_VALUE, set_nothing, MESSAGE),
	CALL('d', NULL, OPTION_VALUE, set_nothing, MESSAGE),
	CALL('M', NULL, OPTION_VALUE, set_nothing, MESSAGE),
	CALL('X', NULL, OPTION_VALUE, set_nothing, MESSAGE),
	CALL('N', NULL, OPTION_VALUE, settings_set_notify, MESSAGE),
	CALL('R', NULL, OPTION_VALUE, settings_set_return, MESSAGE),
	CALL('V', NULL, OPTION_VALUE, settings_set_envid, MESSAGE),

	/* the server */
	STRING(0, "url", url, SERVER),
	STRING(0, "connect-to", connect_to, SERVER),
	STRING(0, "ehlo", ehlo_name, SETTING),
	STRING(0, "domain", domain, SETTING),
	CALL(0, "timeout", OPTION_VALUE, set_timeout, SETTING),
	CALL(0, "pipelining", OPTION_VALUE, set_pipelining, SERVER),
	FLAG(0, "no-chunking", no_chunking, SERVER),

	/* TLS */
	VALUE(0, "cafile", cafile, settings_set_path, SERVER),
	VALUE(0, "capath", capath, settings_set_path, SERVER),
	FLAG(0, "system-ca", system_ca, SERVER),
	VALUE(0, "crlfile", crlfile, settings_set_path, SERVER),
	VALUE(0, "cert", cert, settings_set_path_or_uri, SERVER),
	VALUE(0, "key", key, settings_set_path_or_uri, SERVER),
	STRING(0, "ciphers", ciphers, SETTING),
	CALL(0, "tls-min", OPTION_VALUE, set_tls_min, SETTING),
	FLAG(0, "insecure-no-verify", insecure_no_verify, SERVER),
	FLAG(0, "insecure-cleartext", insecure_cleartext, SERVER),
	FLAG(0, "insecure-legacy-tls", insecure_legacy_tls, SERVER),

	/* credentials */
	STRING(0, "user", user, SERVER),
	PASSWORD("password-file", PASSWORD_FILE, SERVER),
	PASSWORD("password-command", PASSWORD_COMMAND, SERVER),
	PASSWORD("netrc", PASSWORD_NETRC, SERVER),
	{ 0, "password-credential", OPTION_VALUE, settings_set_credential,
	    PASSWORD_CREDENTIAL, SERVER },
	{ 0, "password-keyring", OPTION_ALONE, settings_set_keyring,
	    PASSWORD_KEYRING, SERVER },
	PASSWORD("password", PASSWORD_GIVEN,
	    FILES_ONLY(OPTION_ABOUT_SERVER | OPTION_SECRET)),
	CALL(0, "auth", OPTION_VALUE, set_auth, SERVER),

	/* the submit helper */
	CALL(0, "submit", OPTION_ALONE, set_submit, COMMAND),
	VALUE(0, "submit-socket", submit_socket, settings_set_path_or_none,
	    SETTING),

	/* configuration */
	STRING('C', "config", config_file, COMMAND),
	CALL('a', "account", OPTION_VALUE, settings_set_account, ACCOUNT),
	CALL(0, "senders", OPTION_VALUE, set_nothing,
	    FILES_ONLY(OPTION_OF_ACCOUNT | OPTION_REPEATS)),
	VALUE(0, "envelope-from", envelope_from, settings_set_envelope_from,
	    FILES_ONLY(0)),
	FLAG(0, "force-envelope-from", force_envelope_from, FILES_ONLY(0)),
	VALUE(0, "from", from, settings_set_sender_address, FILES_ONLY(0)),
	FLAG(0, "force-from", force_from, FILES_ONLY(0)),
	FLAG(0, "keep-original-from", keep_original_from, FILES_ONLY(0)),
	VALUE(0, "aliases", aliases, settings_set_aliases_file, SETTING),
	VALUE(0, "log", log, settings_set_log, SETTING),
	/* What is stored is sent later by what the files say, no --url. */
	VALUE(0, "spool", spool, settings_set_spool, SERVER),

	/* the message, and what to do */
	FLAG(0, "smtputf8", options.smtputf8, MESSAGE),
	FLAG(0, "require-tls", options.require_tls, EVERYWHERE),
	CALL(0, "hold-until", OPTION_VALUE, settings_set_hold_until, MESSAGE),
	CALL(0, "priority", OPTION_VALUE, settings_set_priority, MESSAGE),
	CALL(0, "deliver-by", OPTION_VALUE, settings_set_deliver_by, MESSAGE),
	FLAG(0, "dry-run", dry_run, COMMAND),
	FLAG(0, "probe", probe, COMMAND),
	FLAG(0, "json", json, COMMAND),
	CALL(0, "configure", OPTION_VALUE, set_configure, COMMAND),
	CALL(0, "help", OPTION_ALONE, set_help, COMMAND),
	CALL(0, "version", OPTION_ALONE, set_version, COMMAND),

	/* later */
	CALL(0, "pin", OPTION_VALUE, comes_later, SERVER),
	CALL(0, "token-command", OPTION_VALUE, comes_later, SERVER),
	CALL(0, "spool-lifetime", OPTION_VALUE, settings_set_spool_lifetime,
	    SETTING),
	CALL(0, "spool-in-doubt", OPTION_VALUE, settings_set_spool_in_doubt,
	    SETTING),
};

const struct option_table settings_options = { specs, ARRAY_LEN(specs), NULL };
