/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_MODE_H
#define SENDMAIL_SETTINGS_MODE_H

#include "config/options.h"

/* The options that say what to do; each is an option_apply. */
int settings_set_mode(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_this_mode(
    struct stls_err *err, void *target, const struct option_use *use);
int settings_set_configure(
    struct stls_err *err, void *target, const struct option_use *use);

#endif
