/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CLIENT_TRANSFER_H
#define SENDMAIL_CLIENT_TRANSFER_H

#include <stdbool.h>
#include <time.h>

#include <smtptls/client.h>
#include <smtptls/message.h>

#include "base/err.h"
#include "client/delivery.h"
#include "message/mail.h"
#include "settings/settings.h"

/*
 * A mail on its way through the library: used once by who sends at once, and
 * for each message by a run of the spool.
 */
struct transfer {
	struct smtptls_message *message;
	int result; /* of the library */
	int status; /* of sysexits.h */
};

/*
 * Make the message, which borrows the content of the mail. EX_DATAERR: it
 * cannot be sent as it is; EX_OSERR.
 */
int transfer_begin(
    struct stls_err *err, struct mail *mail, struct transfer *transfer);

/*
 * Send it, and say goodbye behind it if it is the last one. What there is to
 * be said goes into *delivery; the status is there and in the transfer.
 */
void transfer_run(struct transfer *transfer, const struct settings *settings,
    struct smtptls_client *client, bool is_last, struct delivery *delivery);

/* Whether a failure is about who the server is, or who we are. */
bool transfer_needs_attention(int status);

void transfer_done(struct transfer *transfer);

#endif
