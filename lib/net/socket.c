/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static int
set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* macOS has no MSG_NOSIGNAL. */
static int
set_nosigpipe(int fd)
{
#ifdef SO_NOSIGPIPE
	return setsockopt(
	    fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#else
	(void)fd;
	return 0;
#endif
}

#ifdef SOCK_CLOEXEC

static int
open_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int
stls_socket_pipe(int out_fds[2])
{
	return pipe2(out_fds, O_CLOEXEC | O_NONBLOCK);
}

#else /* macOS */

static int
open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd >= 0 && set_flags(fd) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int
stls_socket_pipe(int out_fds[2])
{
	int fds[2];

	if (pipe(fds) < 0)
		return -1;
	if (set_flags(fds[0]) < 0 || set_flags(fds[1]) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	out_fds[0] = fds[0];
	out_fds[1] = fds[1];
	return 0;
}

#endif

int
stls_socket_new(int family, int *out_fd)
{
	int fd = open_socket(family);

	if (fd < 0)
		return -1;
	if (set_nosigpipe(fd) < 0) {
		close(fd);
		return -1;
	}
	*out_fd = fd;
	return 0;
}

/* errno where it is none. */
static bool
is_stream(int fd)
{
	socklen_t len = sizeof(int);
	int type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return false;
	errno = EPROTOTYPE;
	return type == SOCK_STREAM;
}

int
stls_socket_adopt(int fd)
{
	if (!is_stream(fd) || set_nosigpipe(fd) < 0 || set_flags(fd) < 0)
		return -1;
	stls_socket_set_nodelay(fd);
	return 0;
}

void
stls_socket_set_nodelay(int fd)
{
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

int
stls_socket_set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -1 : 0;
}
