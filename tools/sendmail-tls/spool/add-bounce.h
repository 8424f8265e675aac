/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_ADD_BOUNCE_H
#define SENDMAIL_SPOOL_ADD_BOUNCE_H

#include "base/err.h"
#include "settings/settings.h"
#include "spool/bounce.h"
#include "spool/send.h"
#include "system/identity.h"

/* What is returned whole, where nobody asked for it. */
#define SPOOL_BOUNCE_RETURN_MAX ((uint64_t)1 << 20)

/*
 * What every server takes (RFC 5321 section 4.5.3.1.7), less a place for what
 * is around it.
 */
#define SPOOL_BOUNCE_MODEST_MAX ((uint64_t)60000)

/* What is looked at for a header, and what it may have of Received. */
#define SPOOL_HEADER_MAX 262144
#define SPOOL_HOPS_MAX 50

/*
 * Put a report to the sender about the recipients that are refused into the
 * spool, as a message of its own; it is durable when its id is there.
 */
int spool_bounce(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, const struct spool_item *item,
    char out_id[SPOOL_ID_LEN + 1]);

/* Whether a message has come around so often that it is in a loop. */
int spool_is_in_loop(
    struct stls_err *err, const struct spool_file *file, bool *out_is);

#endif
