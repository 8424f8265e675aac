/* SPDX-License-Identifier: MIT */
#include "message/sender.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "settings/addresses.h"

static int
out_of_memory(struct stls_err *err)
{
	return stls_err_set(err, EX_OSERR, "out of memory");
}

const char *
sender_default_domain(
    const struct settings *settings, const struct identity *identity)
{
	return settings->domain != NULL ? settings->domain : identity->host;
}

/* user@domain: what is used where nobody said who is sending. */
static int
default_sender(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, char **out_sender)
{
	const char *domain = sender_default_domain(settings, identity);
	struct stls_address address = { 0 };
	int r;

	if (identity->user[0] == '\0')
		return stls_err_set(err, EX_DATAERR,
		    "user %ld has no name: set the sender with -f",
		    (long)identity->uid);
	if (domain[0] == '\0')
		return stls_err_set(err, EX_DATAERR,
		    "sender %s has no domain, and the host name has none: set "
		    "one with domain = example.org in the configuration, or "
		    "with --domain, or the sender with -f",
		    identity->user);
	r = stls_address_parse(
	    err, identity->user, strlen(identity->user), true, &address);
	if (r == 0)
		r = stls_address_qualify(err, &address, domain);
	if (r < 0) {
		stls_address_done(&address);
		stls_err_prefix(err, "sender");
		return addresses_fail(err, false);
	}
	*out_sender = TAKE(address.mailbox);
	stls_address_done(&address);
	return 0;
}

static bool
is_null(const char *text)
{
	return text[0] == '\0' || strcmp(text, "<>") == 0;
}

static int
given_sender(struct stls_err *err, const char *text, const char *domain,
    char **out_sender)
{
	CLEANUP(stls_address_list_done) struct stls_address_list list = { 0 };
	int r;

	if (is_null(text)) {
		*out_sender = stls_strdup("");
		return *out_sender != NULL ? 0 : out_of_memory(err);
	}
	r = addresses_parse(err, "sender", text, domain, &list);
	if (r != 0)
		return r;
	if (list.count != 1)
		return stls_err_set(err, EX_DATAERR,
		    "sender: %s is more than one address", text);
	*out_sender = TAKE(list.items[0].mailbox);
	return 0;
}

int
sender_choose(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, char **out_sender)
{
	const char *text = settings->sender;

	if (settings->envelope_from != NULL &&
	    (text == NULL || (settings->force_envelope_from && !is_null(text))))
		text = settings->envelope_from;
	if (text == NULL)
		return default_sender(err, settings, identity, out_sender);
	return given_sender(err, text, settings->domain, out_sender);
}

static int
from_of_settings(struct stls_err *err, const struct settings *settings,
    struct sender_from *out_from)
{
	int r;

	r = sender_from_parse(err, settings->from, settings->domain, out_from);
	if (r == 0 && settings->domain == NULL &&
	    strrchr(out_from->address, '@') == NULL)
		return stls_err_set(err, EX_DATAERR,
		    "from: %s has no domain: set one with domain",
		    out_from->address);
	return r;
}

static int
from_of_sender(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const char *sender,
    struct sender_from *out_from)
{
	struct stls_err ignored = { 0 };

	if (sender[0] != '\0') {
		out_from->address = stls_strdup(sender);
		return out_from->address != NULL ? 0 : out_of_memory(err);
	}
	if (default_sender(&ignored, settings, identity, &out_from->address) ==
	    EX_OSERR)
		return out_of_memory(err);
	return 0;
}

/* A full name is that of the user, not of whoever -f names. */
static const char *
choose_name(const struct settings *settings, const struct identity *identity,
    const struct sender_from *from)
{
	if (settings->full_name != NULL)
		return settings->full_name;
	if (from->name != NULL)
		return from->name;
	return settings->sender == NULL ? identity->full_name : NULL;
}

int
sender_choose_from(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const char *sender,
    struct sender_from *out_from)
{
	const char *name;
	char *copy = NULL;
	int r;

	r = settings->from != NULL
	    ? from_of_settings(err, settings, out_from)
	    : from_of_sender(err, settings, identity, sender, out_from);
	if (r != 0)
		return r;
	name = choose_name(settings, identity, out_from);
	if (name != NULL) {
		copy = stls_strdup(name);
		if (copy == NULL)
			return out_of_memory(err);
	}
	free(out_from->name);
	out_from->name = copy;
	return 0;
}
