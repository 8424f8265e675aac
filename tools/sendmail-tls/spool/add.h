/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_ADD_H
#define SENDMAIL_SPOOL_ADD_H

#include "base/err.h"
#include "client/delivery.h"
#include "client/transfer.h"
#include "message/mail.h"
#include "settings/settings.h"

/*
 * Store a mail that the server did not take, or not for everybody, and put its
 * id into delivery->spool_id once that is durable. What the server said, and
 * what became of each recipient, is stored with it.
 *
 * EX_CANTCREAT: it cannot be written; EX_TEMPFAIL: it would be lost there,
 * since a file names this spool and nothing ever ran it; EX_DATAERR; EX_OSERR.
 */
int spool_add(struct stls_err *err, const struct settings *settings,
    struct mail *mail, const struct transfer *transfer,
    struct delivery *delivery);

#endif
