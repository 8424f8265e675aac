/* SPDX-License-Identifier: MIT */
#include "message/recipients.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "message/aliases.h"
#include "settings/addresses.h"

/* No domain of mail: nothing below .invalid is one (RFC 6761). */
#define BARE_DOMAIN "bare-name.invalid"

/* Aliases of aliases of aliases. */
#define DEPTH_MAX 20

/* The path from a name to the alias that is looked at. */
struct step {
	const struct step *before;
	const struct alias *alias;
	size_t depth;
};

struct resolver {
	struct stls_err *err;
	const struct settings *settings;
	struct aliases aliases;
	bool is_loaded;
	struct stls_address_list found;
};

static int resolve_name(
    struct resolver *resolver, const char *name, const struct step *before);

/*
 * A file that was set is there, or an error when it is needed; and so is one
 * that cannot be looked at: who has an alias must not be taken for himself.
 */
static bool
has_aliases(const struct settings *settings)
{
	if (settings->no_aliases || settings->aliases == NULL)
		return false;
	return settings->aliases_are_configured ||
	    access(settings->aliases, F_OK) == 0 ||
	    (errno != ENOENT && errno != ENOTDIR);
}

const char *
recipients_domain(const struct settings *settings)
{
	return has_aliases(settings) ? BARE_DOMAIN : settings->domain;
}

const char *
recipients_domain_of_any_sender(const struct settings *settings)
{
	return settings_sender_may_choose(settings)
	    ? BARE_DOMAIN
	    : recipients_domain(settings);
}

static int
library_failed(struct resolver *resolver)
{
	return addresses_fail(resolver->err, false);
}

/* It stays as it is, and gets the domain. */
static int
add_name(struct resolver *resolver, const char *name)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	const char *file = resolver->settings->aliases;
	struct stls_err *err = resolver->err;
	int r;

	if (resolver->settings->domain == NULL)
		return stls_err_set(err, EX_DATAERR,
		    "recipient: %s has no domain%s%s: set one with domain = "
		    "example.org in the configuration, or with --domain",
		    name, file != NULL ? " and no alias in " : "",
		    file != NULL ? file : "");
	r = stls_address_make(err, name, strlen(name), NULL, 0, &address);
	if (r == 0)
		r = stls_address_qualify(
		    err, &address, resolver->settings->domain);
	if (r == 0)
		r = stls_address_list_add(err, &resolver->found, &address);
	return r < 0 ? library_failed(resolver) : 0;
}

static int
add_address(
    struct resolver *resolver, const struct alias *alias, const char *value)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	struct stls_err *err = resolver->err;
	int r;

	r = stls_address_parse(err, value, strlen(value), false, &address);
	if (r == 0)
		r = stls_address_list_add(err, &resolver->found, &address);
	if (r == 0)
		return 0;
	if (r == SMTPTLS_E_NOMEM)
		return library_failed(resolver);
	err->code = EX_CONFIG;
	return stls_err_prefix(
	    err, "%s:%u", resolver->aliases.file, alias->line);
}

static int
refuse(struct resolver *resolver, const struct alias *alias, const char *value,
    const char *reason)
{
	return stls_err_set(resolver->err, EX_CONFIG, "%s:%u: alias %s: %s: %s",
	    resolver->aliases.file, alias->line, alias->name, value, reason);
}

static int
resolve_value(
    struct resolver *resolver, const char *value, const struct step *here)
{
	switch (value[0]) {
	case '|':
		return refuse(resolver, here->alias, value,
		    "mail is not given to programs");
	case '/':
		return refuse(resolver, here->alias, value,
		    "mail is not written to files");
	case ':':
		return refuse(resolver, here->alias, value,
		    "lists in other files, and what else begins with a colon, "
		    "are not read");
	case '\\':
		return add_name(resolver, value + 1);
	}
	if (strrchr(value, '@') != NULL)
		return add_address(resolver, here->alias, value);
	return resolve_name(resolver, value, here);
}

/*
 * An alias that names itself means the name, as with sendmail(8); one that
 * comes back to itself by others means nothing.
 */
static int
check_path(struct resolver *resolver, const struct alias *alias,
    const struct step *before, bool *out_is_itself)
{
	const struct step *step;

	*out_is_itself = before != NULL && before->alias == alias;
	for (step = before; step != NULL && !*out_is_itself;
	     step = step->before) {
		if (step->alias == alias)
			return refuse(resolver, before->alias, alias->name,
			    "the alias leads back to itself");
	}
	if (before != NULL && before->depth >= DEPTH_MAX)
		return refuse(resolver, alias, before->alias->name,
		    "there are too many aliases of aliases");
	return 0;
}

static int
resolve_name(
    struct resolver *resolver, const char *name, const struct step *before)
{
	struct step here = { .before = before };
	char value[STLS_PATH_LEN_MAX + 3];
	bool is_itself;
	const char *rest;
	int r, n;

	r = aliases_find(resolver->err, &resolver->aliases, name, &here.alias);
	if (r != 0)
		return r;
	if (here.alias == NULL)
		return add_name(resolver, name);
	r = check_path(resolver, here.alias, before, &is_itself);
	if (r != 0)
		return r;
	if (is_itself)
		return add_name(resolver, name);
	here.depth = before != NULL ? before->depth + 1 : 1;
	rest = here.alias->values;
	while ((n = aliases_next_value(&rest, value, sizeof(value))) > 0) {
		r = resolve_value(resolver, value, &here);
		if (r != 0)
			return r;
	}
	if (n < 0)
		return refuse(resolver, here.alias, rest,
		    "an address is too long, or a quote has no end");
	if (rest == here.alias->values)
		return refuse(resolver, here.alias, "nobody",
		    "a mail to it would be lost");
	return 0;
}

static int
resolve(struct resolver *resolver, struct stls_address *address)
{
	int r;

	if (strcmp(address->domain, BARE_DOMAIN) != 0) {
		r = stls_address_list_add(
		    resolver->err, &resolver->found, address);
		return r < 0 ? library_failed(resolver) : 0;
	}
	/* In a conversation another account may have marked it. */
	if (!has_aliases(resolver->settings))
		return add_name(resolver, address->local);
	if (!resolver->is_loaded) {
		r = aliases_load(resolver->err, resolver->settings->aliases,
		    &resolver->aliases);
		if (r != 0)
			return r;
		resolver->is_loaded = true;
	}
	return resolve_name(resolver, address->local, NULL);
}

static bool
has_marks(const struct stls_address_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].domain, BARE_DOMAIN) == 0)
			return true;
	}
	return false;
}

int
recipients_resolve(struct stls_err *err, const struct settings *settings,
    struct stls_address_list *list)
{
	struct resolver resolver = { .err = err, .settings = settings };
	struct stls_address_list before;
	size_t i;
	int r = 0;

	if (!has_aliases(settings) && !has_marks(list))
		return 0;
	for (i = 0; i < list->count && r == 0; i++)
		r = resolve(&resolver, &list->items[i]);
	aliases_done(&resolver.aliases);
	before = *list;
	*list = resolver.found;
	stls_address_list_done(&before);
	return r;
}
