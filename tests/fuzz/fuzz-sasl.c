/* SPDX-License-Identifier: MIT */
/* Mechanisms: what a server offers and asks, and what a user may be called. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <smtptls/status.h>

#include "sasl/oauth-status.h"
#include "sasl/sasl.h"

/* Whether it is one of the words of a list. */
static bool
is_offered(const char *offered, const char *name)
{
	size_t len;

	for (; *offered != '\0'; offered += len) {
		offered += strspn(offered, " ");
		len = strcspn(offered, " ");
		if (len == strlen(name) && strncasecmp(offered, name, len) == 0)
			return true;
	}
	return false;
}

static void
check_status(const char *challenge, size_t len)
{
	char out[STLS_OAUTH_STATUS_CAP];
	void *copy = fuzz_copy(challenge, len);

	memset(out, 'x', sizeof(out));
	stls_oauth_status(copy, len, out);
	FUZZ_CHECK(memchr(out, '\0', sizeof(out)) != NULL);
	FUZZ_CHECK(strlen(out) <= len);
	if (strlen(out) > 0)
		FUZZ_CHECK(memmem(challenge, len, out, strlen(out)) != NULL);
	free(copy);
}

/* A secret leaves once, as what it is, and never where a token was given. */
static void
check_response(const struct stls_sasl_credentials *credentials,
    const struct stls_sasl_mechanism *mechanism, unsigned int round,
    const struct stls_secret *response)
{
	const struct stls_secret *secret = credentials->password;

	FUZZ_CHECK(response->data != NULL);
	FUZZ_CHECK(response->data[response->len] == '\0');
	if (mechanism->proof == STLS_SASL_TOKEN)
		secret = credentials->token;
	if (mechanism->proof == STLS_SASL_CERTIFICATE)
		return;
	if (strcmp(mechanism->name, "LOGIN") == 0 ? round == 1 : round == 0)
		FUZZ_CHECK(memmem(response->data, response->len, secret->data,
			       secret->len) != NULL);
	if (strcmp(mechanism->name, "PLAIN") == 0)
		FUZZ_CHECK(response->len ==
		    strlen(credentials->authzid) + strlen(credentials->user) +
			secret->len + 2);
}

static void
talk(const struct stls_sasl_credentials *credentials,
    const struct stls_sasl_mechanism *mechanism, struct fuzz_input input)
{
	struct stls_secret response = { 0 };
	struct stls_err err = { 0 };
	unsigned int round;
	char *challenge;
	int r = SMTPTLS_OK;
	size_t len;

	for (round = 0; r == SMTPTLS_OK && round < 5; round++) {
		challenge = fuzz_take_line(&input, &len);
		check_status(challenge, len);
		r = mechanism->respond(
		    &err, credentials, round, challenge, len, &response);
		if (r == SMTPTLS_OK)
			check_response(
			    credentials, mechanism, round, &response);
		else
			FUZZ_CHECK(
			    r == SMTPTLS_E_AUTH && fuzz_is_sentence(err.text));
		stls_secret_done(&response);
		free(challenge);
	}
	/* Nobody is answered for ever. */
	FUZZ_CHECK(r < 0);
}

static void
choose(const struct stls_sasl_credentials *credentials, const char *offered,
    struct fuzz_input input)
{
	const struct stls_sasl_mechanism *mechanism = NULL;
	struct stls_err err = { 0 };

	if (stls_sasl_choose(&err, credentials, offered, &mechanism) < 0) {
		FUZZ_CHECK(err.code == SMTPTLS_E_AUTH);
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	FUZZ_CHECK(is_offered(offered, mechanism->name));
	FUZZ_CHECK(stls_sasl_is_known(mechanism->name));
	FUZZ_CHECK(
	    mechanism->proof != STLS_SASL_CERTIFICATE || credentials->external);
	FUZZ_CHECK(mechanism->proof != STLS_SASL_PASSWORD ||
	    (credentials->password->len > 0 &&
		(credentials->token == NULL || credentials->token->len == 0)));
	if (credentials->only_mechanism != NULL)
		FUZZ_CHECK(strcasecmp(mechanism->name,
			       credentials->only_mechanism) == 0);
	talk(credentials, mechanism, input);
}

static void
check_texts(const char *text)
{
	static const char b64token[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "-._~+/";
	size_t n = strspn(text, b64token);

	FUZZ_CHECK(stls_sasl_is_text(text) ==
	    (strlen(text) <= STLS_SASL_TEXT_MAX &&
		fuzz_is_printable(text, strlen(text))));
	FUZZ_CHECK(stls_sasl_is_token(text) ==
	    (n > 0 && text[n + strspn(text + n, "=")] == '\0' &&
		strlen(text) <= STLS_SASL_TOKEN_MAX));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	char *lines[4] = { NULL }; /* authzid, user, password, token */
	struct stls_secret password = { 0 }, token = { 0 };
	struct stls_sasl_credentials credentials = {
		.host = "mx.example.org",
		.port = 465,
		.external = fuzz_flag(flags, 0),
		.password = &password,
		.only_mechanism = fuzz_flag(flags, 1) ? "plain" : NULL,
	};
	char *offered;
	int i;

	for (i = 0; i < 4; i++)
		lines[i] = fuzz_take_line(&input, NULL);
	check_texts(lines[1]);
	check_texts(lines[3]);
	FUZZ_CHECK(stls_secret_set(&password, lines[2], strlen(lines[2])) == 0);
	FUZZ_CHECK(stls_secret_set(&token, lines[3], strlen(lines[3])) == 0);
	credentials.authzid = lines[0];
	credentials.user = fuzz_flag(flags, 2) ? NULL : lines[1];
	credentials.token = fuzz_flag(flags, 3) ? &token : NULL;
	offered = fuzz_take_line(&input, NULL);
	choose(&credentials, offered, input);
	for (i = 0; i < 4; i++)
		free(lines[i]);
	free(offered);
	stls_secret_done(&password);
	stls_secret_done(&token);
	return 0;
}
