/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_HEADER_H
#define STLS_MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One field of a header (RFC 5322 section 2.2), as views into the text: the
 * whole with its continuation lines and last line end, its name without the
 * colon (and without blanks before it, which section 4.5 still allows), and
 * its value from behind the colon, folded as it stands, without the last line
 * end. Line ends are LF or CRLF; a CR anywhere else is part of the value, and
 * so is a NUL. A line of blanks alone continues a field (section 4.2).
 */
struct stls_header_field {
	const char *whole;
	size_t whole_len;
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/*
 * Take the next field at *offset and move behind it. False at the end of the
 * header, with *offset unchanged: an empty line, the end of the text, or a line
 * that is no field.
 */
bool stls_header_next(const char *text, size_t len, size_t *offset,
    struct stls_header_field *out_field);

/* Whether the field has this name, in any case. */
bool stls_header_field_is(
    const struct stls_header_field *field, const char *name);

#endif
