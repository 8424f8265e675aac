/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_ACCOUNT_H
#define SENDMAIL_SETTINGS_ACCOUNT_H

#include "settings/apply.h"

/*
 * Choose an account: the one that is asked for by name; the one whose
 * `senders` names the sender, an address before a domain; the one that the key
 * `account` names; none, which is "".
 *
 * EX_CONFIG: there is no such account, or two fit equally well; EX_OSERR.
 */
int settings_choose_account(struct stls_err *err, const struct config *config,
    const struct settings_choice *choice, const char **out_account);

#endif
