/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_DELIVER_DELIVER_H
#define SENDMAIL_DELIVER_DELIVER_H

#include "base/err.h"
#include "client/delivery.h"
#include "message/mail.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * Give a mail to the server and, where that cannot take it now and there is a
 * spool, to the spool. The answer is delivery->status: 0 only when the server
 * has accepted it for every recipient, or it is durably stored. *err is for
 * nobody to print: what is to be said is in *delivery.
 */
int deliver(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct mail *mail,
    struct delivery *delivery);

/* Everything that deliver() does before it connects. */
int deliver_check(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct mail *mail);

#endif
