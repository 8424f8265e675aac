/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_MBOX_H
#define STLS_MAIL_MBOX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a text begins as the line does that mbox files have in front of a
 * message: `From ` or `>From `, and no field of that name, which could have
 * blanks before its colon (RFC 5322 section 4.5).
 */
bool stls_mbox_starts_line(const char *text, size_t len);

/* Whether a line has a time of day in it, as those lines have. */
bool stls_mbox_has_time(const char *line, size_t len);

#endif
