/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_MESSAGE_H
#define SENDMAIL_SETTINGS_MESSAGE_H

#include "config/options.h"

/*
 * The options by which a message asks for something of the server, as
 * option_apply: they fill the mail_options of the settings. EX_USAGE.
 */
int settings_set_notify(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_return(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_envid(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_hold_until(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_priority(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_deliver_by(
    struct stls_err *err, void *target, const struct option_use *use);

#endif
