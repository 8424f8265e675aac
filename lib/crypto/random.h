/* SPDX-License-Identifier: MIT */
#ifndef STLS_CRYPTO_RANDOM_H
#define STLS_CRYPTO_RANDOM_H

#include <stddef.h>

#include "base/err.h"

/* Fill with random bytes fit for public nonces and identifiers. */
int stls_random(struct stls_err *err, void *out, size_t len);

#endif
