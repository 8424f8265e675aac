/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_ID_H
#define SENDMAIL_SPOOL_ID_H

#include <stdbool.h>

#include "spool/dir.h"

/* What is in front of the id while a message is being written. */
#define SPOOL_TEMPORARY ".new-"

/* Make an id that is nobody else's and cannot be guessed. EX_OSERR. */
int spool_id_make(struct stls_err *err, char out_id[SPOOL_ID_LEN + 1]);

bool spool_id_is_temporary(const char *name);

#endif
