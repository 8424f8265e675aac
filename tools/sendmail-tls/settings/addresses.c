/* SPDX-License-Identifier: MIT */
#include "settings/addresses.h"

#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"

static int
parse_one(struct stls_err *err, const char *text, const char *domain,
    struct stls_address_list *list)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	int r;

	r = stls_address_parse(err, text, strlen(text), true, &address);
	if (r == 0 && address.domain[0] == '\0') {
		if (domain == NULL)
			return stls_err_set(
			    err, SMTPTLS_E_INVALID, "%s has no domain", text);
		r = stls_address_qualify(err, &address, domain);
	}
	return r < 0 ? r : stls_address_list_add(err, list, &address);
}

/* As an envelope address first: there a quoted local part may be anything. */
static int
parse_any(struct stls_err *err, const char *text, const char *domain,
    struct stls_address_list *list)
{
	struct stls_err second = { 0 };
	size_t before = list->count;
	int r;

	r = parse_one(err, text, domain, list);
	if (r == 0 || r == SMTPTLS_E_NOMEM)
		return r;
	r = stls_address_list_parse_field(
	    &second, text, strlen(text), domain, list);
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_nomem(err);
	if (r < 0 || list->count == before)
		return err->code;
	stls_err_clear(err);
	return 0;
}

static bool
needs_only_a_domain(const char *text)
{
	CLEANUP(stls_address_list_done) struct stls_address_list list = { 0 };
	struct stls_err ignored = { 0 };

	return parse_any(&ignored, text, ADDRESSES_ANY_DOMAIN, &list) == 0;
}

int
addresses_fail(struct stls_err *err, bool missing_domain)
{
	if (err->code == SMTPTLS_E_NOMEM)
		return stls_err_set(err, EX_OSERR, "out of memory");
	err->code = EX_DATAERR;
	if (missing_domain)
		return stls_err_set(err, EX_DATAERR,
		    "%s: set one with --domain, for example --domain "
		    "example.org",
		    err->text);
	return EX_DATAERR;
}

int
addresses_parse(struct stls_err *err, const char *what, const char *text,
    const char *domain, struct stls_address_list *list)
{
	CLEANUP(stls_address_list_done) struct stls_address_list found = { 0 };
	size_t i;
	int r;

	/* A header may fold; what is given alone has no reason to. */
	if (strpbrk(text, "\r\n") != NULL)
		return stls_err_set(err, EX_DATAERR,
		    "%s: there is a line break in \"%s\"", what, text);
	r = parse_any(err, text, domain, &found);
	for (i = 0; i < found.count && r == 0; i++)
		r = stls_address_list_add(err, list, &found.items[i]);
	if (r == 0)
		return 0;
	if (r != SMTPTLS_E_NOMEM)
		stls_err_prefix(err, "%s", what);
	return addresses_fail(err, domain == NULL && needs_only_a_domain(text));
}
