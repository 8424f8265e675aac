/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_BOUNCE_H
#define SENDMAIL_SPOOL_BOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "settings/mail-options.h"
#include "spool/file.h"

/* How the words begin where it is the lifetime that has ended it. */
#define BOUNCE_TIME_IS_OVER "the time is over"

/* What a report gives back of the message it is about. */
enum bounce_return {
	BOUNCE_RETURNS_ALL,
	BOUNCE_RETURNS_HEADER,
	BOUNCE_RETURNS_NOTHING
};

/*
 * A report that a message could not be delivered (RFC 3464, in the form of RFC
 * 6522) to those of its recipients that are refused.
 */
struct bounce {
	const struct spool_message *message;
	const struct mail_options *options;
	const char *host; /* who reports; also the domain of its From */
	enum bounce_return returns;
	bool is_8bit; /* what is returned; where it is not, nothing else is */
	time_t now;
};

/*
 * Whether one is due: never for the null sender (RFC 5321 section 4.5.5), and
 * not where the sender asked for none.
 */
bool bounce_is_wanted(
    const struct spool_message *message, const struct mail_options *options);

/*
 * Whether somebody is refused by no server, but because of what one lacks:
 * then the report must not need that as well.
 */
bool bounce_is_modest(const struct spool_message *message);

/*
 * Append what comes before the returned message to *head, and what comes
 * behind it to *tail. EX_OSERR.
 */
int bounce_format(struct stls_err *err, const struct bounce *bounce,
    struct stls_buf *head, struct stls_buf *tail);

#endif
