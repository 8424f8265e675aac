/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_DELIVER_SEND_H
#define SENDMAIL_DELIVER_SEND_H

#include <stdbool.h>

#include "base/err.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * Send the message on standard input, or with --dry-run print what would be
 * sent. A status of sysexits.h; where *err has no sentence, the failure was
 * told already.
 */
int send_mail(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed);

#endif
