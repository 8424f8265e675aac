/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_BASE64_H
#define STLS_BASE_BASE64_H

#include <stddef.h>

/* Characters that `len` bytes become, without the NUL (RFC 4648 section 4). */
#define STLS_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* `out` has place for STLS_BASE64_LEN(len) + 1; returns the length written. */
size_t stls_base64_encode(char *out, const void *data, size_t len);

/*
 * Decode strictly: no blank, no line end, padding required, no bits left over
 * (RFC 4648 section 3.5). `out` has place for len / 4 * 3 bytes and may be
 * `text` itself. SMTPTLS_E_INVALID: not base64; *out_len is unchanged, what is
 * in `out` means nothing.
 */
int stls_base64_decode(
    void *out, const char *text, size_t len, size_t *out_len);

#endif
