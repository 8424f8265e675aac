/* SPDX-License-Identifier: MIT */
#include "sasl/mechanisms.h"

#include <string.h>

/*
 * RFC 4422 appendix A: the response is whom to act as, and empty where the
 * server derives that from the certificate.
 */
static int
respond(struct stls_err *err, const struct stls_sasl_credentials *credentials,
    unsigned int round, const char *challenge, size_t challenge_len,
    struct stls_secret *response)
{
	const char *authzid = credentials->authzid;

	(void)challenge;
	(void)challenge_len;
	if (round > 0)
		return stls_sasl_refuse_round(err, &stls_sasl_external);
	if (authzid == NULL)
		authzid = "";
	if (stls_secret_set(response, authzid, strlen(authzid)) < 0)
		return stls_err_nomem(err);
	return SMTPTLS_OK;
}

const struct stls_sasl_mechanism stls_sasl_external = {
	.name = "EXTERNAL",
	.client_first = true,
	.proof = STLS_SASL_CERTIFICATE,
	.respond = respond,
};
