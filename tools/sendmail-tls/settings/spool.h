/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_SPOOL_H
#define SENDMAIL_SETTINGS_SPOOL_H

#include "config/options.h"
#include "settings/settings.h"

/* Five days, as RFC 5321 section 4.5.4.1 has it. */
#define SPOOL_LIFETIME_S (5L * 86400)

/* What the options of the spool do; each is an option_apply. */
int settings_set_spool_lifetime(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_spool_in_doubt(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_queue_run(
    struct stls_err *err, void *target, const struct option_use *use);

/* EX_USAGE: -qI or -qR without what they look for. */
int settings_check_queue(struct stls_err *err, const struct settings *settings);

/* What -qI and -qR look for, attached or the argument behind them. */
const char *settings_queue_key(const struct settings *settings);

#endif
