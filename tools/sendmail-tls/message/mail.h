/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_MAIL_H
#define SENDMAIL_MESSAGE_MAIL_H

#include "base/err.h"
#include "mail/address.h"
#include "message/content.h"
#include "settings/mail-options.h"
#include "settings/settings.h"
#include "system/identity.h"

/* What is going to be sent, and to whom. */
struct mail {
	char *sender; /* local@domain, "" for the null sender */
	struct stls_address_list recipients;
	struct mail_options options;
	struct content content; /* the new header and the body */
};

/*
 * Read the recipients of the command line, and with -t those of the header,
 * which is read from standard input; no sender, no content.
 */
int mail_get_recipients(struct stls_err *err, const struct settings *settings,
    bool stdin_was_closed, struct mail *mail);

/*
 * Read and prepare the whole: sender, recipients and content. EX_USAGE: no
 * recipient; EX_NOINPUT; EX_DATAERR: an address or the header is not fit to be
 * sent; EX_TEMPFAIL: the deadline; EX_OSERR.
 */
int mail_prepare(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed, struct mail *mail);

/*
 * The same in parts, for a text that comes from elsewhere: begin the draft of a
 * mail that has a sender, then draft_add() and draft_end(), then draft_done(),
 * also after a failure. EX_OSERR.
 */
struct draft;
int mail_begin(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool extract_recipients, struct mail *mail,
    struct draft *draft);

/* Copes with a zeroed struct. */
void mail_done(struct mail *mail);

#endif
