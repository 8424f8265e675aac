/* SPDX-License-Identifier: MIT */
#include "crypto/pin.h"

#include <string.h>

#define PREFIX_LEN (sizeof(STLS_PIN_PREFIX) - 1)

int
stls_pin_parse(
    struct stls_err *err, const char *text, unsigned char out_pin[STLS_PIN_LEN])
{
	/* Without padding the text could mean one octet more. */
	unsigned char pin[STLS_PIN_LEN + 1];
	size_t len = 0;

	if (text != NULL && strlen(text) == STLS_PIN_TEXT_LEN &&
	    strncmp(text, STLS_PIN_PREFIX, PREFIX_LEN) == 0 &&
	    stls_base64_decode(pin, text + PREFIX_LEN,
		STLS_PIN_TEXT_LEN - PREFIX_LEN, &len) >= 0 &&
	    len == STLS_PIN_LEN) {
		memcpy(out_pin, pin, STLS_PIN_LEN);
		return SMTPTLS_OK;
	}
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "a pin is " STLS_PIN_PREFIX " and the %zu characters of base64 of "
	    "a SHA-256, not \"%s\"",
	    STLS_PIN_TEXT_LEN - PREFIX_LEN, text != NULL ? text : "");
}

void
stls_pin_format(
    char out[STLS_PIN_TEXT_LEN + 1], const unsigned char pin[STLS_PIN_LEN])
{
	memcpy(out, STLS_PIN_PREFIX, PREFIX_LEN);
	stls_base64_encode(out + PREFIX_LEN, pin, STLS_PIN_LEN);
}
