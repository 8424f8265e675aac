/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CLIENT_REPORT_H
#define SENDMAIL_CLIENT_REPORT_H

#include <stddef.h>

#include <smtptls/client.h>
#include <smtptls/message.h>

#include "settings/settings.h"

/*
 * The exit status for how a conversation ended.
 *
 * @param message  NULL where there was none, as in a probe
 */
int report_status(int r, const struct smtptls_client *client,
    const struct smtptls_message *message);

/* A reply of the server in one line: code, enhanced code and some text. */
#define REPORT_REPLY_LEN_MAX 511

/* The reply about one recipient, "" where there was none. */
void report_recipient_reply(
    const struct smtptls_message *message, size_t i, char *out, size_t cap);

/* The one that matters most: the last one that was no acceptance. */
void report_reply(const struct smtptls_message *message, char *out, size_t cap);

/* What failed, in one line: server, step, reason and reply. */
void report_text(const struct settings *settings,
    const struct smtptls_client *client, const struct smtptls_message *message,
    char *out, size_t cap);

/*
 * Where some recipients were accepted and some not, a line for each of them,
 * to be freed; else NULL.
 */
char *report_outcomes(int r, const struct smtptls_message *message);
char *report_all_outcomes(const struct smtptls_message *message);

/* Say on stderr that the connection failed. */
void report_failure(
    const struct settings *settings, const struct smtptls_client *client);

#endif
