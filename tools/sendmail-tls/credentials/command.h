/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CREDENTIALS_COMMAND_H
#define SENDMAIL_CREDENTIALS_COMMAND_H

#include "base/deadline.h"
#include "base/err.h"
#include "base/secret.h"
#include "system/identity.h"

/*
 * Run a command by /bin/sh -c, with /dev/null as standard input, our standard
 * error, and an environment of PATH, HOME, USER, LOGNAME and SHELL alone, and
 * take the first line that it prints, of at most len_max octets. What it prints
 * behind that is dropped.
 *
 * EX_CONFIG: it failed, or printed nothing; EX_TEMPFAIL: the deadline passed,
 * and it was killed; EX_OSERR. `what` names it in a sentence.
 */
int command_first_line(struct stls_err *err, const char *what,
    const char *command, const struct identity *identity, size_t len_max,
    stls_deadline deadline, struct stls_secret *out_line);

#endif
