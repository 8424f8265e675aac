/* SPDX-License-Identifier: MIT */
#include "client/own-io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct step own_whole[] = {
	SEND("250-mail.example.org\r\n250-AUTH PLAIN\r\n250 SIZE 100000\r\n"),
	LINE("AUTH PLAIN " TALK_PLAIN_BASE64),
	SEND("235 ok\r\n"),
	OWN_MESSAGE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

const struct step own_nothing[] = { STEP(SWALLOW), END };

struct own_io own_io;

int
own_open(const struct talk *talk)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(server_port(talk->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_ok(connect(fd, (struct sockaddr *)&in, sizeof(in)));
	return fd;
}

int
own_give_fd(struct talk *talk)
{
	int fd;

	talk_renew_client(talk);
	fd = own_open(talk);
	ck_assert_ok(smtptls_client_set_fd(talk->client, fd));
	return fd;
}

static long
fault_of(long calls)
{
	switch (own_io.fault) {
	case INTERRUPTED:
		return calls % 2 != 0 ? -EINTR : 0;
	case BLOCKED:
		return calls % 2 != 0 ? -EAGAIN : 0;
	default:
		return 0;
	}
}

static long
broken(enum way_to_fail which, long calls)
{
	if (own_io.fault != which || calls < own_io.n)
		return 0;
	own_io.has_failed = true;
	return which == BROKEN_READ ? -ECONNRESET : -EPIPE;
}

long
own_read(void *buf, size_t cap, void *arg)
{
	long fault = fault_of(++own_io.reads);
	ssize_t n;

	ck_assert_ptr_eq(arg, &own_io);
	fault = fault != 0 ? fault : broken(BROKEN_READ, own_io.reads);
	if (own_io.read_result != 0)
		return own_io.read_result;
	if (fault != 0)
		return fault;
	n = recv(own_io.fd, buf, own_io.fault == SHORT ? 1 : cap, MSG_DONTWAIT);
	own_io.said_to_wait = n < 0;
	return n < 0 ? -errno : n;
}

long
own_write(const void *data, size_t len, void *arg)
{
	long fault = fault_of(++own_io.writes);
	ssize_t n;

	ck_assert_ptr_eq(arg, &own_io);
	ck_assert_uint_gt(len, 0);
	own_io.said_to_wait = false;
	fault = fault != 0 ? fault : broken(BROKEN_WRITE, own_io.writes);
	if (own_io.write_result == LONG_MAX)
		return (long)len + 1;
	if (own_io.write_result == -1)
		return 0;
	if (own_io.write_result != 0)
		return own_io.write_result;
	if (fault != 0)
		return fault;
	n = send(own_io.fd, data, own_io.fault == SHORT ? 1 : len,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

void
own_give_callbacks(struct talk *talk, enum way_to_fail fault)
{
	talk_renew_client(talk);
	memset(&own_io, 0, sizeof(own_io));
	own_io.fault = fault;
	own_io.fd = own_open(talk);
	talk->callback_fd = own_io.fd;
	ck_assert_ok(smtptls_client_set_callbacks(
	    talk->client, own_read, own_write, &own_io));
}

void
own_close(struct talk *talk)
{
	smtptls_client_free(talk->client);
	talk->client = NULL;
	ck_assert_ok(close(own_io.fd));
}
