/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_SOCKET_H
#define STLS_NET_SOCKET_H

/*
 * Descriptors as this library wants them: close-on-exec and non-blocking,
 * sockets without SIGPIPE where the system has a switch for that. 0 and the
 * descriptors, or -1 and errno.
 */
int stls_socket_new(int family, int *out_fd);
int stls_socket_pipe(int out_fds[2]); /* [0] reads, [1] writes */

/*
 * Make one of them of a stream socket that somebody else has opened and
 * connected. 0, or -1 and errno: what is no such socket is as it was.
 */
int stls_socket_adopt(int fd);

/* Commands are small and each waits for its reply. No harm to a unix socket. */
void stls_socket_set_nodelay(int fd);

/* Take O_NONBLOCK away. 0, or -1 and errno. */
int stls_socket_set_blocking(int fd);

#endif
