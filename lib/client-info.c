/* SPDX-License-Identifier: MIT */
/* What a client tells of its server. */
#include "client.h"

const char *
smtptls_client_step(const struct smtptls_client *client)
{
	if (client == NULL)
		return "";
	if (client->peer[0] == '\0')
		return "connect";
	return stls_step_name(stls_engine_step(&client->engine));
}

const char *
smtptls_client_peer(const struct smtptls_client *client)
{
	return client != NULL ? client->peer : "";
}

int
smtptls_client_host_is_unknown(const struct smtptls_client *client)
{
	return client != NULL && client->host_is_unknown;
}

struct smtptls_session *
smtptls_client_session(struct smtptls_client *client)
{
	return client != NULL ? client->session : NULL;
}

const char *
smtptls_client_capability(const struct smtptls_client *client, size_t index)
{
	if (client == NULL || index >= client->engine.capabilities.count)
		return NULL;
	return client->engine.capabilities.lines[index];
}

const char *
smtptls_client_find_capability(
    const struct smtptls_client *client, const char *keyword)
{
	if (client == NULL || keyword == NULL)
		return NULL;
	return stls_capabilities_find(&client->engine.capabilities, keyword);
}

const char *
smtptls_client_auth_mechanism(const struct smtptls_client *client)
{
	if (client == NULL || !client->engine.authenticated)
		return "";
	return client->mechanism->name;
}

int
smtptls_client_reply_code(const struct smtptls_client *client)
{
	return client != NULL ? client->engine.last.code : 0;
}

const char *
smtptls_client_reply_enhanced(const struct smtptls_client *client)
{
	return client != NULL ? client->engine.last.enhanced : "";
}

const char *
smtptls_client_reply_text(const struct smtptls_client *client)
{
	return client != NULL ? stls_engine_last_text(&client->engine) : "";
}
