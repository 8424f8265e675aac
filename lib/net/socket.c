/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

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
set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

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
#ifdef SO_NOSIGPIPE
	if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int)) <
	    0) {
		close(fd);
		return -1;
	}
#endif
	*out_fd = fd;
	return 0;
}
