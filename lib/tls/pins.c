/* SPDX-License-Identifier: MIT */
#include "tls/pins.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

int
stls_pins_add(struct stls_pins *pins, struct stls_err *err, const char *text)
{
	unsigned char pin[STLS_PIN_LEN], (*grown)[STLS_PIN_LEN];
	int r;

	r = stls_pin_parse(err, text, pin);
	if (r < 0)
		return r;
	grown = stls_realloc(pins->pin, (pins->count + 1) * sizeof(grown[0]));
	if (grown == NULL)
		return stls_err_nomem(err);
	pins->pin = grown;
	memcpy(pins->pin[pins->count++], pin, sizeof(pin));
	return SMTPTLS_OK;
}

bool
stls_pins_has(
    const struct stls_pins *pins, const unsigned char pin[STLS_PIN_LEN])
{
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (memcmp(pins->pin[i], pin, STLS_PIN_LEN) == 0)
			return true;
	}
	return false;
}

void
stls_pins_done(struct stls_pins *pins)
{
	free(pins->pin);
	pins->pin = NULL;
	pins->count = 0;
}

bool
stls_pin_of_cert(gnutls_x509_crt_t cert, unsigned char out_pin[STLS_PIN_LEN])
{
	unsigned char pin[STLS_PIN_LEN];
	size_t len = sizeof(pin);

	if (gnutls_x509_crt_get_key_id(
		cert, GNUTLS_KEYID_USE_SHA256, pin, &len) < 0 ||
	    len != sizeof(pin))
		return false;
	memcpy(out_pin, pin, sizeof(pin));
	return true;
}
