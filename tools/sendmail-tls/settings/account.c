/* SPDX-License-Identifier: MIT */
#include "settings/account.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "mail/address.h"

#define BLANKS ", \t"
#define NULL_SENDER "<>"

static bool
has_account(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->account_count; i++) {
		if (strcmp(config->accounts[i].name, name) == 0)
			return true;
	}
	return false;
}

static const struct config_entry *
last_entry(const struct config *config, const char *key)
{
	const struct config_entry *found = NULL;
	size_t i;

	for (i = 0; i < config->count; i++) {
		if (strcmp(config->entries[i].key, key) == 0)
			found = &config->entries[i];
	}
	return found;
}

static int
no_account(struct stls_err *err, const struct config *config, const char *name)
{
	if (config->file_count == 0)
		return stls_err_set(err, EX_CONFIG,
		    "there is no account %s, since there is no configuration "
		    "file",
		    name);
	return stls_err_set(err, EX_CONFIG, "there is no account %s in %s%s%s",
	    name, config->files[0], config->file_count > 1 ? " and " : "",
	    config->file_count > 1 ? config->files[1] : "");
}

/*
 * How well one of the patterns fits: 2 is the very address, 1 its domain, 0
 * not at all. A name without a domain is one that the user left bare.
 */
static int
fit(const char *patterns, size_t len, const char *sender)
{
	const char *at = strrchr(sender, '@'), *pattern_at;
	size_t sender_len = strlen(sender);

	if (len > 2 && patterns[0] == '*' && patterns[1] == '@')
		return at != NULL && strlen(at + 1) == len - 2 &&
			strncasecmp(at + 1, patterns + 2, len - 2) == 0
		    ? 1
		    : 0;
	if (len != sender_len)
		return 0;
	pattern_at = at != NULL ? patterns + (at - sender) : patterns + len;
	return memcmp(patterns, sender, (size_t)(pattern_at - patterns)) == 0 &&
		strncasecmp(pattern_at, sender + (pattern_at - patterns),
		    len - (size_t)(pattern_at - patterns)) == 0
	    ? 2
	    : 0;
}

static int
best_fit(const char *patterns, const char *sender)
{
	int best = 0, now;
	size_t len;

	for (;;) {
		patterns += strspn(patterns, BLANKS);
		len = strcspn(patterns, BLANKS);
		if (len == 0)
			return best;
		now = fit(patterns, len, sender);
		if (now > best)
			best = now;
		patterns += len;
	}
}

/* The address alone, as it would be sent: `Name <A@Example.ORG>` is one too. */
static int
normalise(
    struct stls_err *err, const char *sender, struct stls_address *out_address)
{
	CLEANUP(stls_address_list_done) struct stls_address_list list = { 0 };
	struct stls_err ignored = { 0 };
	int r;

	r = stls_address_parse(
	    &ignored, sender, strlen(sender), true, out_address);
	if (r < 0 && r != SMTPTLS_E_NOMEM) {
		r = stls_address_list_parse_field(
		    &ignored, sender, strlen(sender), NULL, &list);
		if (r == 0 && list.count == 1) {
			*out_address = list.items[0];
			memset(&list.items[0], 0, sizeof(list.items[0]));
		}
	}
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return 0;
}

static int
by_sender(struct stls_err *err, const struct config *config, const char *sender,
    const char **out_account)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	const struct config_entry *entry, *found = NULL;
	int best = 0, now, r;
	size_t i;

	if (sender[0] != '\0' && strcmp(sender, NULL_SENDER) != 0) {
		r = normalise(err, sender, &address);
		if (r != 0 || address.mailbox == NULL)
			return r;
		sender = address.mailbox;
	} else {
		sender = NULL_SENDER;
	}
	for (i = 0; i < config->count; i++) {
		entry = &config->entries[i];
		if (strcmp(entry->key, "senders") != 0)
			continue;
		now = best_fit(entry->value.data, sender);
		if (now == 0 || now < best)
			continue;
		if (now == best && strcmp(found->account, entry->account) != 0)
			return stls_err_set(err, EX_CONFIG,
			    "%s:%u: sender %s chooses account %s, and in "
			    "%s:%u account %s",
			    entry->file, entry->line, sender, entry->account,
			    found->file, found->line, found->account);
		best = now;
		found = entry;
	}
	if (found != NULL)
		*out_account = found->account;
	return 0;
}

int
settings_choose_account(struct stls_err *err, const struct config *config,
    const struct settings_choice *choice, const char **out_account)
{
	const struct config_entry *entry;
	int r;

	*out_account = "";
	/* Of a message that was stored without one the name is empty. */
	if (choice->account != NULL && choice->account[0] == '\0')
		return 0;
	if (choice->account != NULL) {
		if (!has_account(config, choice->account))
			return no_account(err, config, choice->account);
		*out_account = choice->account;
		return 0;
	}
	if (choice->sender != NULL) {
		r = by_sender(err, config, choice->sender, out_account);
		if (r != 0 || (*out_account)[0] != '\0')
			return r;
	}
	entry = last_entry(config, "account");
	if (entry == NULL)
		return 0;
	if (!has_account(config, entry->value.data)) {
		no_account(err, config, entry->value.data);
		return stls_err_prefix(err, "%s:%u", entry->file, entry->line);
	}
	*out_account = entry->value.data;
	return 0;
}
