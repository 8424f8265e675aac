/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_SETTLE_H
#define SENDMAIL_SPOOL_SETTLE_H

#include "base/err.h"
#include "client/delivery.h"
#include "settings/settings.h"
#include "spool/send.h"
#include "system/identity.h"

/*
 * After an attempt, or in place of one that comes too late: write what became
 * of the recipients, when to try again, tell the sender where it is over, and
 * remove what is done.
 *
 * *out_bounce_id is the report that was put into the spool, or "".
 */
int spool_settle(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct spool_item *item,
    const struct delivery *delivery, char out_bounce_id[SPOOL_ID_LEN + 1]);

/* Whether a message has been tried for longer than is allowed. */
bool spool_item_is_too_old(
    const struct settings *settings, const struct spool_message *message);

#endif
