/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SYSTEM_TEMPORARY_H
#define SENDMAIL_SYSTEM_TEMPORARY_H

#include "base/err.h"

/*
 * A file without a name, that nobody else has and that is gone with its
 * descriptor: in `folder` if there is one, else, or where that cannot be, in
 * /var/tmp or /tmp. Below 0 with EX_CANTCREAT in err.
 */
int temporary_open(struct stls_err *err, const char *folder);

#endif
