/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_DRAFT_H
#define SENDMAIL_MESSAGE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/header-end.h"
#include "mail/submission.h"
#include "message/mail.h"
#include "message/sender.h"

/* Larger than any header that a server takes. */
#define DRAFT_HEADER_MAX ((size_t)1 << 20)

/* With what it gets: line ends, fields, and domains for bare names. */
#define DRAFT_PREPARED_MAX (4 * DRAFT_HEADER_MAX)

/*
 * A text on its way to being a mail, in the pieces in which it comes: the
 * header is held until it is complete and then prepared, the body goes into
 * the content of the mail as it is.
 */
struct draft {
	struct mail *mail;
	struct stls_submission submission;
	struct sender_from
	    from; /* freed with the draft, where the submission needs it */
	const char *folder; /* for a file, see content_append() */
	bool drop_content;  /* only the recipients are wanted */

	struct stls_buf header; /* as it came, until it is complete */
	struct stls_header_end end;
	bool in_body;
	uint64_t line_ends; /* of the text so far */
};

/*
 * Begin. What `submission` points to is borrowed until the end. The recipients
 * it asks for are added to those of the mail.
 */
void draft_init(struct draft *draft, struct mail *mail,
    const struct stls_submission *submission, const char *folder);

/*
 * Take in more of the text. EX_DATAERR: the header is not fit to be sent or
 * too long, or there is a NUL; or what content_append() says. After an error
 * there is only draft_done().
 */
int draft_add(
    struct stls_err *err, struct draft *draft, const char *text, size_t len);

/* The text is complete. EX_DATAERR, and as draft_add(). */
int draft_end(struct stls_err *err, struct draft *draft);

/* Free; copes with a zeroed struct. The mail stays. */
void draft_done(struct draft *draft);

#endif
