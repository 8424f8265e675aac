/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CREDENTIALS_NETRC_H
#define SENDMAIL_CREDENTIALS_NETRC_H

#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

/*
 * Find the password for a host in a file of netrc(5), and the user where none
 * is given: the first `machine` of that name, or `default` behind them, that
 * has the login `user`, or any where it is NULL. Macros are passed over.
 *
 * EX_CONFIG, with the line where it is one: there is none, or the file is
 * malformed; EX_OSERR.
 */
int netrc_find(struct stls_err *err, const char *file, const char *text,
    size_t len, const char *host, const char *user,
    struct stls_secret *out_user, struct stls_secret *out_password);

#endif
