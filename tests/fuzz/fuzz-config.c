/* SPDX-License-Identifier: MIT */
/* Configuration files: a system's and a user's, and which account is taken. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "settings/apply.h"
#include "settings/settings.h"
#include "settings/table.h"

static void
check_entries(const struct config *config)
{
	const struct config_entry *entry;
	size_t i, j;

	for (i = 0; i < config->count; i++) {
		entry = &config->entries[i];
		FUZZ_CHECK(
		    options_find_key(&settings_options, entry->key) != NULL);
		FUZZ_CHECK(entry->line > 0 && entry->value.len > 0);
		FUZZ_CHECK(entry->value.data[entry->value.len] == '\0');
		for (j = 0; j < entry->value.len; j++)
			FUZZ_CHECK((unsigned char)entry->value.data[j] >= ' ' ||
			    entry->value.data[j] == '\t');
	}
}

/* A value that no word of the file says cannot be in force. */
static void
check_secret(const struct config *config, const struct settings *settings)
{
	size_t i;
	bool is_there = false;

	if (settings->password.source != PASSWORD_GIVEN)
		return;
	for (i = 0; i < config->count; i++)
		is_there |= strcmp(config->entries[i].key, "password") == 0 &&
		    strcmp(config->entries[i].value.data,
			settings->password.value) == 0;
	FUZZ_CHECK(is_there);
}

/* What the user says of his server has nothing of that of the system. */
static void
check_apply(struct config *config, const char *account, bool url_is_given)
{
	const struct settings_choice choice = {
		.account = account[0] != '\0' ? account : NULL,
		.sender = "alice@example.org",
		.url_is_given = url_is_given,
	};
	struct settings settings = { .config = config };
	const struct settings empty = settings;
	struct stls_err err = { 0 };
	const char *chosen = NULL;

	if (settings_check(&err, config, &empty) != 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	if (settings_apply(&err, config, &choice, &settings, &chosen) != 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	FUZZ_CHECK(chosen != NULL);
	check_secret(config, &settings);
	if (url_is_given)
		FUZZ_CHECK(settings.url == NULL && settings.user == NULL &&
		    settings.password.source == PASSWORD_PROMPT &&
		    !settings.insecure_no_verify);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	char *account = fuzz_take_line(&input, NULL);
	const char *text = (const char *)input.data, *mark;
	struct config config = {
		.vocabulary = &settings_options,
		.home = "/home/alice",
	};
	struct stls_err err = { 0 };
	size_t system_len = input.len;
	bool has_secret;
	int r;

	/* A line of its own parts the file of the system from the user's. */
	mark = memmem(text, input.len, "\n%%\n", 4);
	if (mark != NULL)
		system_len = (size_t)(mark - text);
	r = config_parse(&err, &config,
	    mark != NULL ? CONFIG_SYSTEM : CONFIG_ONLY, "/etc/a.conf", text,
	    system_len, &has_secret);
	if (r == 0 && mark != NULL)
		r = config_parse(&err, &config, CONFIG_USER, "/home/b.conf",
		    mark + 4, input.len - system_len - 4, &has_secret);
	if (r == 0) {
		check_entries(&config);
		check_apply(&config, account, fuzz_flag(flags, 0));
	} else {
		FUZZ_CHECK(fuzz_is_sentence(err.text) && err.code == r);
	}
	config_done(&config);
	free(account);
	return 0;
}
