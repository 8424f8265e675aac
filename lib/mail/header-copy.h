/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_HEADER_COPY_H
#define STLS_MAIL_HEADER_COPY_H

#include "base/buf.h"
#include "mail/header.h"

/*
 * Append a line that has no end, with CRLF, and each CR in it as a blank:
 * SMTPTLS_OK, SMTPTLS_E_LIMIT or SMTPTLS_E_NOMEM.
 */
int stls_header_append_line(
    struct stls_buf *header, const char *line, size_t len);

/*
 * Append a field, line by line in the same way. With a domain it is one of
 * addresses, and its bare names get the domain, unless it cannot be parsed. A
 * failure may leave a part of it.
 */
int stls_header_copy_field(struct stls_buf *header,
    const struct stls_header_field *field, const char *domain);

#endif
