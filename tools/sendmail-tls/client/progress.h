/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CLIENT_PROGRESS_H
#define SENDMAIL_CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <smtptls/message.h>

#include "base/deadline.h"
#include "settings/settings.h"

/*
 * How far a large message is, for who sits in front of it: one line on
 * standard error that is drawn again and again and is gone at the end. It is
 * drawn as the content leaves, by nobody else, so it stands still where
 * nothing does.
 */
struct progress {
	bool is_on;
	uint64_t total;
	int64_t began_ms;
	stls_deadline next; /* not drawn again before */
	int width;	    /* of what stands there */
};

/*
 * Begin, where standard error is a terminal on which this program is in front,
 * the message is large, and the conversation is not shown there.
 */
void progress_begin(struct progress *progress, const struct settings *settings,
    struct smtptls_message *message, uint64_t total);

/* Have it gone. */
void progress_end(struct progress *progress);

/*
 * The line that says how far it is: "sendmail-tls: 42 %, 4.2 of 10.0 MiB, 1.1
 * MiB/s". Returns its length.
 */
int progress_format(
    char *out, size_t cap, uint64_t sent, uint64_t total, int64_t elapsed_ms);

#endif
