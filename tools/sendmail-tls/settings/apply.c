/* SPDX-License-Identifier: MIT */
#include "settings/apply.h"

#include <string.h>
#include <sysexits.h>

#include "settings/account.h"
#include "settings/table.h"

static int
apply_entry(struct stls_err *err, const struct config_entry *entry,
    struct settings *settings)
{
	const struct option_spec *spec = options_find_key(
	    &settings_options, entry->key);
	int r;

	/* Each account of each file is a source of its own. */
	settings->layer = (int)entry->source * 2 + 1 +
	    (entry->account[0] != '\0');
	r = options_apply_key(err, spec, entry->value.data, settings);
	if (r == 0 || r == EX_OSERR)
		return r;
	err->code = EX_CONFIG;
	return stls_err_prefix(err, "%s:%u", entry->file, entry->line);
}

int
settings_check(struct stls_err *err, const struct config *config,
    const struct settings *empty)
{
	const struct config_entry *entry, *previous = NULL;
	struct settings scratch = *empty;
	size_t i;
	int r;

	for (i = 0; i < config->count; i++) {
		entry = &config->entries[i];
		if (previous != NULL &&
		    strcmp(previous->account, entry->account) != 0)
			scratch = *empty;
		r = apply_entry(err, entry, &scratch);
		if (r != 0)
			return r;
		previous = entry;
	}
	return 0;
}

/* Entries in the order in which they are applied. */
struct walk {
	const struct config *config;
	const char *account;
	size_t next;
	bool in_account;
};

static const struct config_entry *
walk_next(struct walk *walk)
{
	const struct config_entry *entry;

	for (;;) {
		while (walk->next < walk->config->count) {
			entry = &walk->config->entries[walk->next++];
			if (strcmp(entry->account,
				walk->in_account ? walk->account : "") == 0)
				return entry;
		}
		if (walk->in_account || walk->account[0] == '\0')
			return NULL;
		walk->in_account = true;
		walk->next = 0;
	}
}

/* The one that says which server it is; NULL: no file does. */
static const struct config_entry *
find_url(const struct config *config, const char *account)
{
	struct walk walk = { .config = config, .account = account };
	const struct config_entry *entry, *found = NULL;

	while ((entry = walk_next(&walk)) != NULL) {
		if (strcmp(entry->key, "url") == 0)
			found = entry;
	}
	return found;
}

static bool
is_about_server(const struct config_entry *entry)
{
	return (options_find_key(&settings_options, entry->key)->kinds &
		   OPTION_ABOUT_SERVER) != 0;
}

/*
 * Where one file names the server, the other one means another: all of the
 * file of the system that is about a server, its accounts too, or what that of
 * the user says for all accounts. No password goes where it was not meant to.
 */
static bool
is_about_other_server(const struct config_entry *entry,
    const struct config_entry *url, bool is_before_url)
{
	return url != NULL && entry->source != url->source &&
	    (is_before_url || entry->source < url->source);
}

int
settings_apply(struct stls_err *err, const struct config *config,
    const struct settings_choice *choice, struct settings *settings,
    const char **out_account)
{
	struct walk walk = { .config = config };
	const struct config_entry *entry, *url;
	bool is_before_url = true;
	int r;

	r = settings_choose_account(err, config, choice, out_account);
	if (r != 0)
		return r;
	walk.account = *out_account;
	url = find_url(config, *out_account);
	while ((entry = walk_next(&walk)) != NULL) {
		if (entry == url)
			is_before_url = false;
		if (is_about_server(entry) &&
		    (choice->url_is_given ||
			is_about_other_server(entry, url, is_before_url)))
			continue;
		r = apply_entry(err, entry, settings);
		if (r != 0)
			return r;
	}
	return 0;
}
