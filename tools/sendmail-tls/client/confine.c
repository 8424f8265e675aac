/* SPDX-License-Identifier: MIT */
#include "client/confine.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "common/narrow.h"

/* A module of PKCS#11 may be a program, as p11-kit has them. */
static bool
is_on_a_token(const char *file)
{
	return file != NULL && strncasecmp(file, "pkcs11:", 7) == 0;
}

static bool
starts_program(const struct settings *settings)
{
	switch (settings->password.source) {
	case PASSWORD_COMMAND:
	case PASSWORD_TOKEN_COMMAND:
	case PASSWORD_KEYRING:
		return true;
	default:
		return is_on_a_token(settings->cert) ||
		    is_on_a_token(settings->key);
	}
}

/* Which account it will be is not known, where it depends on a message. */
static bool
entry_starts_program(const struct config_entry *entry)
{
	static const char *const keys[] = { "password-command", "token-command",
		"password-keyring" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(entry->key, keys[i]) == 0)
			return true;
	}
	return (strcmp(entry->key, "cert") == 0 ||
		   strcmp(entry->key, "key") == 0) &&
	    is_on_a_token(entry->value.data);
}

static bool
file_starts_program(const struct config *config)
{
	size_t i;

	if (config == NULL)
		return false;
	for (i = 0; i < config->count; i++) {
		if (entry_starts_program(&config->entries[i]))
			return true;
	}
	return false;
}

int
confine_memory(struct stls_err *err)
{
	int r = narrow_memory();

	if (r < 0)
		return stls_err_errno(err, EX_OSERR, -r,
		    "the memory of the process cannot be protected");
	return 0;
}

int
confine(struct stls_err *err)
{
	static bool is_done;
	int r;

	if (is_done)
		return 0;
	r = narrow_calls(NARROW_CLIENT);
	is_done = r == 0;
	if (r < 0)
		return stls_err_errno(err, EX_OSERR, -r,
		    "the process cannot give up system calls");
	return 0;
}

int
confine_unless_programs(struct stls_err *err, const struct settings *settings)
{
	if (starts_program(settings) || file_starts_program(settings->config))
		return 0;
	return confine(err);
}
