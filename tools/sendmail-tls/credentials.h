/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CREDENTIALS_H
#define SENDMAIL_CREDENTIALS_H

#include "base/err.h"
#include "base/secret.h"
#include "identity.h"
#include "settings.h"

/*
 * Get the password of settings->user: from the file, the command or, unless
 * this is a dry run, the terminal.
 *
 * EX_CONFIG: there is none, or the file can be read by others; EX_TEMPFAIL:
 * it took too long. *out_password stays unset in a dry run that would ask.
 */
int credentials_get(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct stls_secret *out_password);

#endif
