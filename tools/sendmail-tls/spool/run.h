/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_RUN_H
#define SENDMAIL_SPOOL_RUN_H

#include "base/err.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * -q: try to send what is in the spool, or what settings->queue_kind selects,
 * once. Any number of these may run at the same time.
 *
 * Zero: it was done, whatever became of the messages; EX_CANTCREAT: the spool
 * cannot be used, or a message in it; EX_NOINPUT: there is no such message;
 * what needs attention: 76, 77, 78; and with -qI and -qR the status of what was
 * not delivered. Where *err has no sentence it was told already.
 */
int spool_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity);

#endif
