/* SPDX-License-Identifier: MIT */
#include "tls/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "base/secret.h"

static int
make_buffer(struct stls_transport *transport)
{
	if (transport->buffer != NULL)
		return SMTPTLS_E_STATE;
	transport->buffer = stls_alloc(STLS_TRANSPORT_BUFFER);
	return transport->buffer != NULL ? SMTPTLS_OK : SMTPTLS_E_NOMEM;
}

int
stls_transport_set_fd(struct stls_transport *transport, int fd)
{
	int r;

	r = make_buffer(transport);
	if (r < 0)
		return r;
	transport->fd = fd;
	return SMTPTLS_OK;
}

int
stls_transport_set_callbacks(struct stls_transport *transport,
    smtptls_read_cb read, smtptls_write_cb write, void *arg)
{
	int r;

	r = make_buffer(transport);
	if (r < 0)
		return r;
	transport->fd = -1;
	transport->read = read;
	transport->write = write;
	transport->arg = arg;
	return SMTPTLS_OK;
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
			n = recv(transport->fd, buf, cap, 0);
			if (n < 0)
				n = -errno;
		}
	} while (n == -EINTR);
	/* A callback that claims more than there was place for. */
	return n > (long)cap ? -EIO : n;
}

/* Write once: bytes, or a negative errno number. */
static long
write_some(struct stls_transport *transport, const void *data, size_t len)
{
	long n;

	do {
		n = transport->write(data, len, transport->arg);
	} while (n == -EINTR);
	if (n > (long)len)
		return -EIO;
	/* Nothing written is no progress, and would go on for ever. */
	return n == 0 ? -EAGAIN : n;
}

/* Write one piece as far as it goes; a part of it counts as success. */
static long
write_piece(struct stls_transport *transport, const giovec_t *piece)
{
	const unsigned char *data = piece->iov_base;
	size_t done = 0;
	long n;

	while (done < piece->iov_len) {
		n = write_some(transport, data + done, piece->iov_len - done);
		if (n < 0)
			return done > 0 ? (long)done : n;
		done += (size_t)n;
	}
	return (long)done;
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

/* Fill the empty buffer: 1, 0 at the end, or a negative errno number. */
static long
fill(struct stls_transport *transport)
{
	long n = read_some(transport, transport->buffer, STLS_TRANSPORT_BUFFER);

	transport->start = 0;
	transport->end = n > 0 ? (size_t)n : 0;
	if (n == 0)
		transport->at_end = true;
	transport->would_block = n == -EAGAIN || n == -EWOULDBLOCK;
	if (n < 0 && !transport->would_block && transport->read_errno == 0)
		transport->read_errno = (int)-n;
	if (n > 0 && transport->head_len < sizeof(transport->head))
		keep_head(transport, transport->buffer, transport->end);
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

/*
 * Several records or handshake messages leave in one call. SIGPIPE would end
 * programs that never heard of it.
 */
static long
write_fd(int fd, const giovec_t *iov, int count)
{
	struct msghdr msg = {
		.msg_iov = (struct iovec *)iov,
		.msg_iovlen = (size_t)count,
	};
	ssize_t n;

	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (long)n;
}

static long
write_pieces(struct stls_transport *transport, const giovec_t *iov, int count)
{
	long total = 0, n;
	int i;

	if (transport->fd >= 0)
		return write_fd(transport->fd, iov, count);
	for (i = 0; i < count; i++) {
		n = write_piece(transport, &iov[i]);
		if (n < 0)
			return total > 0 ? total : n;
		total += n;
		if ((size_t)n < iov[i].iov_len)
			break;
	}
	return total;
}

static long
length_of(const giovec_t *iov, int count)
{
	long len = 0;
	int i;

	for (i = 0; i < count; i++)
		len += (long)iov[i].iov_len;
	return len;
}

static ssize_t
push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int count)
{
	struct stls_transport *transport = ptr;
	long n = write_pieces(transport, iov, count);

	transport->was_short = n >= 0 && n < length_of(iov, count);
	if (n >= 0)
		return (ssize_t)n;
	transport->would_block = n == -EAGAIN || n == -EWOULDBLOCK;
	if (!transport->would_block && transport->write_errno == 0)
		transport->write_errno = (int)-n;
	errno = (int)-n;
	return -1;
}

void
stls_transport_attach(
    struct stls_transport *transport, gnutls_session_t session)
{
	gnutls_transport_set_ptr(session, transport);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	gnutls_transport_set_vec_push_function(session, push);
}

void
stls_transport_done(struct stls_transport *transport)
{
	if (transport->buffer != NULL)
		stls_wipe(transport->buffer, STLS_TRANSPORT_BUFFER);
	free(transport->buffer);
	memset(transport, 0, sizeof(*transport));
	transport->fd = -1;
}
