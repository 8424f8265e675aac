/* SPDX-License-Identifier: MIT */
#include "sasl/mechanisms.h"

#include <string.h>

#include "base/alloc.h"

/*
 * What Google and Microsoft had before RFC 7628, and describe as
 * "SASL XOAUTH2": user=NAME ^A auth=Bearer TOKEN ^A ^A.
 */
static int
give_token(struct stls_err *err,
    const struct stls_sasl_credentials *credentials,
    struct stls_secret *response)
{
	const struct stls_secret *token = credentials->token;
	char *data, *place;

	data = stls_alloc(sizeof("user=.auth=Bearer ..") +
	    strlen(credentials->user) + token->len);
	if (data == NULL)
		return stls_err_nomem(err);
	place = stpcpy(stpcpy(data, "user="), credentials->user);
	place = stpcpy(place,
	    "\x01"
	    "auth=Bearer ");
	memcpy(place, token->data, token->len);
	place = stpcpy(place + token->len, "\x01\x01");
	response->data = data;
	response->len = (size_t)(place - data);
	return SMTPTLS_OK;
}

/* A second challenge is the error, and is answered by an empty line. */
static int
respond(struct stls_err *err, const struct stls_sasl_credentials *credentials,
    unsigned int round, const char *challenge, size_t challenge_len,
    struct stls_secret *response)
{
	(void)challenge;
	(void)challenge_len;
	if (round == 0)
		return give_token(err, credentials, response);
	if (round > 1)
		return stls_sasl_refuse_round(err, &stls_sasl_xoauth2);
	if (stls_secret_set(response, "", 0) < 0)
		return stls_err_nomem(err);
	return SMTPTLS_OK;
}

const struct stls_sasl_mechanism stls_sasl_xoauth2 = {
	.name = "XOAUTH2",
	.client_first = true,
	.proof = STLS_SASL_TOKEN,
	.respond = respond,
};
