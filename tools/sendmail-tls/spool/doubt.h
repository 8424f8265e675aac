/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_DOUBT_H
#define SENDMAIL_SPOOL_DOUBT_H

#include <smtptls/message.h>

#include "base/err.h"
#include "spool/send.h"

/*
 * What the file says while a message is on its way: who may have it, before
 * the last octet leaves, and who has it, as soon as that is known.
 */
struct spool_doubt {
	struct spool_item *item;
	const struct smtptls_message *message;
	struct stls_err err; /* why nothing may leave */
};

/* Write it as the message is sent, which this has to outlive. */
void spool_doubt_watch(
    struct spool_doubt *doubt, struct smtptls_message *message);

#endif
