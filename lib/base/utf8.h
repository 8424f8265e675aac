/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_UTF8_H
#define STLS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode one character of UTF-8 (RFC 3629: no overlong form, no surrogate,
 * nothing above U+10FFFF). Returns its length in bytes, 0 where there is no
 * valid character.
 */
size_t stls_utf8_decode(const char *text, size_t len, uint32_t *out_char);

bool stls_utf8_is_valid(const char *text, size_t len);
bool stls_ascii_only(const char *text, size_t len);

/* How many octets at the start are printable ASCII, which is nearly all. */
size_t stls_ascii_printable(const char *text, size_t len);

/*
 * Whether a character could break out of a line:
 * C0, DEL, C1, and the line and paragraph separators U+2028 and U+2029.
 */
bool stls_utf8_is_control(uint32_t c);

/* Whether such a one is in it, or what is no UTF-8. */
bool stls_utf8_has_control(const char *text, size_t len);

#endif
