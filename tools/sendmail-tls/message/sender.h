/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_SENDER_H
#define SENDMAIL_MESSAGE_SENDER_H

#include "base/err.h"
#include "settings/sender-from.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * Three settings that have nothing to do with each other: who sends
 * (`envelope-from`), who is named in the header (`from`), and what a bare name
 * gets (`domain`).
 */

/* What the name of the user gets for a domain; "" where there is none. */
const char *sender_default_domain(
    const struct settings *settings, const struct identity *identity);

/*
 * Choose the envelope sender: what -f says, or else the setting, or else the
 * user at the domain. With force_envelope_from the setting counts more than
 * -f, but the null sender stays what it is: an automatic reply with an address
 * would be replied to. EX_DATAERR: it is no address; EX_OSERR.
 */
int sender_choose(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, char **out_sender);

/*
 * Choose the From for where it is missing, or replaced: that of the settings,
 * or else the sender, or where that is null the user.
 */
int sender_choose_from(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const char *sender,
    struct sender_from *out_from);

#endif
