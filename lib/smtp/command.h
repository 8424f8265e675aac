/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_COMMAND_H
#define STLS_SMTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "smtp/demands.h"

/*
 * RFC 5321 section 4.5.3.1.4: 512 octets with CRLF, more where an extension
 * says so; with SIZE (26), 8BITMIME (17), SMTPUTF8 (10), all of struct
 * stls_demands and a path of 256 octets a MAIL command stays below it, and RCPT
 * too.
 */
#define STLS_COMMAND_LINE_MAX 1024
/* RFC 4954 section 4: lines of an authentication exchange. */
#define STLS_AUTH_LINE_MAX 12288
/* RFC 4954 section 4: an initial response must fit a command line of 512. */
#define STLS_AUTH_COMMAND_MAX 512

/* Parameters of MAIL, each typed: never "the rest of the line". */
struct stls_mail_params {
	bool has_size;
	uint64_t size;			    /* RFC 1870 */
	bool body_8bit;			    /* RFC 6152 */
	bool smtputf8;			    /* RFC 6531 */
	const struct stls_demands *demands; /* NULL: none */
};

/*
 * Everything below appends one line to out, written by one function that
 * refuses C0, DEL, C1, U+2028, U+2029 and invalid UTF-8 in whatever it is
 * given, and non-ASCII without utf8: SMTPTLS_E_INVALID, nothing is appended.
 * Others: SMTPTLS_E_NOMEM, SMTPTLS_E_LIMIT.
 */
int stls_command_write(
    struct stls_err *err, struct stls_buf *out, const char *verb);
int stls_command_ehlo(struct stls_err *err, struct stls_buf *out,
    const char *verb, const char *name);
int stls_command_mail(struct stls_err *err, struct stls_buf *out,
    const char *mailbox, const struct stls_mail_params *params);
int stls_command_rcpt(
    struct stls_err *err, struct stls_buf *out, const char *mailbox, bool utf8);
/* The same with what is asked for the recipient of this index. */
int stls_command_rcpt_with(struct stls_err *err, struct stls_buf *out,
    const char *mailbox, bool utf8, const struct stls_demands *demands,
    size_t index);
int stls_command_bdat(
    struct stls_err *err, struct stls_buf *out, uint64_t size, bool is_last);

/*
 * AUTH with its initial response, "=" where that is empty (RFC 4954 section
 * 4). Where it would be too long for a command line SMTPTLS_E_LIMIT: then it
 * goes without, and the response is given when the server asks.
 */
int stls_command_auth(struct stls_err *err, struct stls_buf *out,
    const char *mechanism, const struct stls_secret *initial);

/* A line of the exchange: base64 of the response, empty for an empty one. */
int stls_command_auth_response(struct stls_err *err, struct stls_buf *out,
    const struct stls_secret *response);

#endif
