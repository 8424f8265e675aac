/* SPDX-License-Identifier: MIT */
/* How a conversation gets its connection, the first and any other one. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/local-name.h"
#include "tls/session.h"

void
stls_client_free_connector(struct smtptls_client *client)
{
	if (client->connector == NULL)
		return;
	stls_connector_done(client->connector);
	free(client->connector);
	client->connector = NULL;
}

static int
greet(struct smtptls_client *client)
{
	char name[STLS_LOCAL_NAME_CAP];
	const char *ehlo_name = client->ehlo_name;
	struct stls_err reason;

	if (ehlo_name == NULL) {
		stls_local_name(client->fd, name);
		ehlo_name = name;
	}
	client->life = STLS_LIFE_TALKING;
	stls_client_info(client, "connected to %s", client->peer);
	if (stls_engine_start(&client->engine, ehlo_name) < 0) {
		reason = client->err;
		return stls_client_fail(client, &reason);
	}
	stls_client_begin_phase(client);
	return SMTPTLS_OK;
}

static void
forget(int fd, void *arg)
{
	stls_client_forget(arg, fd);
}

static int
start_connector(struct smtptls_client *client, struct stls_err *err)
{
	const struct stls_place of_url = { .host = &client->url.host,
		.port = client->url.port };
	int r;

	if (stls_client_has_transport(client))
		return SMTPTLS_OK;
	client->connector = stls_alloc_zero(sizeof(*client->connector));
	if (client->connector == NULL)
		return stls_err_nomem(err);
	r = stls_connector_start(client->connector, err,
	    client->way == STLS_WAY_URL ? &of_url : &client->place,
	    client->timeout_ms[SMTPTLS_PHASE_CONNECT]);
	client->connector->closing = forget;
	client->connector->arg = client;
	return r;
}

/* Where the connection begins, the first or, for MAILMAX, another one. */
int
stls_client_begin_connecting(struct smtptls_client *client)
{
	struct stls_err reason;
	int r;

	client->life = STLS_LIFE_CONNECTING;
	r = start_connector(client, &reason);
	return r < 0 ? stls_client_fail(client, &reason) : SMTPTLS_OK;
}

/* The server takes no more messages on this connection: on to the next. */
int
stls_client_reconnect(struct smtptls_client *client)
{
	struct stls_engine next;
	struct stls_err reason;
	int r;

	stls_client_info(client, "no more messages on this connection");
	if (stls_client_has_transport(client)) {
		stls_err_set(&reason, SMTPTLS_E_REFUSED_LATER,
		    "the server takes no more messages on this connection, "
		    "and there is no other");
		return stls_client_fail(client, &reason);
	}
	if (client->session != NULL)
		(void)smtptls_session_close(client->session);
	smtptls_session_free(client->session);
	client->session = NULL;
	stls_client_close_socket(client);
	stls_engine_init(&next, &client->engine.config);
	stls_engine_move_on(&client->engine, &next);
	stls_engine_done(&client->engine);
	client->engine = next;
	client->replies_seen = 0;
	client->waits_in_read = false;
	r = stls_client_begin_connecting(client);
	return r < 0 ? r : SMTPTLS_AGAIN;
}

int
stls_client_connect_on(struct smtptls_client *client)
{
	struct stls_connector *connector = client->connector;
	struct stls_err reason;
	int r, fd = -1;

	/* The program has connected. */
	if (connector == NULL) {
		stls_client_name_peer(client);
		return greet(client);
	}
	r = stls_connector_drive(connector, &reason, &fd);
	if (r == SMTPTLS_AGAIN)
		return SMTPTLS_AGAIN;
	if (r < 0) {
		client->host_is_unknown = connector->host_does_not_exist;
		return stls_client_fail(client, &reason);
	}
	client->fd = fd;
	memcpy(client->peer, connector->peer, sizeof(client->peer));
	stls_client_free_connector(client);
	return greet(client);
}
