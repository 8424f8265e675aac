/* SPDX-License-Identifier: MIT */
#include "engine-login.h"

#include <string.h>

#include <smtptls/status.h>

#include "fuzz.h"
#include "sasl/oauth-status.h"

void
login_init(struct login *login)
{
	FUZZ_CHECK(stls_secret_set(&login->password, LOGIN_PASSWORD,
		       strlen(LOGIN_PASSWORD)) == SMTPTLS_OK);
}

void
login_done(struct login *login)
{
	stls_secret_done(&login->password);
}

static struct stls_sasl_credentials
credentials(const struct login *login, bool has_token)
{
	return (struct stls_sasl_credentials){
		.user = "alice",
		.password = &login->password,
		.token = has_token ? &login->password : NULL,
		.host = "mx.example.org",
		.port = 465,
	};
}

static bool
respond(struct login *login, struct stls_engine *engine,
    const struct stls_secret *challenge, struct stls_secret *response)
{
	bool has_token = login->mechanism->proof == STLS_SASL_TOKEN;
	struct stls_sasl_credentials who = credentials(login, has_token);
	char status[STLS_OAUTH_STATUS_CAP];
	struct stls_err err;

	if (has_token && login->round > 0 && challenge->len > 0) {
		stls_oauth_status(challenge->data, challenge->len, status);
		stls_engine_auth_failed(engine, status);
	}
	if (login->mechanism->respond(&err, &who, login->round++,
		challenge->data != NULL ? challenge->data : "", challenge->len,
		response) == SMTPTLS_OK)
		return true;
	stls_engine_fail(engine, &err);
	return false;
}

void
login_start(struct login *login, struct stls_engine *engine, bool has_token)
{
	static const struct stls_secret empty = { NULL, 0 };
	struct stls_sasl_credentials who = credentials(login, has_token);
	struct stls_secret response = { NULL, 0 };
	const char *offered = stls_capabilities_find(
	    &engine->capabilities, "AUTH");
	struct stls_err err;

	login->round = 0;
	if (stls_sasl_choose(&err, &who, offered != NULL ? offered : "",
		&login->mechanism) < 0)
		stls_engine_fail(engine, &err);
	else if (!login->mechanism->client_first)
		stls_engine_auth(engine, login->mechanism->name, NULL);
	else if (respond(login, engine, &empty, &response))
		stls_engine_auth(engine, login->mechanism->name, &response);
	stls_secret_done(&response);
}

void
login_answer(struct login *login, struct stls_engine *engine)
{
	struct stls_secret response = { NULL, 0 };

	if (respond(login, engine, stls_engine_challenge(engine), &response))
		stls_engine_auth_respond(engine, &response);
	stls_secret_done(&response);
}
