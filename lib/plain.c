/* SPDX-License-Identifier: MIT */
/* What is below TLS: a socket, or the callbacks of the program. */
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/socket.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* the socket has SO_NOSIGPIPE there */
#endif

bool
stls_client_has_transport(const struct smtptls_client *client)
{
	return client->way == STLS_WAY_FD || client->way == STLS_WAY_CALLBACKS;
}

int
smtptls_client_set_fd(struct smtptls_client *client, int fd)
{
	int r;

	r = stls_client_choose_way(client, STLS_WAY_FD);
	if (r < 0)
		return r;
	if (stls_socket_adopt(fd) < 0) {
		stls_err_errno(&client->err, SMTPTLS_E_INVALID, errno,
		    "descriptor %d is no stream socket", fd);
		return stls_client_refuse(client);
	}
	client->fd = fd;
	return SMTPTLS_OK;
}

int
smtptls_client_set_callbacks(struct smtptls_client *client,
    smtptls_read_cb read, smtptls_write_cb write, void *arg)
{
	int r;

	r = stls_client_choose_way(client, STLS_WAY_CALLBACKS);
	if (r < 0)
		return r;
	if (read == NULL || write == NULL)
		return stls_client_refuse_invalid(
		    client, "a transport needs to read and to write");
	client->read = read;
	client->write = write;
	client->io_arg = arg;
	return SMTPTLS_OK;
}

void
stls_client_name_peer(struct smtptls_client *client)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} peer = { 0 };
	socklen_t len = sizeof(peer);

	if (client->way == STLS_WAY_CALLBACKS) {
		memcpy(client->peer, "callbacks", sizeof("callbacks"));
		return;
	}
	/* It was there when the program gave it, but may be gone since. */
	if (getpeername(client->fd, &peer.any, &len) < 0) {
		snprintf(client->peer, sizeof(client->peer),
		    "a socket that is not connected");
		return;
	}
	stls_endpoint_format(&peer.any, client->peer);
}

/* Octets, 0 at the end, or a negative errno number. */
static long
read_some(struct smtptls_client *client, void *buf, size_t cap, int flags)
{
	long n;

	do {
		if (client->way == STLS_WAY_CALLBACKS) {
			n = client->read(buf, cap, client->io_arg);
		} else {
			n = recv(client->fd, buf, cap, flags | MSG_DONTWAIT);
			if (n < 0)
				n = -errno;
		}
	} while (n == -EINTR);
	/* A callback that claims more than there was place for. */
	return n > (long)cap || n < -INT_MAX ? -EIO : n;
}

static long
write_some(struct smtptls_client *client, const void *data, size_t len)
{
	long n;

	do {
		if (client->way == STLS_WAY_CALLBACKS) {
			n = client->write(data, len, client->io_arg);
		} else {
			n = send(
			    client->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0)
				n = -errno;
		}
	} while (n == -EINTR);
	if (n > (long)len || n < -INT_MAX)
		return -EIO;
	/* Nothing written is no progress, and would go on for ever. */
	return n == 0 ? -EAGAIN : n;
}

static int
tell(struct stls_err *err, const char *what, long n, size_t *out_len)
{
	if (n == -EAGAIN || n == -EWOULDBLOCK)
		return SMTPTLS_AGAIN;
	if (n < 0)
		return stls_err_errno(err, SMTPTLS_E_IO, (int)-n, "%s", what);
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

int
stls_client_receive(struct smtptls_client *client, struct stls_err *err,
    void *buf, size_t cap, size_t *out_len)
{
	return tell(err, "reading from the server",
	    read_some(client, buf, cap, 0), out_len);
}

int
stls_client_transmit(struct smtptls_client *client, struct stls_err *err,
    const void *data, size_t len, size_t *out_len)
{
	return tell(err, "writing to the server", write_some(client, data, len),
	    out_len);
}

/* A callback cannot peek; but who finds something does not go on. */
int
stls_client_peek(
    struct smtptls_client *client, struct stls_err *err, size_t *out_len)
{
	unsigned char octet;

	return tell(err, "reading from the server",
	    read_some(client, &octet, 1, MSG_PEEK), out_len);
}

int
stls_client_attach(
    struct smtptls_client *client, struct smtptls_session *session)
{
	if (client->way == STLS_WAY_CALLBACKS)
		return smtptls_session_set_callbacks(
		    session, client->read, client->write, client->io_arg);
	return smtptls_session_set_fd(session, client->fd);
}
