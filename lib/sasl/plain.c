/* SPDX-License-Identifier: MIT */
#include "sasl/mechanisms.h"

#include <string.h>

#include "base/alloc.h"

/*
 * RFC 4616 section 2: authzid NUL user NUL password. The three are free of
 * NULs, see stls_sasl_is_text().
 */
static int
respond(struct stls_err *err, const struct stls_sasl_credentials *credentials,
    unsigned int round, const char *challenge, size_t challenge_len,
    struct stls_secret *response)
{
	const struct stls_secret *password = credentials->password;
	const char *authzid = credentials->authzid;
	size_t authzid_size, user_size;
	char *data;

	(void)challenge;
	(void)challenge_len;
	if (round > 0)
		return stls_sasl_refuse_round(err, &stls_sasl_plain);
	if (authzid == NULL)
		authzid = "";
	authzid_size = strlen(authzid) + 1;
	user_size = strlen(credentials->user) + 1;

	data = stls_alloc(authzid_size + user_size + password->len + 1);
	if (data == NULL)
		return stls_err_nomem(err);
	memcpy(data, authzid, authzid_size);
	memcpy(data + authzid_size, credentials->user, user_size);
	memcpy(
	    data + authzid_size + user_size, password->data, password->len + 1);
	response->data = data;
	response->len = authzid_size + user_size + password->len;
	return SMTPTLS_OK;
}

const struct stls_sasl_mechanism stls_sasl_plain = {
	.name = "PLAIN",
	.client_first = true,
	.proof = STLS_SASL_PASSWORD,
	.respond = respond,
};
