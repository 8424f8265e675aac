/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_PRIORITY_H
#define STLS_TLS_PRIORITY_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include <smtptls/context.h>

#include "base/err.h"

/* What a context wants to offer; the zero is the default. */
struct stls_priority_policy {
	enum smtptls_tls_version minimum; /* SMTPTLS_TLS_NONE: TLS 1.2 */
	enum smtptls_tls_version maximum; /* SMTPTLS_TLS_NONE: TLS 1.3 */
	enum smtptls_tls_version legacy;  /* lowest that was allowed, or NONE */
	/* What set_ciphers was given, its calls parted by blanks, or NULL. */
	char *ciphers;
};

/*
 * Make the priorities of a policy: the system's default with removals only,
 * then checked entry by entry against the allow table. SMTPTLS_E_INVALID with
 * a sentence that names what is not allowed, or that nothing is left.
 *
 * What a priority cannot say, and the session must look at itself: the size
 * of the prime in TLS 1.2 DHE (the system's default takes 1024 bits), and the
 * `%` options of the system's default, which no call of GnuTLS lists.
 */
int stls_priority_init(struct stls_err *err,
    const struct stls_priority_policy *policy, gnutls_priority_t *out_priority);

/* The suite at an index; false behind the last one. */
bool stls_priority_get_cipher(gnutls_priority_t priority, size_t index,
    struct smtptls_cipher *out_cipher);

/* Our number for a version and GnuTLS's; NONE and UNKNOWN for others. */
enum smtptls_tls_version stls_priority_version(gnutls_protocol_t protocol);
gnutls_protocol_t stls_priority_protocol(enum smtptls_tls_version version);

#endif
