/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_SEND_H
#define SENDMAIL_SPOOL_SEND_H

#include "base/err.h"
#include "client/delivery.h"
#include "message/mail.h"
#include "spool/dir.h"
#include "spool/file.h"
#include "spool/link.h"

/* A message of the spool that this run has the lock of. */
struct spool_item {
	struct spool_file file;
	struct spool_message message;
	struct mail_options options;
	struct mail mail; /* what goes to those of this attempt */
	bool has_doubt;	  /* noted in the file by this run */
	bool *is_tried;	  /* for each recipient: it belongs to this attempt */
};

/* Whom it is sent to, besides those that wait. */
struct spool_wish {
	bool in_doubt;
	bool refused; /* and not told yet */
};

bool spool_item_is_wanted(
    const struct spool_recipient *recipient, const struct spool_wish *wish);

/*
 * Send it to those who want it, and put into item->message what became of
 * them; nothing but that the outcome is in doubt is in the file yet. Zero, also
 * where nobody got it: *delivery tells. EX_DATAERR, EX_OSERR: it cannot be
 * made a message.
 */
int spool_send(struct stls_err *err, struct spool_links *links,
    struct spool_item *item, const struct spool_wish *wish,
    struct delivery *delivery);

#endif
