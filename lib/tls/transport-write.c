/* SPDX-License-Identifier: MIT */
/* What leaves: at once, or gathered until it is worth a system call. */
#include "tls/transport.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/alloc.h"

#define GATHER_FIRST_CAP 4096

/* The pieces that GnuTLS gives at once, its queue, are at most 32. */
#define PIECES_MAX 32

/*
 * As in stls_wipe(): by such pieces neither glibc nor the compiler, who is not
 * to know how large they are, leaves it to an instruction that repeats itself.
 */
#define COPIED_AT_ONCE 4096

/* Write once: bytes, or a negative errno number. */
static long
write_some(struct stls_transport *transport, const void *data, size_t len)
{
	long n;

	do {
		n = transport->write(data, len, transport->arg);
	} while (n == -EINTR);
	if (n > (long)len || n < -INT_MAX)
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

/*
 * Several records or handshake messages leave in one call. SIGPIPE would end
 * programs that never heard of it.
 */
static long
write_fd(struct stls_transport *transport, const giovec_t *iov, int count)
{
	struct msghdr msg = {
		.msg_iov = (struct iovec *)iov,
		.msg_iovlen = (size_t)count,
	};
	ssize_t n;

	do {
		n = sendmsg(transport->fd, &msg,
		    MSG_NOSIGNAL | stls_transport_flags(transport));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (long)n;
}

static long
write_pieces(struct stls_transport *transport, const giovec_t *iov, int count)
{
	long total = 0, n;
	int i;

	if (transport->fd >= 0)
		return write_fd(transport, iov, count);
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

/*
 * Write what was gathered and the pieces behind it, in one call if that does:
 * how much of the pieces was written, or a negative errno number.
 */
static long
write_all(struct stls_transport *transport, const giovec_t *iov, int count)
{
	giovec_t all[1 + PIECES_MAX];
	size_t waiting;
	long n;

	if (count > PIECES_MAX)
		count = PIECES_MAX;
	while ((waiting = stls_transport_gathered(transport)) > 0) {
		all[0].iov_base = transport->gathered +
		    transport->gathered_start;
		all[0].iov_len = waiting;
		if (count > 0)
			memcpy(all + 1, iov, (size_t)count * sizeof(*iov));
		n = write_pieces(transport, all, 1 + count);
		if (n < 0)
			return n;
		if ((size_t)n < waiting) {
			transport->gathered_start += (size_t)n;
			if (transport->dont_wait)
				return -EAGAIN;
			continue;
		}
		transport->gathered_start = transport->gathered_end = 0;
		if ((size_t)n > waiting || count == 0)
			return n - (long)waiting;
	}
	return count > 0 ? write_pieces(transport, iov, count) : 0;
}

/* Take note of the first failure: what is missing will not come later. */
static long
write_or_fail(struct stls_transport *transport, const giovec_t *iov, int count)
{
	long n;

	if (transport->write_errno != 0)
		return -transport->write_errno;
	n = write_all(transport, iov, count);
	if (n < 0 && !stls_transport_is_again(n))
		transport->write_errno = (int)-n;
	return n;
}

int
stls_transport_flush(struct stls_transport *transport)
{
	long n = write_or_fail(transport, NULL, 0);

	if (stls_transport_is_again(n))
		return SMTPTLS_AGAIN;
	return n < 0 ? SMTPTLS_E_IO : SMTPTLS_OK;
}

static int
grow_gathered(struct stls_transport *transport, size_t needed)
{
	size_t cap = transport->gathered_cap;
	unsigned char *gathered;

	if (needed <= cap)
		return SMTPTLS_OK;
	cap = cap > 0 ? cap * 2 : GATHER_FIRST_CAP;
	while (cap < needed)
		cap *= 2;
	if (cap > STLS_TRANSPORT_GATHER_MAX)
		cap = STLS_TRANSPORT_GATHER_MAX;
	gathered = stls_realloc(transport->gathered, cap);
	if (gathered == NULL)
		return SMTPTLS_E_NOMEM;
	transport->gathered = gathered;
	transport->gathered_cap = cap;
	return SMTPTLS_OK;
}

int
stls_transport_make_room(struct stls_transport *transport, size_t len)
{
	size_t needed = len + STLS_TRANSPORT_RECORD_MORE;
	int r;

	/* Behind what was partly written there is no room until it has left. */
	if (transport->gathered_end + needed > STLS_TRANSPORT_GATHER_MAX) {
		r = stls_transport_flush(transport);
		if (r != SMTPTLS_OK)
			return r;
	}
	return grow_gathered(transport, transport->gathered_end + needed);
}

static void
gather(struct stls_transport *transport, const giovec_t *piece)
{
	const unsigned char *from = piece->iov_base;
	unsigned char *to = transport->gathered + transport->gathered_end;
	size_t left, n;

	for (left = piece->iov_len; left > 0; left -= n) {
		n = left < COPIED_AT_ONCE ? left : COPIED_AT_ONCE;
		__asm__("" : "+r"(n));
		memcpy(to, from, n);
		to += n;
		from += n;
	}
	transport->gathered_end += piece->iov_len;
}

static bool
is_to_gather(const struct stls_transport *transport, long len)
{
	return transport->gathers &&
	    (size_t)len <= transport->gathered_cap - transport->gathered_end;
}

ssize_t
stls_transport_push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int count)
{
	struct stls_transport *transport = ptr;
	long len = length_of(iov, count), n;
	int i;

	if (is_to_gather(transport, len)) {
		for (i = 0; i < count; i++)
			gather(transport, &iov[i]);
		transport->was_short = false;
		return (ssize_t)len;
	}
	n = write_or_fail(transport, iov, count);
	transport->was_short = n >= 0 && n < len;
	if (n >= 0)
		return (ssize_t)n;
	transport->would_block = stls_transport_is_again(n);
	errno = (int)-n;
	return -1;
}
