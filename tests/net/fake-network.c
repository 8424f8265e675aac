/* SPDX-License-Identifier: MIT */
#include "net/fake-network.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

struct fake_network fake_network = { .resetting = -1 };

/* Connections to 192.0.2.1 hang until this pipe is drained. */
static int full_pipe[2] = { -1, -1 };

void
fake_network_hang(int fd)
{
	char block[4096] = { 0 };

	if (full_pipe[0] < 0) {
		ck_assert_ok(pipe2(full_pipe, O_NONBLOCK | O_CLOEXEC));
		while (write(full_pipe[1], block, sizeof(block)) > 0)
			;
	}
	ck_assert_int_ge(dup2(full_pipe[1], fd), 0);
}

static void
log_connect(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	size_t len = strlen(fake_network.tried);
	bool is_4 = address->sa_family == AF_INET;

	fake_network.calls++;
	snprintf(fake_network.tried + len, sizeof(fake_network.tried) - len,
	    "%d%c ", is_4 ? 4 : 6,
	    'a' +
		(int)(is_4 ? ntohl(in->sin_addr.s_addr) & 0xf
			   : in6->sin6_addr.s6_addr[15] & 0xf) -
		1);
}

static bool
is_to_hang(const struct sockaddr *address)
{
	return fake_network.mode == HANGING ||
	    (address->sa_family == AF_INET &&
		((const struct sockaddr_in *)(const void *)address)
			->sin_addr.s_addr == inet_addr("192.0.2.1"));
}

static void
reset_next(void)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int fd = accept(fake_network.resetting, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	fake_network.resetting = -1;
}

/* By another name in C: libc's prototype may have a type of its own. */
int fake_connect(int fd, const struct sockaddr *address, socklen_t len) __asm__(
    "connect");

int
fake_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t);
	int r;

	log_connect(address);
	if (fake_network.mode == REFUSING) {
		errno = ECONNREFUSED;
		return -1;
	}
	if (address->sa_family == AF_INET6 &&
	    fake_network.ipv6 == WITHOUT_ROUTE) {
		errno = ENETUNREACH;
		return -1;
	}
	if (is_to_hang(address)) {
		fake_network_hang(fd);
		errno = EINPROGRESS;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	if (fake_network.mode == TO_ITSELF)
		ck_assert_ok(bind(fd, address, len));
	r = real(fd, address, len);
	if (fake_network.mode == RESETTING && fake_network.resetting >= 0)
		reset_next();
	if (fake_network.mode == INTERRUPTED &&
	    (r == 0 || errno == EINPROGRESS)) {
		errno = EINTR;
		return -1;
	}
	return r;
}

int fake_socket(int family, int type, int protocol) __asm__("socket");

int
fake_socket(int family, int type, int protocol)
{
	int (*real)(int, int, int);

	if (family == AF_INET6 && fake_network.ipv6 == UNKNOWN) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "socket");
	return real(family, type, protocol);
}
