/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_DISPLAY_NAME_H
#define STLS_MAIL_DISPLAY_NAME_H

#include "base/buf.h"
#include "base/err.h"

/* Octets; nobody's name is longer. */
#define STLS_DISPLAY_NAME_LEN_MAX 256

/*
 * Append `Name <mailbox>` (RFC 5322 section 3.4), folded where it would be
 * long, as what stands behind `From: ` or `Resent-From: `; without a name the
 * mailbox alone. The name is UTF-8: written as it is where it is made of
 * atoms or is a quoted string already, else quoted, or as encoded words (RFC
 * 2047) where it is not ASCII.
 *
 * SMTPTLS_E_INVALID with a sentence: control characters, invalid UTF-8, too
 * long a name.
 */
int stls_display_name_append(struct stls_err *err, struct stls_buf *buf,
    const char *name, const char *mailbox);

#endif
