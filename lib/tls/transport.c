/* SPDX-License-Identifier: MIT */
#include "tls/transport.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/secret.h"

int
stls_transport_set_fd(struct stls_transport *transport, int fd)
{
	if (transport->is_set)
		return SMTPTLS_E_STATE;
	transport->is_set = true;
	transport->fd = fd;
	return SMTPTLS_OK;
}

int
stls_transport_set_callbacks(struct stls_transport *transport,
    smtptls_read_cb read, smtptls_write_cb write, void *arg)
{
	if (transport->is_set)
		return SMTPTLS_E_STATE;
	transport->is_set = true;
	transport->fd = -1;
	transport->read = read;
	transport->write = write;
	transport->arg = arg;
	return SMTPTLS_OK;
}

int
stls_transport_prepare(struct stls_transport *transport)
{
	if (transport->buffer == NULL)
		transport->buffer = stls_alloc(STLS_TRANSPORT_BUFFER);
	return transport->buffer != NULL ? SMTPTLS_OK : SMTPTLS_E_NOMEM;
}

/* Read once: bytes, 0 at the end, or a negative errno number. */
static long
read_some(struct stls_transport *transport, void *buf, size_t cap)
{
	long n;

	do {
		if (transport->fd < 0) {
			n = transport->read(buf, cap, transport->arg);
		} else {
			n = recv(transport->fd, buf, cap,
			    stls_transport_flags(transport));
			if (n < 0)
				n = -errno;
		}
	} while (n == -EINTR);
	/* A callback that claims more than there was place for. */
	return n > (long)cap || n < -INT_MAX ? -EIO : n;
}

static void
keep_head(struct stls_transport *transport, const void *data, size_t len)
{
	size_t room = sizeof(transport->head) - transport->head_len;

	if (len > room)
		len = room;
	memcpy(transport->head + transport->head_len, data, len);
	transport->head_len += len;
}

/* Note what a read into the empty buffer came to. */
static void
take_in(struct stls_transport *transport, long n)
{
	transport->start = 0;
	transport->end = n > 0 ? (size_t)n : 0;
	/* A callback may give less than it has. */
	transport->was_drained = stls_transport_is_again(n) ||
	    (n > 0 && n < STLS_TRANSPORT_BUFFER && transport->fd >= 0);
	if (n == 0)
		transport->at_end = true;
	if (n < 0 && !stls_transport_is_again(n) && transport->read_errno == 0)
		transport->read_errno = (int)-n;
	if (n > 0 && transport->head_len < sizeof(transport->head))
		keep_head(transport, transport->buffer, transport->end);
}

/* Fill the empty buffer: 1, 0 at the end, or a negative errno number. */
static long
fill(struct stls_transport *transport)
{
	long n;

	/* The kernel tells an error once. */
	n = -transport->waiting_errno;
	transport->waiting_errno = 0;
	if (n == 0)
		n = stls_transport_prepare(transport) == SMTPTLS_OK
		    ? read_some(
			  transport, transport->buffer, STLS_TRANSPORT_BUFFER)
		    : -ENOMEM;
	take_in(transport, n);
	transport->would_block = stls_transport_is_again(n);
	return n;
}

static ssize_t
pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct stls_transport *transport = ptr;
	size_t have;
	long n;

	transport->would_block = false;
	if (transport->start == transport->end) {
		n = fill(transport);
		if (n <= 0) {
			errno = (int)-n;
			return n == 0 ? 0 : -1;
		}
	}
	have = transport->end - transport->start;
	transport->was_short = have < len;
	if (len > have)
		len = have;
	memcpy(data, transport->buffer + transport->start, len);
	transport->start += len;
	return (ssize_t)len;
}

/* GnuTLS skips poll(2) where this says that something is there. */
static int
pull_timeout(gnutls_transport_ptr_t ptr, unsigned int ms)
{
	(void)ptr;
	(void)ms;
	return 1;
}

/* Where to wait for the next octets, which is not for ever. */
static int
set_timeout(struct stls_transport *transport, int timeout_ms)
{
	struct timeval limit;
	int ms = transport->timeout_ms, power = 1024;

	if (timeout_ms < 0)
		timeout_ms = INT_MAX;
	/*
	 * A wait that is too short is repeated, and costs less than to set it
	 * anew for each; that is why it is a power of two.
	 */
	if (ms > 0 && ms <= timeout_ms && (ms >= power || ms > timeout_ms / 2))
		return 0;
	while (power <= timeout_ms / 2)
		power *= 2;
	ms = timeout_ms < power ? timeout_ms : power;
	limit.tv_sec = ms / 1000;
	limit.tv_usec = ms % 1000 * 1000;
	if (setsockopt(transport->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
		sizeof(limit)) < 0)
		return -errno;
	transport->timeout_ms = ms;
	return 0;
}

int
stls_transport_wait(struct stls_transport *transport, int timeout_ms)
{
	long n;

	assert(transport->fd >= 0 && transport->buffer != NULL);
	if (stls_transport_buffered(transport) > 0 ||
	    transport->waiting_errno != 0)
		return SMTPTLS_OK;
	n = timeout_ms != 0 ? set_timeout(transport, timeout_ms) : 0;
	if (n == 0) {
		n = recv(transport->fd, transport->buffer,
		    STLS_TRANSPORT_BUFFER, timeout_ms == 0 ? MSG_DONTWAIT : 0);
		if (n < 0)
			n = -errno;
	}
	if (n == -EINTR)
		return SMTPTLS_AGAIN;
	take_in(transport, n);
	if (stls_transport_is_again(n))
		return SMTPTLS_AGAIN;
	transport->waiting_errno = n < 0 ? (int)-n : 0;
	return SMTPTLS_OK;
}

void
stls_transport_attach(
    struct stls_transport *transport, gnutls_session_t session)
{
	gnutls_transport_set_ptr(session, transport);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	gnutls_transport_set_vec_push_function(session, stls_transport_push);
}

void
stls_transport_trim(struct stls_transport *transport)
{
	if (stls_transport_buffered(transport) == 0 &&
	    transport->buffer != NULL) {
		stls_wipe(transport->buffer, STLS_TRANSPORT_BUFFER);
		free(transport->buffer);
		transport->buffer = NULL;
	}
	if (stls_transport_gathered(transport) == 0) {
		free(transport->gathered);
		transport->gathered = NULL;
		transport->gathered_start = transport->gathered_end = 0;
		transport->gathered_cap = 0;
	}
}

void
stls_transport_done(struct stls_transport *transport)
{
	transport->start = transport->end = 0;
	transport->gathered_start = transport->gathered_end = 0;
	stls_transport_trim(transport);
	memset(transport, 0, sizeof(*transport));
	transport->fd = -1;
}
