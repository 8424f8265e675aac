/* SPDX-License-Identifier: MIT */
#include "tls/refusal.h"

#include <stddef.h>

#include <gnutls/x509.h>

/* What tells most comes first; the last one is said where none fits. */
static const struct {
	unsigned int bit;
	const char *sentence;
} verdicts[] = {
	{ GNUTLS_CERT_REVOKED, "is distrusted by the system" },
	{ GNUTLS_CERT_SIGNER_NOT_CA, "is signed by one that is no CA" },
	{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
	    "breaks the constraints of a CA above it (names or length of "
	    "the path)" },
	{ GNUTLS_CERT_PURPOSE_MISMATCH, "is for another purpose" },
	{ GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS,
	    "has a critical extension that is not known" },
	{ GNUTLS_CERT_INSECURE_ALGORITHM, "has a weak key or signature" },
	{ GNUTLS_CERT_EXPIRED, "or its CA has expired" },
	{ GNUTLS_CERT_NOT_ACTIVATED, "or its CA is not valid yet" },
	{ GNUTLS_CERT_SIGNATURE_FAILURE,
	    "is not signed by the CA that it names" },
	{ GNUTLS_CERT_INVALID, "is not valid" },
};

const char *
stls_refusal_sentence(unsigned int status)
{
	size_t i;

	for (i = 0; i + 1 < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if ((status & verdicts[i].bit) != 0)
			break;
	}
	return verdicts[i].sentence;
}
