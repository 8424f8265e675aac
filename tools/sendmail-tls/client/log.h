/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CLIENT_LOG_H
#define SENDMAIL_CLIENT_LOG_H

#include <stddef.h>

#include "client/delivery.h"
#include "message/mail.h"
#include "settings/settings.h"

/* A line of the log is not longer; recipients that do not fit are counted. */
#define LOG_LINE_LEN_MAX 4000

/*
 * Note how a delivery ended, where the settings say so: one line in the file,
 * or to syslog. Where that cannot be done it is told on standard error and
 * changes nothing else: the mail is neither lost nor sent twice for it.
 */
void log_delivery(const struct settings *settings, const struct mail *mail,
    const struct delivery *delivery);

/*
 * The line, without time and name: `id="-" from="..." to="..." ...`. What is
 * foreign in it is escaped, so that it is one line and each value ends where
 * it says.
 */
void log_format(char *out, size_t cap, const struct mail *mail,
    const struct delivery *delivery);

#endif
