/* SPDX-License-Identifier: MIT */
/* Who logs in, and by what. */
#include "client.h"

#include <string.h>

/* What stls_sasl_is_text() does not take. */
#define NO_TEXT                                                                \
	"has a control character, is not UTF-8 or is longer than 4096 octets"

/* What stls_sasl_is_token() does not take. */
#define NO_TOKEN                                                               \
	"has a character that RFC 6750 does not let it have or is longer "     \
	"than 8192 octets"

static int
check_user(struct smtptls_client *client, const char *user)
{
	if (user[0] == '\0')
		return stls_client_refuse_invalid(
		    client, "the user name is empty");
	if (!stls_sasl_is_text(user))
		return stls_client_refuse_invalid(
		    client, "the user name " NO_TEXT);
	return SMTPTLS_OK;
}

/* Replace who logs in and by what: the secret of one kind, not of the other. */
static int
set_login(struct smtptls_client *client, const char *user, const char *secret,
    struct stls_secret *kind, struct stls_secret *other)
{
	int r;

	r = stls_client_set_string(client, &client->user, user);
	if (r < 0)
		return r;
	stls_secret_done(other);
	if (stls_secret_set(kind, secret, strlen(secret)) < 0) {
		stls_err_nomem(&client->err);
		return stls_client_refuse(client);
	}
	return SMTPTLS_OK;
}

int
smtptls_client_set_credentials(
    struct smtptls_client *client, const char *user, const char *password)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if (user == NULL || password == NULL)
		return stls_client_refuse_invalid(
		    client, "the user name or the password is missing");
	r = check_user(client, user);
	if (r < 0)
		return r;
	if (password[0] == '\0')
		return stls_client_refuse_invalid(
		    client, "the password is empty");
	if (!stls_sasl_is_text(password))
		return stls_client_refuse_invalid(
		    client, "the password " NO_TEXT);
	return set_login(
	    client, user, password, &client->password, &client->token);
}

int
smtptls_client_set_token(
    struct smtptls_client *client, const char *user, const char *token)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if (user == NULL || token == NULL)
		return stls_client_refuse_invalid(
		    client, "the user name or the token is missing");
	r = check_user(client, user);
	if (r < 0)
		return r;
	if (token[0] == '\0')
		return stls_client_refuse_invalid(client, "the token is empty");
	if (!stls_sasl_is_token(token))
		return stls_client_refuse_invalid(
		    client, "the token " NO_TOKEN);
	return set_login(
	    client, user, token, &client->token, &client->password);
}

int
smtptls_client_set_external(struct smtptls_client *client, const char *authzid)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if (authzid == NULL || !stls_sasl_is_text(authzid))
		return stls_client_refuse_invalid(
		    client, "the authorization identity " NO_TEXT);
	r = stls_client_set_string(client, &client->authzid, authzid);
	if (r == SMTPTLS_OK)
		client->external = true;
	return r;
}

int
smtptls_client_set_auth_mechanism(
    struct smtptls_client *client, const char *mechanism)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if (mechanism == NULL || !stls_sasl_is_known(mechanism)) {
		stls_err_set(&client->err, SMTPTLS_E_INVALID,
		    "the mechanism \"%s\" is not known",
		    mechanism != NULL ? mechanism : "");
		return stls_client_refuse(client);
	}
	return stls_client_set_string(
	    client, &client->only_mechanism, mechanism);
}
