/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_TABLE_H
#define SENDMAIL_SETTINGS_TABLE_H

#include "config/options.h"

/* Every option there is; the target is a struct settings. */
extern const struct option_table settings_options;

#endif
