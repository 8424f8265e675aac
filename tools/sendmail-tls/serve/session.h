/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SERVE_SESSION_H
#define SENDMAIL_SERVE_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * -bs: speak SMTP as a server on standard input and output. Each message is
 * delivered while its client waits, or with `hand_over` given to the submit
 * helper where its account needs it, and answered with what became of it; that
 * is on standard error as well.
 *
 * Zero where the client said QUIT or went between two messages. EX_DATAERR:
 * it went in the middle of one, or was sent away; EX_TEMPFAIL: it said nothing
 * for too long; EX_NOINPUT, EX_SOFTWARE, EX_OSERR.
 */
int smtp_session_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool hand_over, bool stdin_was_closed);

#endif
