/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_PINS_H
#define STLS_TLS_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "crypto/pin.h"

/* Keys of which a server must have one. None: any key will do. */
struct stls_pins {
	unsigned char (*pin)[STLS_PIN_LEN];
	size_t count;
};

/* SMTPTLS_E_INVALID: it is no pin; SMTPTLS_E_NOMEM. */
int stls_pins_add(
    struct stls_pins *pins, struct stls_err *err, const char *text);

bool stls_pins_has(
    const struct stls_pins *pins, const unsigned char pin[STLS_PIN_LEN]);

/* Copes with a zeroed struct. */
void stls_pins_done(struct stls_pins *pins);

/* The pin of the key of a certificate. False: it cannot be told. */
bool stls_pin_of_cert(
    gnutls_x509_crt_t cert, unsigned char out_pin[STLS_PIN_LEN]);

#endif
