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
	if ((int)level < 0 || level > SMTPTLS_PIPELINING_WINDOW)
		return stls_client_refuse_invalid(
		    client, "no such pipelining level");
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
	if (messages < 1 || messages > WINDOW_MAX)
		return stls_client_refuse_invalid(
		    client, "a window has 1 to 4096 messages");
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
