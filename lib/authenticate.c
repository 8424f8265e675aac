/* SPDX-License-Identifier: MIT */
/* AUTH: the engine's commands with the mechanisms of sasl. */
#include "client.h"

#include "sasl/oauth-status.h"

static struct stls_sasl_credentials
credentials_of(const struct smtptls_client *client)
{
	return (struct stls_sasl_credentials){
		.authzid = client->authzid,
		.user = client->user,
		.password = &client->password,
		.token = &client->token,
		.host = client->url.host.name,
		.port = client->url.port,
		.external = client->external,
		.only_mechanism = client->only_mechanism,
	};
}

/* RFC 4422 appendix A: nothing stands behind EXTERNAL but the certificate. */
static int
check_external(struct smtptls_client *client, struct stls_err *err)
{
	if (client->mechanism->proof != STLS_SASL_CERTIFICATE ||
	    smtptls_session_sent_certificate(client->session))
		return SMTPTLS_OK;
	return stls_err_set(err, SMTPTLS_E_AUTH,
	    "%s needs a client certificate, and the server asked for none",
	    client->mechanism->name);
}

static int
choose_mechanism(struct smtptls_client *client, struct stls_err *err)
{
	struct stls_sasl_credentials credentials = credentials_of(client);
	const char *offered;
	int r;

	offered = stls_capabilities_find(&client->engine.capabilities, "AUTH");
	if (offered == NULL)
		return stls_err_set(err, SMTPTLS_E_AUTH,
		    "the server does not offer authentication");
	r = stls_sasl_choose(err, &credentials, offered, &client->mechanism);
	return r < 0 ? r : check_external(client, err);
}

static int
respond(struct smtptls_client *client, struct stls_err *err,
    const struct stls_secret *challenge, struct stls_secret *response)
{
	struct stls_sasl_credentials credentials = credentials_of(client);

	return client->mechanism->respond(err, &credentials,
	    client->auth_round++,
	    challenge->data != NULL ? challenge->data : "", challenge->len,
	    response);
}

int
stls_client_start_auth(struct smtptls_client *client)
{
	static const struct stls_secret empty = { NULL, 0 };
	struct stls_secret response = { NULL, 0 };
	struct stls_err reason;
	bool client_first;
	int r;

	client->auth_round = 0;
	/* What a mechanism computes may take its time. */
	client->is_drained = false;
	r = choose_mechanism(client, &reason);
	client_first = r == SMTPTLS_OK && client->mechanism->client_first;
	if (client_first)
		r = respond(client, &reason, &empty, &response);
	if (r < 0)
		stls_engine_fail(&client->engine, &reason);
	else
		stls_engine_auth(&client->engine, client->mechanism->name,
		    client_first ? &response : NULL);
	stls_secret_done(&response);
	return SMTPTLS_OK;
}

/* RFC 7628 section 3.2.2: a challenge behind the token says why it failed. */
static void
note_failure(struct smtptls_client *client, const struct stls_secret *challenge)
{
	char status[STLS_OAUTH_STATUS_CAP];

	if (client->mechanism->proof != STLS_SASL_TOKEN ||
	    client->auth_round == 0 || challenge->len == 0)
		return;
	stls_oauth_status(challenge->data, challenge->len, status);
	stls_engine_auth_failed(&client->engine, status);
}

int
stls_client_answer_challenge(struct smtptls_client *client)
{
	struct stls_secret response = { NULL, 0 };
	struct stls_err reason;

	note_failure(client, stls_engine_challenge(&client->engine));
	if (respond(client, &reason, stls_engine_challenge(&client->engine),
		&response) < 0)
		stls_engine_fail(&client->engine, &reason);
	else
		stls_engine_auth_respond(&client->engine, &response);
	stls_secret_done(&response);
	return SMTPTLS_OK;
}

bool
stls_client_has_credentials(const struct smtptls_client *client)
{
	return client->user != NULL || client->external;
}

int
stls_client_check_credentials(
    const struct smtptls_client *client, struct stls_err *err)
{
	const struct smtptls_context *context = client->context;

	if (!stls_client_has_credentials(client))
		return SMTPTLS_OK;
	if (client->insecure_no_tls)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "credentials are never sent without TLS");
	if (smtptls_context_verify_mode(context) != SMTPTLS_CERT_REQUIRED ||
	    !smtptls_context_check_hostname(context))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "credentials are never sent over TLS that is not "
		    "verified");
	return SMTPTLS_OK;
}
