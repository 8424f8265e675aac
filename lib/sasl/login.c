/* SPDX-License-Identifier: MIT */
#include "sasl/mechanisms.h"

#include <string.h>

/*
 * draft-murchison-sasl-login: the server asks for the user name, then for the
 * password. The prompts are "User Name" and "Password" there, "Username:" and
 * "Password:" or something else in the wild, so only their order counts.
 */
static int
respond(struct stls_err *err, const struct stls_sasl_credentials *credentials,
    unsigned int round, const char *challenge, size_t challenge_len,
    struct stls_secret *response)
{
	const struct stls_secret *password = credentials->password;
	const char *user = credentials->user;
	int r;

	(void)challenge;
	(void)challenge_len;
	if (round == 0)
		r = stls_secret_set(response, user, strlen(user));
	else if (round == 1)
		r = stls_secret_set(response, password->data, password->len);
	else
		return stls_sasl_refuse_round(err, &stls_sasl_login);
	return r < 0 ? stls_err_nomem(err) : SMTPTLS_OK;
}

const struct stls_sasl_mechanism stls_sasl_login = {
	.name = "LOGIN",
	.proof = STLS_SASL_PASSWORD,
	.respond = respond,
};
