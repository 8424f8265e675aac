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

#endif
