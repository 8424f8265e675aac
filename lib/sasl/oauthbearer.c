/* SPDX-License-Identifier: MIT */
#include "sasl/mechanisms.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define KVSEP '\x01'

/* "65535", and the NUL. */
#define PORT_CAP 6

/* RFC 5801 section 4: a comma and an equals sign are written in hex. */
static char *
put_saslname(char *place, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == ',')
			place = stpcpy(place, "=2C");
		else if (*name == '=')
			place = stpcpy(place, "=3D");
		else
			*place++ = *name;
	}
	return place;
}

/* RFC 7628 section 3.1, with the server that the token is meant for. */
static int
give_token(struct stls_err *err,
    const struct stls_sasl_credentials *credentials,
    struct stls_secret *response)
{
	const struct stls_secret *token = credentials->token;
	char port[PORT_CAP], *data, *place;

	snprintf(port, sizeof(port), "%u", (unsigned int)credentials->port);
	data = stls_alloc(sizeof("n,a=,.host=.port=.auth=Bearer ..") +
	    3 * strlen(credentials->user) + strlen(credentials->host) +
	    strlen(port) + token->len);
	if (data == NULL)
		return stls_err_nomem(err);
	place = put_saslname(stpcpy(data, "n,a="), credentials->user);
	place = stpcpy(stpcpy(place, ",\x01host="), credentials->host);
	place = stpcpy(stpcpy(place, "\x01port="), port);
	place = stpcpy(place,
	    "\x01"
	    "auth=Bearer ");
	memcpy(place, token->data, token->len);
	place = stpcpy(place + token->len, "\x01\x01");
	response->data = data;
	response->len = (size_t)(place - data);
	return SMTPTLS_OK;
}

/*
 * RFC 7628 section 3.2.3: a second challenge says that the token failed, and
 * the reply that ends it waits for an answer.
 */
static int
respond(struct stls_err *err, const struct stls_sasl_credentials *credentials,
    unsigned int round, const char *challenge, size_t challenge_len,
    struct stls_secret *response)
{
	static const char acknowledgement[] = { KVSEP };

	(void)challenge;
	(void)challenge_len;
	if (round == 0)
		return give_token(err, credentials, response);
	if (round > 1)
		return stls_sasl_refuse_round(err, &stls_sasl_oauthbearer);
	if (stls_secret_set(
		response, acknowledgement, sizeof(acknowledgement)) < 0)
		return stls_err_nomem(err);
	return SMTPTLS_OK;
}

const struct stls_sasl_mechanism stls_sasl_oauthbearer = {
	.name = "OAUTHBEARER",
	.client_first = true,
	.proof = STLS_SASL_TOKEN,
	.respond = respond,
};
