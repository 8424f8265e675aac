/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CLIENT_CONNECTION_H
#define SENDMAIL_CLIENT_CONNECTION_H

#include <smtptls/client.h>

#include "base/err.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * Make a client that has all the settings, and get the credentials; nothing is
 * connected yet. Says on stderr which protections the user turned off.
 *
 * EX_USAGE: a value that is not valid; EX_CONFIG: no server is set, a file
 * cannot be loaded, or there is no password; EX_TEMPFAIL: the deadline passed.
 * *out_client is NULL after a failure.
 */
int connection_prepare(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct smtptls_client **out_client);

/*
 * The two halves of it, for who makes several connections: the first one has
 * the files and the warnings, the second one the URL and the credentials.
 */
int connection_make_context(struct stls_err *err,
    const struct settings *settings, struct smtptls_context **out_context);
int connection_make_client(struct stls_err *err,
    const struct settings *settings, const struct identity *identity,
    struct smtptls_context *context, struct smtptls_client **out_client);

#endif
