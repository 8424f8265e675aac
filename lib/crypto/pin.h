/* SPDX-License-Identifier: MIT */
#ifndef STLS_CRYPTO_PIN_H
#define STLS_CRYPTO_PIN_H

#include "base/base64.h"
#include "base/err.h"

/*
 * A pin: the SHA-256 of a SubjectPublicKeyInfo (RFC 7469 section 2.4), written
 * as curl has it in --pinnedpubkey.
 */
#define STLS_PIN_LEN 32
#define STLS_PIN_PREFIX "sha256//"
#define STLS_PIN_TEXT_LEN                                                      \
	(sizeof(STLS_PIN_PREFIX) - 1 + STLS_BASE64_LEN(STLS_PIN_LEN))

/*
 * Read a pin. SMTPTLS_E_INVALID: it is NULL, or not exactly that, with padding,
 * in one way of writing it, and nothing around it.
 */
int stls_pin_parse(struct stls_err *err, const char *text,
    unsigned char out_pin[STLS_PIN_LEN]);

/* Write a pin. */
void stls_pin_format(
    char out[STLS_PIN_TEXT_LEN + 1], const unsigned char pin[STLS_PIN_LEN]);

#endif
