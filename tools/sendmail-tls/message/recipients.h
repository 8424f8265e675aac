/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_RECIPIENTS_H
#define SENDMAIL_MESSAGE_RECIPIENTS_H

#include "base/err.h"
#include "mail/address.h"
#include "settings/settings.h"

/*
 * The domain with which to read recipients: that of the settings, NULL where
 * there is none; or one that marks bare names, where there are aliases to look
 * them up in. recipients_resolve() takes the marks away again.
 */
const char *recipients_domain(const struct settings *settings);

/*
 * The same as long as the sender is not known: where he may choose an account,
 * whose aliases and domain count, bare names are marked in any case.
 */
const char *recipients_domain_of_any_sender(const struct settings *settings);

/*
 * Replace the bare names by what the aliases say, and give the others their
 * domain. EX_DATAERR: there is no domain, or what an alias says is no address;
 * EX_CONFIG: the aliases cannot be read, or what they say cannot be done;
 * EX_OSERR.
 */
int recipients_resolve(struct stls_err *err, const struct settings *settings,
    struct stls_address_list *list);

#endif
