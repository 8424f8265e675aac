/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SETTINGS_OPTIONS_H
#define SENDMAIL_SETTINGS_OPTIONS_H

#include "options.h"

/* Every option there is; the target is a struct settings. */
extern const struct option_table settings_options;

#endif
