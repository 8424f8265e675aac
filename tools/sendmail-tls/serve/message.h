/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SERVE_MESSAGE_H
#define SENDMAIL_SERVE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "message/draft.h"
#include "message/mail.h"
#include "serve/server.h"
#include "settings/settings.h"
#include "system/identity.h"

/*
 * One message of a conversation at a time: it is drafted as it comes, then
 * delivered, then answered. Zeroed but for its first three members there is
 * none.
 */
struct smtp_message {
	const struct settings *settings;
	const struct identity *identity;
	bool hand_over; /* to the submit helper, if the account needs it */

	struct settings account; /* of the sender's, where that is another */
	struct settings own; /* one of the two, with its sender and deadline */
	struct mail mail;
	struct draft draft;
	struct stls_err err; /* what went wrong so far */
};

/* The sender is known. Failures show at the end. */
void smtp_message_begin(
    struct smtp_message *message, const struct smtp_server *server);
void smtp_message_add(
    struct smtp_message *message, const char *text, size_t len);

/* The message is complete: deliver and answer it. */
void smtp_message_end(struct smtp_message *message, struct smtp_server *server);

void smtp_message_done(struct smtp_message *message);

#endif
