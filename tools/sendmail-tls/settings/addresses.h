/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_ADDRESSES_H
#define SENDMAIL_SETTINGS_ADDRESSES_H

#include "base/err.h"
#include "mail/address.h"

/*
 * Read what was written on the command line for addresses: `alice`,
 * `a@example.org`, `<a@example.org>`, `Name <a@example.org>`, or several of
 * them with commas, and append them to the list. Bare names get the domain,
 * NULL where none is set. `what` is "recipient" or "sender".
 *
 * EX_DATAERR: no address, or a bare name and no domain; EX_OSERR.
 */
int addresses_parse(struct stls_err *err, const char *what, const char *text,
    const char *domain, struct stls_address_list *list);

/*
 * Explain a failure that may come from a bare name: the status for an error of
 * the library's parsers, with a sentence that names the setting where
 * `missing_domain` is true.
 */
int addresses_fail(struct stls_err *err, bool missing_domain);

/* A domain to try again with, to learn whether only that was missing. */
#define ADDRESSES_ANY_DOMAIN "domain.invalid"

#endif
