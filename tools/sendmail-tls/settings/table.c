/* SPDX-License-Identifier: MIT */
#include "settings/table.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "settings/message.h"
#include "settings/mode.h"
#include "settings/server.h"
#include "settings/settings.h"
#include "settings/spool.h"
#include "settings/values.h"

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

/* A boolean of sendmail: nothing, or a word whose first letter counts. */
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

/* Where an option may be said, and what it is about: see config/options.h. */
#define COMMAND OPTION_COMMAND_LINE, 0
#define MESSAGE OPTION_COMMAND_LINE | OPTION_HANDED_OVER, 0
#define SETTING OPTION_COMMAND_LINE | OPTION_CONFIGURATION, 0
#define SERVER OPTION_COMMAND_LINE | OPTION_CONFIGURATION, OPTION_ABOUT_SERVER
#define SERVER_LIST                                                            \
	OPTION_COMMAND_LINE | OPTION_CONFIGURATION,                            \
	    OPTION_ABOUT_SERVER | OPTION_REPEATS
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
#define MODE(letter, name, mode)                                               \
	{                                                                      \
		letter, name, OPTION_ALONE, settings_set_this_mode, mode,      \
		    COMMAND                                                    \
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
	CALL('b', NULL, OPTION_VALUE, settings_set_mode, COMMAND),
	MODE('I', NULL, MODE_ALIASES),
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
	VALUE(0, "url", url, settings_set_url, SERVER),
	VALUE(0, "connect-to", connect_to, settings_set_connect_to, SERVER),
	VALUE(0, "ehlo", ehlo_name, settings_set_domain, SETTING),
	VALUE(0, "domain", domain, settings_set_domain, SETTING),
	CALL(0, "timeout", OPTION_VALUE, settings_set_timeout, SETTING),
	CALL(0, "pipelining", OPTION_VALUE, settings_set_pipelining, SERVER),
	FLAG(0, "no-chunking", no_chunking, SERVER),

	/* TLS */
	VALUE(0, "cafile", cafile, settings_set_path, SERVER),
	VALUE(0, "capath", capath, settings_set_path, SERVER),
	FLAG(0, "system-ca", system_ca, SERVER),
	VALUE(0, "crlfile", crlfile, settings_set_path, SERVER),
	VALUE(0, "cert", cert, settings_set_path_or_uri, SERVER),
	VALUE(0, "key", key, settings_set_path_or_uri, SERVER),
	CALL(0, "pin", OPTION_VALUE, settings_set_pin, SERVER_LIST),
	VALUE(0, "ciphers", ciphers, settings_set_ciphers, SETTING),
	CALL(0, "tls-min", OPTION_VALUE, settings_set_tls_min, SETTING),
	FLAG(0, "insecure-no-verify", insecure_no_verify, SERVER),
	FLAG(0, "insecure-cleartext", insecure_cleartext, SERVER),
	FLAG(0, "insecure-legacy-tls", insecure_legacy_tls, SERVER),

	/* credentials */
	STRING(0, "user", user, SERVER),
	PASSWORD("password-file", PASSWORD_FILE, SERVER),
	PASSWORD("password-command", PASSWORD_COMMAND, SERVER),
	PASSWORD("token-command", PASSWORD_TOKEN_COMMAND, SERVER),
	PASSWORD("netrc", PASSWORD_NETRC, SERVER),
	{ 0, "password-credential", OPTION_VALUE, settings_set_credential,
	    PASSWORD_CREDENTIAL, SERVER },
	{ 0, "password-keyring", OPTION_ALONE, settings_set_keyring,
	    PASSWORD_KEYRING, SERVER },
	PASSWORD("password", PASSWORD_GIVEN,
	    FILES_ONLY(OPTION_ABOUT_SERVER | OPTION_SECRET)),
	CALL(0, "auth", OPTION_VALUE, settings_set_auth, SERVER),

	/* the submit helper */
	MODE(0, "submit", MODE_SUBMIT),
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
	CALL(0, "spool-lifetime", OPTION_VALUE, settings_set_spool_lifetime,
	    SETTING),
	CALL(0, "spool-in-doubt", OPTION_VALUE, settings_set_spool_in_doubt,
	    SETTING),

	/* the message, and what to do */
	FLAG(0, "smtputf8", options.smtputf8, MESSAGE),
	FLAG(0, "require-tls", options.require_tls, EVERYWHERE),
	CALL(0, "hold-until", OPTION_VALUE, settings_set_hold_until, MESSAGE),
	CALL(0, "priority", OPTION_VALUE, settings_set_priority, MESSAGE),
	CALL(0, "deliver-by", OPTION_VALUE, settings_set_deliver_by, MESSAGE),
	FLAG(0, "dry-run", dry_run, COMMAND),
	FLAG(0, "probe", probe, COMMAND),
	FLAG(0, "json", json, COMMAND),
	CALL(0, "configure", OPTION_VALUE, settings_set_configure, COMMAND),
	MODE(0, "help", MODE_PRINT_HELP),
	MODE(0, "version", MODE_PRINT_VERSION),
};

const struct option_table settings_options = { specs, ARRAY_LEN(specs), NULL };
