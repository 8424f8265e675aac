/* SPDX-License-Identifier: MIT */
#ifndef STLS_SASL_OAUTH_STATUS_H
#define STLS_SASL_OAUTH_STATUS_H

#include <stddef.h>

/* Place for a status, and its NUL. */
#define STLS_OAUTH_STATUS_CAP 128

/*
 * The "status" of the error that a server gives as a challenge (RFC 7628
 * section 3.2.2, JSON; XOAUTH2 has the same), else the whole challenge: as it
 * is written there, not escaped, cut where it is longer. Empty for a challenge
 * that is.
 */
void stls_oauth_status(
    const char *challenge, size_t len, char out[STLS_OAUTH_STATUS_CAP]);

#endif
