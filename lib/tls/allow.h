/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_ALLOW_H
#define STLS_TLS_ALLOW_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

/* The lists of a priority. */
enum stls_allow_kind {
	STLS_ALLOW_VERSION,
	STLS_ALLOW_CIPHER,
	STLS_ALLOW_KX,
	STLS_ALLOW_MAC,
	STLS_ALLOW_SIGN,
	STLS_ALLOW_GROUP,
	STLS_ALLOW_CLIENT_CERT,
	STLS_ALLOW_SERVER_CERT,
	STLS_ALLOW_KINDS
};

/* One of them: how to read it, and what may be in it. */
struct stls_allow {
	const char *what;
	const char *prefix;	   /* of its words in a priority string */
	const char *const *always; /* names, NULL behind the last */
	const char *const *legacy; /* besides, for TLS 1.0 and 1.1; or NULL */
	int (*list)(gnutls_priority_t, const unsigned int **);
	const char *(*name)(unsigned int); /* as a priority string has it */
};

extern const struct stls_allow stls_allow[STLS_ALLOW_KINDS];

/* Whether an entry may be offered; what has no name may not. */
bool stls_allow_has(
    const struct stls_allow *allow, unsigned int id, bool legacy);

#endif
