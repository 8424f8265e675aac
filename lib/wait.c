/* SPDX-License-Identifier: MIT */
/* What an event loop has to wait for. */
#include "client.h"

/* How soon to ask a source or hook again that said SMTPTLS_AGAIN. */
#define ASK_AGAIN_MS 20

short
stls_client_events(const struct smtptls_client *client)
{
	if (client->life != STLS_LIFE_TALKING)
		return 0;
	return client->events != 0 ? client->events : POLLIN;
}

size_t
stls_client_list_fds(
    const struct smtptls_client *client, struct pollfd *fds, size_t max)
{
	size_t count = 0;

	if (client->connector != NULL)
		return stls_connector_pollfds(client->connector, fds, max);
	if (client->life != STLS_LIFE_TALKING)
		return 0;
	if (client->fd >= 0) {
		if (count < max)
			fds[count] = (struct pollfd){ .fd = client->fd,
				.events = stls_client_events(client) };
		count++;
	}
	if (client->source_fd >= 0) {
		if (count < max)
			fds[count] = (struct pollfd){ .fd = client->source_fd,
				.events = POLLIN };
		count++;
	}
	return count;
}

size_t
smtptls_client_pollfds(
    struct smtptls_client *client, struct pollfd *fds, size_t max)
{
	if (client == NULL || stls_client_check(client) < 0)
		return 0;
	return stls_client_list_fds(client, fds, max);
}

short
smtptls_client_events(struct smtptls_client *client)
{
	if (client == NULL || stls_client_check(client) < 0)
		return 0;
	return stls_client_events(client);
}

static stls_deadline
connect_deadline(const struct smtptls_client *client)
{
	return client->connector != NULL
	    ? stls_connector_deadline(client->connector)
	    : 0;
}

int
smtptls_client_timeout_ms(struct smtptls_client *client)
{
	stls_deadline first;
	int left;

	if (client == NULL || stls_client_check(client) < 0)
		return -1;
	if (client->life == STLS_LIFE_NEW || stls_client_is_idle(client))
		return -1;
	first = client->life == STLS_LIFE_CONNECTING ? connect_deadline(client)
						     : client->phase_deadline;
	left = stls_deadline_left_ms(
	    stls_deadline_first(first, client->deadline));
	if (client->source_stalls && (left < 0 || left > ASK_AGAIN_MS))
		return ASK_AGAIN_MS;
	return left;
}
