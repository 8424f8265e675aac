/* SPDX-License-Identifier: MIT */
/* The settings about what may leave together. */
#include "client.h"

#define WINDOW_MAX 4096

int
smtptls_client_set_pipelining(
    struct smtptls_client *client, enum smtptls_pipelining level)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if ((int)level < 0 || level > SMTPTLS_PIPELINING_WINDOW) {
		stls_err_set(&client->err, SMTPTLS_E_INVALID,
		    "there is no pipelining level %d", (int)level);
		return stls_client_refuse(client);
	}
	client->pipelining = level;
	return SMTPTLS_OK;
}

int
smtptls_client_set_window(struct smtptls_client *client, size_t messages)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	if (messages < 1 || messages > WINDOW_MAX) {
		stls_err_set(&client->err, SMTPTLS_E_INVALID,
		    "a window must be from 1 to %d messages, not %zu",
		    WINDOW_MAX, messages);
		return stls_client_refuse(client);
	}
	client->window = messages;
	return SMTPTLS_OK;
}

int
smtptls_client_set_chunking(struct smtptls_client *client, int on)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	client->no_chunking = !on;
	return SMTPTLS_OK;
}
