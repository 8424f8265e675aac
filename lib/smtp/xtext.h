/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_XTEXT_H
#define STLS_SMTP_XTEXT_H

#include <stddef.h>

/*
 * Write a text as xtext (RFC 3461 section 4): `+20` for a blank, and so for
 * "+" and "=". Returns its length; -1 where it does not fit with its NUL, or
 * where a character is not printable ASCII.
 */
int stls_xtext_encode(char *out, size_t cap, const char *text);

/*
 * Read it again: the length, or -1 where it is none, does not fit with its
 * NUL, or hides what is not printable ASCII.
 */
int stls_xtext_decode(char *out, size_t cap, const char *xtext);

/*
 * Write a text in UTF-8 as utf-8-addr-xtext (RFC 6533 section 3): `\x{E4}`
 * for what is not ASCII, and for a blank, "+", "=" and "\". -1 as above, and
 * for control characters and what is no UTF-8.
 */
int stls_xtext_encode_utf8(char *out, size_t cap, const char *text);

#endif
