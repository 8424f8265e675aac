/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_SUBMISSION_H
#define STLS_MAIL_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"

/* How a text handed to a sendmail command becomes a message (RFC 6409). */
struct stls_submission {
	bool extract_recipients; /* -t */
	bool add_missing;	 /* From, Date, Message-ID; off with -G */
	const char *from;	 /* mailbox for a From that is missing */
	const char *full_name;	 /* display name for it, may be NULL */
	const char *domain;	 /* for bare names, may be NULL */
	const char *host;	 /* right side of a Message-ID */
	time_t now;
};

/*
 * Prepare a text: drop an mbox `From ` line and Return-Path in front, put the
 * empty line where a text has no header or follows the header at once, remove
 * every Bcc and Resent-Bcc with their continuation lines, add what is missing.
 *
 * The new header with its empty line is appended to *header; the body is
 * text[*out_body_offset..], untouched. With extract_recipients those of To,
 * Cc and Bcc (or of the newest Resent- block, where there is one) are added to
 * *recipients. Line ends of the header come out as CRLF.
 *
 * SMTPTLS_E_INVALID with a sentence that names the field: an address that
 * cannot be parsed, a bare name without a domain, a NUL in the header.
 */
int stls_submission_prepare(struct stls_err *err,
    const struct stls_submission *submission, const char *text, size_t len,
    struct stls_buf *header, size_t *out_body_offset,
    struct stls_address_list *recipients);

#endif
