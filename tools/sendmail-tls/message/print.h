/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_PRINT_H
#define SENDMAIL_MESSAGE_PRINT_H

#include <stdio.h>

#include "base/err.h"
#include "message/mail.h"

/*
 * --dry-run: print the envelope and the content, with line ends as on this
 * system. EX_SOFTWARE: it cannot be written; EX_TEMPFAIL: the content is gone.
 */
int mail_print(struct stls_err *err, struct mail *mail, FILE *file);

#endif
