/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_SUITE_H
#define STLS_TLS_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include "base/err.h"

/* A cipher suite. Its name is a constant string of GnuTLS. */
struct stls_suite {
	const char *name;
	gnutls_kx_algorithm_t kx; /* UNKNOWN in TLS 1.3 */
	gnutls_cipher_algorithm_t cipher;
	gnutls_mac_algorithm_t mac;
	gnutls_protocol_t version; /* the lowest that has it */
};

/* More than GnuTLS can put into a priority. */
#define STLS_SUITES_MAX 256

struct stls_suites {
	struct stls_suite suite[STLS_SUITES_MAX];
	size_t count;
};

/* List the suites that a session with these priorities can come to use. */
void stls_suites_list(struct stls_suites *out, gnutls_priority_t priority);

bool stls_suites_has(const struct stls_suites *suites, const char *name);

/*
 * Keep those suites that a list of words leaves, as said for
 * smtptls_context_set_ciphers(). SMTPTLS_E_INVALID with a sentence and the
 * suites unchanged: a word that names none of them, or none is left.
 */
int stls_suites_select(struct stls_suites *suites, struct stls_err *err,
    const char *words, size_t len);

#endif
