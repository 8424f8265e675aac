/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_REPORT_H
#define SENDMAIL_REPORT_H

#include <smtptls/client.h>
#include <smtptls/message.h>

#include "settings.h"

/*
 * The exit status for how a conversation ended.
 *
 * @param message  NULL where there was none, as in a probe
 */
int report_status(int r, const struct smtptls_client *client,
    const struct smtptls_message *message);

/*
 * Say on stderr in one line what failed: server, step, reason and reply; where
 * some recipients were accepted and some not, a line for each of them follows.
 */
void report_failure(int r, const struct settings *settings,
    const struct smtptls_client *client, const struct smtptls_message *message);

#endif
