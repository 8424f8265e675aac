/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_PRINT_H
#define SENDMAIL_SPOOL_PRINT_H

#include <stdio.h>

#include "base/err.h"
#include "settings/settings.h"

/*
 * -bp: print what is in the spool, first what waits for a person: a refused
 * certificate or login, and files that are broken. EX_CANTCREAT: the spool
 * cannot be read; EX_SOFTWARE: the output cannot be written.
 */
int spool_print(
    struct stls_err *err, const struct settings *settings, FILE *out);

#endif
