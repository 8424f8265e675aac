/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CLIENT_CONFINE_H
#define SENDMAIL_CLIENT_CONFINE_H

#include "base/err.h"
#include "settings/settings.h"

/*
 * Keep what is in memory from others of the same user and out of core dumps.
 * EX_OSERR.
 */
int confine_memory(struct stls_err *err);

/*
 * Have the process give up what it does not need, see common/narrow.h, unless
 * a setting, of whatever account, may start a program yet: that would inherit
 * it, and may be one that needs more. EX_OSERR.
 */
int confine_unless_programs(
    struct stls_err *err, const struct settings *settings);

/* No program is started from here on. EX_OSERR. */
int confine(struct stls_err *err);

#endif
