/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_SERVE_H
#define STLS_TEST_SERVE_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

#include "tls/context.h"

/*
 * Whether a server with the context's certificate shakes hands with a client
 * that takes any. What the client got: how many certificates, and the first of
 * them, to be given to gnutls_free(); both may be NULL.
 */
bool serve_once(const struct smtptls_context *context, unsigned int *out_count,
    gnutls_datum_t *out_first);

#endif
