/* SPDX-License-Identifier: MIT */
#include "net/dial.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/fake-clock.h"
#include "net/fake-network.h"
#include "test.h"

struct stls_err dial_err;

int
dial_socket(int family, bool listens, uint16_t *out_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *address = family == AF_INET ? (void *)&in
						     : (void *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, address, len) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	ck_assert_ok(getsockname(fd, address, &len));
	if (listens)
		ck_assert_ok(listen(fd, 5));
	*out_port = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
	return fd;
}

int
dial_start(struct stls_connector *c, const char *text, int timeout_ms)
{
	struct stls_place place;
	int r;

	ck_assert_msg(stls_place_parse(&dial_err, text, &place) == 0, "%s",
	    dial_err.text);
	r = stls_connector_start(c, &dial_err, &place, timeout_ms);
	stls_place_done(&place);
	return r;
}

int
dial_drive_and_count(struct stls_connector *c, int *out_fd, int *out_timeouts)
{
	struct pollfd fds[STLS_ATTEMPTS_MAX];
	size_t n;
	int r, left, ready;

	for (;;) {
		r = stls_connector_drive(c, &dial_err, out_fd);
		if (r != SMTPTLS_AGAIN)
			return r;
		n = stls_connector_pollfds(c, fds, STLS_ATTEMPTS_MAX);
		ck_assert_uint_ge(n, 1);
		ck_assert_uint_le(n, STLS_ATTEMPTS_MAX);
		left = stls_deadline_left_ms(stls_connector_deadline(c));
		ck_assert_int_ge(left, 0);
		ck_assert_int_le(left, WAIT_MS);
		ready = poll(fds, (nfds_t)n, left);
		ck_assert_int_ge(ready, 0);
		*out_timeouts += ready == 0 ? 1 : 0;
	}
}

int
dial_drive(struct stls_connector *c, int *out_fd)
{
	int timeouts = 0;

	return dial_drive_and_count(c, out_fd, &timeouts);
}

void
dial_drive_to_first_attempt(struct stls_connector *c)
{
	struct pollfd pfd;
	int fd = -1;

	ck_assert_uint_eq(stls_connector_pollfds(c, &pfd, 1), 1);
	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	ck_assert_int_eq(
	    stls_connector_drive(c, &dial_err, &fd), SMTPTLS_AGAIN);
	ck_assert_int_eq(fake_network.calls, 1);
}

int
dial_drive_and_skip(struct stls_connector *c, int *out_fd)
{
	int r, left;

	fake_clock_stop();
	while (
	    (r = stls_connector_drive(c, &dial_err, out_fd)) == SMTPTLS_AGAIN) {
		left = stls_deadline_left_ms(stls_connector_deadline(c));
		ck_assert_int_gt(left, 0);
		fake_clock_skip(left);
		ck_assert_uint_le(
		    stls_connector_pollfds(c, NULL, 0), STLS_ATTEMPTS_MAX);
	}
	return r;
}

int
dial(const char *text, int timeout_ms, char *out_peer, size_t cap)
{
	struct stls_connector c = { 0 };
	int fd = -1, r;

	r = dial_start(&c, text, timeout_ms);
	if (r == SMTPTLS_OK)
		r = dial_drive(&c, &fd);
	if (out_peer != NULL)
		snprintf(out_peer, cap, "%s", c.peer);
	stls_connector_done(&c);
	ck_assert_int_eq(r == SMTPTLS_OK, fd >= 0);
	return r < 0 ? r : fd;
}
