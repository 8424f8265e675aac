/* SPDX-License-Identifier: MIT */
/* What an event loop is told about descriptors. */
#include "client.h"

#include <string.h>

_Static_assert(STLS_ATTEMPTS_MAX <= STLS_FDS_MAX, "all fit");

int
smtptls_client_set_socket_cb(
    struct smtptls_client *client, smtptls_socket_cb socket_cb, void *arg)
{
	int r;

	r = stls_client_check_new(client);
	if (r < 0)
		return r;
	client->socket_cb = socket_cb;
	client->socket_arg = arg;
	return SMTPTLS_OK;
}

/*
 * A child of fork(2) shares the epoll instance of its parent: what it took
 * out there, the parent would miss.
 */
static void
call(struct smtptls_client *client, int fd, short events)
{
	bool was_busy = client->is_busy;

	if (stls_fork_happened(client->made_in))
		return;
	client->is_busy = true;
	client->socket_cb(client, fd, events, client->socket_arg);
	client->is_busy = was_busy;
}

static const struct pollfd *
find(const struct pollfd *fds, size_t count, int fd)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (fds[i].fd == fd)
			return &fds[i];
	}
	return NULL;
}

void
stls_client_forget(struct smtptls_client *client, int fd)
{
	const struct pollfd *known;
	size_t i;

	known = find(client->watched, client->watched_count, fd);
	if (known == NULL)
		return;
	i = (size_t)(known - client->watched);
	client->watched[i] = client->watched[--client->watched_count];
	call(client, fd, 0);
}

void
stls_client_watch(struct smtptls_client *client)
{
	struct pollfd fds[STLS_FDS_MAX];
	const struct pollfd *known;
	size_t count, i;

	if (client->socket_cb == NULL)
		return;
	count = stls_client_list_fds(client, fds, STLS_FDS_MAX);
	/* First what goes: one place is for one descriptor at a time. */
	for (i = client->watched_count; i-- > 0;) {
		if (find(fds, count, client->watched[i].fd) == NULL)
			stls_client_forget(client, client->watched[i].fd);
	}
	for (i = 0; i < count; i++) {
		known = find(client->watched, client->watched_count, fds[i].fd);
		if (known == NULL || known->events != fds[i].events)
			call(client, fds[i].fd, fds[i].events);
	}
	memcpy(client->watched, fds, count * sizeof(fds[0]));
	client->watched_count = count;
}
