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
	bool extract_recipients;   /* -t */
	bool add_missing;	   /* From, Date, Message-ID; off with -G */
	const char *from;	   /* mailbox for a From that is missing */
	bool replace_from;	   /* also where there is one; off with -G */
	bool keep_original_from;   /* then as X-Original-From */
	const char *full_name;	   /* display name for it, may be NULL */
	const char *domain;	   /* for bare recipients, may be NULL */
	const char *header_domain; /* for bare names that stay in the header */
	const char *host;	   /* right side of a Message-ID */
	time_t now;
};

/*
 * Prepare a text: drop an mbox `From ` line and Return-Path in front, put the
 * empty line where a text has no header or follows the header at once, remove
 * every Bcc and Resent-Bcc with their continuation lines, add what is missing
 * behind the other fields. A `From ` line is one of mbox if it has a time of
 * day or a field follows; else the text begins with that word.
 *
 * The newest Resent- block is the run of Resent- fields nearest to the top, up
 * to a field that is none or that is in it already (RFC 5322 section 3.6.6).
 * Resent-From, Resent-Date and Resent-Message-ID that it lacks are added right
 * behind it; From, Date and Message-ID that the message lacks are added all
 * the same, since none goes without (section 3.6).
 *
 * A From that is replaced goes to where missing fields go; the others, and
 * Resent-From, stay.
 *
 * With add_missing and a header_domain the bare names of From, Sender,
 * Reply-To, To and Cc, and of their Resent- forms in each block, get it: it is
 * inserted behind the local part, and no other octet of the field changes. A
 * field that cannot be parsed stays as it is, and so does X-Original-From.
 *
 * The new header with its empty line is appended to *header; the body is
 * text[*out_body_offset..], untouched. With extract_recipients those of To,
 * Cc and Bcc (or of the newest Resent- block, where there is one) are added to
 * *recipients. In the header line ends come out as CRLF and a CR that ends no
 * line as a blank: whoever takes it for a line end later would see another
 * field there. All other octets are as they were.
 *
 * SMTPTLS_E_INVALID with a sentence that names the field: an address that
 * cannot be parsed, a bare name without a domain, a NUL in the header.
 * SMTPTLS_E_LIMIT: the header does not fit in *header, or there are too many
 * recipients. After a failure *header is as it was; recipients may be more.
 */
int stls_submission_prepare(struct stls_err *err,
    const struct stls_submission *submission, const char *text, size_t len,
    struct stls_buf *header, size_t *out_body_offset,
    struct stls_address_list *recipients);

#endif
