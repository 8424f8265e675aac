/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/connector.h"
#include "net/fake-names.h"

#define WAIT_MS 20000
#define SHORT_MS 50

static struct stls_err err;

/* What connect(2) does, besides what it does. */
static enum {
	AS_USUAL,
	INTERRUPTED,
	TO_ITSELF,
	REFUSING, /* it is everything, at once */
	HANGING,  /* it does, whatever the address */
	RESETTING /* by who accepts, before anybody looks */
} connect_mode;

/* What became of IPv6 on this machine. */
static enum {
	THERE,
	WITHOUT_ROUTE,
	UNKNOWN
} ipv6_mode;

/* Addresses that connect(2) was called with, "4a 6b ": the last octet. */
static char connect_log[8 * STLS_ENDPOINTS_MAX];
static int connect_calls;

static int listener_that_resets = -1;

/* How much later it is than it is; or the time stands still but for that. */
static int64_t skipped_ms;
static bool clock_stands;
static struct timespec stands_at;

int fake_clock_gettime(clockid_t clock, struct timespec *out) __asm__(
    "clock_gettime");

int
fake_clock_gettime(clockid_t clock, struct timespec *out)
{
	int (*real)(clockid_t, struct timespec *);
	int r;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = clock_stands ? 0 : real(clock, out);
	if (clock_stands)
		*out = stands_at;
	out->tv_sec += (time_t)(skipped_ms / 1000);
	out->tv_nsec += (long)(skipped_ms % 1000) * 1000000;
	if (out->tv_nsec >= 1000000000) {
		out->tv_nsec -= 1000000000;
		out->tv_sec++;
	}
	return r;
}

static void
stop_the_clock(void)
{
	clock_gettime(CLOCK_MONOTONIC, &stands_at);
	clock_stands = true;
	skipped_ms = 0;
}

/* Connections to 192.0.2.1 hang until this pipe is drained. */
static int full_pipe[2] = { -1, -1 };

static void
hang(int fd)
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
	size_t len = strlen(connect_log);
	bool is_4 = address->sa_family == AF_INET;

	connect_calls++;
	snprintf(connect_log + len, sizeof(connect_log) - len, "%d%c ",
	    is_4 ? 4 : 6,
	    'a' +
		(int)(is_4 ? ntohl(in->sin_addr.s_addr) & 0xf
			   : in6->sin6_addr.s6_addr[15] & 0xf) -
		1);
}

static bool
is_to_hang(const struct sockaddr *address)
{
	return connect_mode == HANGING ||
	    (address->sa_family == AF_INET &&
		((const struct sockaddr_in *)(const void *)address)
			->sin_addr.s_addr == inet_addr("192.0.2.1"));
}

static void
reset_next(int listener)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int fd = accept(listener, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
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
	if (connect_mode == REFUSING ||
	    (address->sa_family == AF_INET6 && ipv6_mode == WITHOUT_ROUTE)) {
		errno = connect_mode == REFUSING ? ECONNREFUSED : ENETUNREACH;
		return -1;
	}
	if (is_to_hang(address)) {
		hang(fd);
		errno = EINPROGRESS;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	if (connect_mode == TO_ITSELF)
		ck_assert_ok(bind(fd, address, len));
	r = real(fd, address, len);
	if (connect_mode == RESETTING && listener_that_resets >= 0) {
		reset_next(listener_that_resets);
		listener_that_resets = -1;
	}
	if (connect_mode == INTERRUPTED && (r == 0 || errno == EINPROGRESS)) {
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

	if (family == AF_INET6 && ipv6_mode == UNKNOWN) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "socket");
	return real(family, type, protocol);
}

/* Descriptors that are open. */
static int
count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	}
	return n;
}

/* A socket with a port of its own, listening or not. */
static int
bound_socket(int family, bool listens, uint16_t *out_port)
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

static int
start(struct stls_connector *c, const char *text, int timeout_ms)
{
	struct stls_place place;
	int r;

	ck_assert_msg(
	    stls_place_parse(&err, text, &place) == 0, "%s", err.text);
	r = stls_connector_start(c, &err, &place, timeout_ms);
	stls_place_done(&place);
	return r;
}

/* Drive to the end, as a caller does; how often only time has passed. */
static int
drive_and_count(struct stls_connector *c, int *out_fd, int *out_timeouts)
{
	struct pollfd fds[STLS_ATTEMPTS_MAX];
	size_t n;
	int r, left, ready;

	for (;;) {
		r = stls_connector_drive(c, &err, out_fd);
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

static int
drive(struct stls_connector *c, int *out_fd)
{
	int timeouts = 0;

	return drive_and_count(c, out_fd, &timeouts);
}

/* Until the names are there and the first address is tried, which hangs. */
static void
drive_to_first_attempt(struct stls_connector *c)
{
	struct pollfd pfd;
	int fd = -1;

	ck_assert_uint_eq(stls_connector_pollfds(c, &pfd, 1), 1);
	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	ck_assert_int_eq(stls_connector_drive(c, &err, &fd), SMTPTLS_AGAIN);
	ck_assert_int_eq(connect_calls, 1);
}

/* Go on, and have the time pass without waiting for it. */
static int
drive_and_skip(struct stls_connector *c, int *out_fd)
{
	int r, left;

	if (!clock_stands)
		stop_the_clock();
	while ((r = stls_connector_drive(c, &err, out_fd)) == SMTPTLS_AGAIN) {
		left = stls_deadline_left_ms(stls_connector_deadline(c));
		ck_assert_int_gt(left, 0);
		skipped_ms += left;
		ck_assert_uint_le(
		    stls_connector_pollfds(c, NULL, 0), STLS_ATTEMPTS_MAX);
	}
	return r;
}

static int
connect_to(const char *text, int timeout_ms, char *out_peer, size_t cap)
{
	struct stls_connector c = { 0 };
	int fd = -1, r;

	r = start(&c, text, timeout_ms);
	if (r == SMTPTLS_OK)
		r = drive(&c, &fd);
	if (out_peer != NULL)
		snprintf(out_peer, cap, "%s", c.peer);
	stls_connector_done(&c);
	ck_assert_int_eq(r == SMTPTLS_OK, fd >= 0);
	return r < 0 ? r : fd;
}

START_TEST(socket_is_connected_and_as_promised)
{
	int family = _i == 0 ? AF_INET : AF_INET6, listener, fd, value = 0;
	char text[64], peer[128], c;
	socklen_t len = sizeof(value);
	uint16_t port = 0;

	listener = bound_socket(family, true, &port);
	if (listener < 0 && family == AF_INET6)
		return; /* a machine without IPv6 */
	snprintf(text, sizeof(text), "%s:%u",
	    family == AF_INET ? "127.0.0.1" : "[::1]", (unsigned int)port);
	fd = connect_to(text, WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_str_eq(peer, text);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	ck_assert_ok(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len));
	ck_assert_int_ne(value, 0);
	ck_assert_int_eq(read(fd, &c, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fake_names_calls(), 0);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(connection_is_refused_with_address_and_port)
{
	char text[64], expected[128];
	int closed, fds;
	uint16_t port;

	closed = bound_socket(AF_INET, false, &port);
	fds = count_fds();
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	ck_assert_int_eq(connect_to(text, WAIT_MS, NULL, 0), SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to %s: Connection refused", text);
	ck_assert_str_eq(err.text, expected);
	ck_assert_int_eq(count_fds(), fds);
	close(closed);
}
END_TEST

START_TEST(failure_stays)
{
	struct stls_connector c = { 0 };
	char text[64];
	uint16_t port;
	int closed, fd = -1;

	closed = bound_socket(AF_INET, false, &port);
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	ck_assert_ok(start(&c, text, WAIT_MS));
	ck_assert_int_eq(drive(&c, &fd), SMTPTLS_E_CONNECT);
	stls_err_clear(&err);
	ck_assert_int_eq(
	    stls_connector_drive(&c, &err, &fd), SMTPTLS_E_CONNECT);
	ck_assert_ptr_nonnull(strstr(err.text, "Connection refused"));
	ck_assert_int_eq(fd, -1);
	stls_connector_done(&c);
	stls_connector_done(&c);
	close(closed);
}
END_TEST

START_TEST(refused_address_leads_to_the_next)
{
	char expected[64], peer[128];
	uint16_t port_closed, port_open;
	int closed, listener, fd;

	closed = bound_socket(AF_INET, false, &port_closed);
	listener = bound_socket(AF_INET, true, &port_open);
	fake_names_add("127.0.0.1", port_closed);
	fake_names_add("127.0.0.1", port_open);
	fd = connect_to("mail.example.org:587", WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", err.text);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u",
	    (unsigned int)port_open);
	ck_assert_str_eq(peer, expected);
	ck_assert_int_eq(fake_names_calls(), 1);
	ck_assert_int_eq(fake_names_lists(), 0);
	close(fd);
	close(closed);
	close(listener);
}
END_TEST

START_TEST(when_all_are_refused_the_last_is_named)
{
	char expected[128];
	uint16_t port_1, port_2;
	int closed_1, closed_2, fds;

	closed_1 = bound_socket(AF_INET, false, &port_1);
	closed_2 = bound_socket(AF_INET, false, &port_2);
	fake_names_add("127.0.0.1", port_1);
	fake_names_add("127.0.0.1", port_2);
	fds = count_fds();
	ck_assert_int_eq(connect_to("mail.example.org:587", WAIT_MS, NULL, 0),
	    SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to 127.0.0.1:%u: Connection refused (the last of 2 "
	    "addresses)",
	    (unsigned int)port_2);
	ck_assert_str_eq(err.text, expected);
	ck_assert_int_eq(count_fds(), fds);
	close(closed_1);
	close(closed_2);
}
END_TEST

START_TEST(address_that_does_not_answer_is_timeout)
{
	int64_t before = stls_now_ms();

	ck_assert_int_eq(
	    connect_to("192.0.2.1:587", SHORT_MS, NULL, 0), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(
	    err.text, "connection to 192.0.2.1:587: no answer within 50 ms");
	ck_assert_int_ge(stls_now_ms() - before, SHORT_MS);
}
END_TEST

START_TEST(address_that_does_not_answer_leads_to_the_next)
{
	uint16_t port;
	int listener, fd;

	listener = bound_socket(AF_INET, true, &port);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port);
	fd = connect_to("mail.example.org:587", WAIT_MS, NULL, 0);
	ck_assert_msg(fd >= 0, "%s", err.text);
	close(fd);
	close(listener);
}
END_TEST

/* --- the race --- */

/* A listener whose backlog is full: it answers nothing any more. */
static int
silent_listener(uint16_t *out_port, int *out_filler)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = bound_socket(AF_INET, false, out_port);

	ck_assert_int_ge(fd, 0);
	ck_assert_ok(listen(fd, 0));
	in.sin_port = htons(*out_port);
	*out_filler = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_ok(connect(*out_filler, (struct sockaddr *)&in, sizeof(in)));
	return fd;
}

START_TEST(silent_address_does_not_keep_the_next_from_winning)
{
	struct stls_connector c = { 0 };
	uint16_t port_silent, port_open;
	int silent, filler, listener, fd = -1, fds, timeouts = 0;
	int64_t before;

	silent = silent_listener(&port_silent, &filler);
	listener = bound_socket(AF_INET, true, &port_open);
	fake_names_add("127.0.0.1", port_silent);
	fake_names_add("127.0.0.1", port_open);
	fds = count_fds();
	ck_assert_ok(start(&c, "mail.example.org:587", WAIT_MS));
	before = stls_now_ms();
	ck_assert_ok(drive_and_count(&c, &fd, &timeouts));
	ck_assert_int_le(timeouts, 1);
	ck_assert_int_ge(stls_now_ms() - before, 250);
	ck_assert_int_lt(stls_now_ms() - before, WAIT_MS / 2);
	/* The loser is closed, the winner is not. */
	ck_assert_int_eq(count_fds(), fds + 1);
	stls_connector_done(&c);
	ck_assert_int_eq(count_fds(), fds + 1);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	close(fd);
	close(listener);
	close(filler);
	close(silent);
}
END_TEST

START_TEST(refusal_lets_the_next_begin_at_once)
{
	struct stls_connector c = { 0 };
	uint16_t port_closed, port_open;
	int closed, listener, fd = -1, timeouts = 0;

	closed = bound_socket(AF_INET, false, &port_closed);
	listener = bound_socket(AF_INET, true, &port_open);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port_closed);
	fake_names_add("127.0.0.1", port_open);
	ck_assert_ok(start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_ok(drive_and_count(&c, &fd, &timeouts));
	ck_assert_int_le(timeouts, 1);
	ck_assert_int_eq(connect_calls, 3);
	stls_connector_done(&c);
	close(fd);
	close(listener);
	close(closed);
}
END_TEST

static const struct order {
	const char *const given[8];
	const char *tried;
} orders[] = {
	{ { "::1", "::2", "192.0.2.1", "192.0.2.2" }, "6a 4a 6b 4b " },
	{ { "192.0.2.1", "192.0.2.2", "::1", "::2" }, "4a 6a 4b 6b " },
	{ { "::1", "192.0.2.1", "::2", "192.0.2.2" }, "6a 4a 6b 4b " },
	{ { "::1", "::2", "::3", "192.0.2.1" }, "6a 4a 6b 6c " },
	{ { "192.0.2.1", "::1", "::2", "::3" }, "4a 6a 6b 6c " },
	{ { "::2", "::1" }, "6b 6a " },
	{ { "192.0.2.3", "192.0.2.1", "192.0.2.2" }, "4c 4a 4b " },
	{ { "192.0.2.1" }, "4a " },
};

START_TEST(families_take_turns_in_the_order_of_the_names)
{
	const struct order *t = &orders[_i];
	struct stls_connector c = { 0 };
	size_t i;
	int fd = -1;

	connect_mode = REFUSING;
	for (i = 0; t->given[i] != NULL; i++)
		fake_names_add(t->given[i], 587);
	ck_assert_ok(start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_int_eq(drive(&c, &fd), SMTPTLS_E_CONNECT);
	ck_assert_str_eq(connect_log, t->tried);
	stls_connector_done(&c);
}
END_TEST

START_TEST(given_addresses_race_without_a_look_up)
{
	const struct order *t = &orders[_i];
	struct stls_place place = { 0 };
	struct stls_connector c = { 0 };
	char text[64];
	size_t i;
	int fd = -1;

	connect_mode = REFUSING;
	for (i = 0; t->given[i] != NULL; i++) {
		snprintf(text, sizeof(text),
		    strchr(t->given[i], ':') != NULL ? "[%s]:25" : "%s:25",
		    t->given[i]);
		ck_assert_ok(stls_place_add_address(&err, &place, text));
	}
	ck_assert_ok(stls_connector_start(&c, &err, &place, WAIT_MS));
	stls_place_done(&place);
	ck_assert_int_eq(drive(&c, &fd), SMTPTLS_E_CONNECT);
	ck_assert_str_eq(connect_log, t->tried);
	ck_assert_int_eq(fake_names_calls(), 0);
	stls_connector_done(&c);
}
END_TEST

/* When the attempts of a race begin, in ms; where none fails before. */
START_TEST(attempts_begin_by_the_clock_and_each_has_its_time)
{
	static const struct {
		int64_t at;
		int calls;
		size_t in_flight;
	} steps[] = { { 0, 1, 1 }, { 250, 2, 2 }, { 500, 3, 3 }, { 750, 4, 4 },
		{ 1000, 5, 4 }, { 1250, 6, 4 }, { 1500, 6, 3 },
		{ 1750, 6, 2 } };
	struct stls_connector c = { 0 };
	size_t i, n;
	int64_t before;
	int fd = -1, r;

	connect_mode = HANGING;
	for (i = 0; i < 6; i++)
		fake_names_add(i % 2 == 0 ? "::1" : "192.0.2.1", 587);
	ck_assert_ok(start(&c, "mail.example.org:587", 1000));
	stop_the_clock();
	drive_to_first_attempt(&c);
	before = stls_now_ms();
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		skipped_ms += before + steps[i].at - stls_now_ms();
		r = stls_connector_drive(&c, &err, &fd);
		ck_assert_int_eq(r, SMTPTLS_AGAIN);
		ck_assert_int_eq(connect_calls, steps[i].calls);
		n = stls_connector_pollfds(&c, NULL, 0);
		ck_assert_uint_eq(n, steps[i].in_flight);
	}
	ck_assert_int_eq(drive_and_skip(&c, &fd), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(err.text,
	    "connection to 192.0.2.1:587: no answer within 1000 ms (the last "
	    "of 6 addresses)");
	stls_connector_done(&c);
}
END_TEST

START_TEST(hundred_silent_addresses_are_tried_a_few_at_a_time)
{
	struct stls_connector c = { 0 };
	int fd = -1, fds, i;
	/* The look-up is done when the number of descriptors is known. */
	int count = _i == 0 ? 100 : 200;
	int tried = _i == 0 ? 100 : STLS_ENDPOINTS_MAX;
	char expected[64];

	connect_mode = HANGING;
	hang(dup(0));
	for (i = 0; i < count; i++)
		fake_names_add(i % 3 == 0 ? "192.0.2.2" : "::1", 587);
	fds = count_fds();
	ck_assert_ok(start(&c, "mail.example.org:587", 30000));
	drive_to_first_attempt(&c);
	ck_assert_int_eq(drive_and_skip(&c, &fd), SMTPTLS_E_TIMEOUT);
	ck_assert_int_eq(connect_calls, tried);
	snprintf(
	    expected, sizeof(expected), "(the last of %d addresses)", tried);
	ck_assert_msg(strstr(err.text, expected) != NULL, "%s", err.text);
	ck_assert_int_eq(count_fds(), fds);
	stls_connector_done(&c);
}
END_TEST

START_TEST(driving_too_often_begins_no_attempt_too_many)
{
	struct stls_connector c = { 0 };
	int fd = -1, i;

	connect_mode = HANGING;
	for (i = 0; i < 2 * STLS_ATTEMPTS_MAX; i++)
		fake_names_add("::1", 587);
	ck_assert_ok(start(&c, "mail.example.org:587", WAIT_MS));
	drive_to_first_attempt(&c);
	for (i = 0; i < 2 * STLS_ATTEMPTS_MAX; i++) {
		skipped_ms += 251;
		ck_assert_int_eq(
		    stls_connector_drive(&c, &err, &fd), SMTPTLS_AGAIN);
	}
	ck_assert_int_eq(connect_calls, STLS_ATTEMPTS_MAX);
	stls_connector_done(&c);
}
END_TEST

START_TEST(machine_without_ipv6_connects_by_ipv4)
{
	uint16_t port;
	int listener, fd;

	ipv6_mode = _i == 0 ? WITHOUT_ROUTE : UNKNOWN;
	listener = bound_socket(AF_INET, true, &port);
	fake_names_add("2001:db8::1", 587);
	fake_names_add("2001:db8::2", 587);
	fake_names_add("127.0.0.1", port);
	fd = connect_to("mail.example.org:587", WAIT_MS, NULL, 0);
	ck_assert_msg(fd >= 0, "%s", err.text);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(refusal_is_told_rather_than_that_there_is_no_ipv6)
{
	char expected[128];
	uint16_t port;
	int closed, i;

	ipv6_mode = _i == 0 ? WITHOUT_ROUTE : UNKNOWN;
	closed = bound_socket(AF_INET, false, &port);
	fake_names_add("127.0.0.1", port);
	for (i = 0; i < 2; i++)
		fake_names_add("2001:db8::1", 587);
	ck_assert_int_eq(connect_to("mail.example.org:587", WAIT_MS, NULL, 0),
	    SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to 127.0.0.1:%u: Connection refused (one of 3 "
	    "addresses)",
	    (unsigned int)port);
	ck_assert_str_eq(err.text, expected);
	close(closed);
}
END_TEST

START_TEST(without_any_way_that_is_what_is_told)
{
	ipv6_mode = WITHOUT_ROUTE;
	fake_names_add("2001:db8::1", 587);
	fake_names_add("2001:db8::2", 587);
	ck_assert_int_eq(connect_to("mail.example.org:587", WAIT_MS, NULL, 0),
	    SMTPTLS_E_CONNECT);
	ck_assert_str_eq(err.text,
	    "connection to [2001:db8::1]:587: Network is unreachable (one of "
	    "2 addresses)");
}
END_TEST

START_TEST(connection_reset_during_the_race_leads_to_the_next)
{
	char expected[64], peer[128];
	uint16_t port_bad, port_good;
	int bad, good, fd;

	bad = bound_socket(AF_INET, true, &port_bad);
	good = bound_socket(AF_INET, true, &port_good);
	fake_names_add("127.0.0.1", port_bad);
	fake_names_add("127.0.0.1", port_good);
	connect_mode = RESETTING;
	listener_that_resets = bad;
	fd = connect_to("mail.example.org:587", WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", err.text);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u",
	    (unsigned int)port_good);
	ck_assert_str_eq(peer, expected);
	close(fd);
	close(good);
	close(bad);
}
END_TEST

static int closed_fds[8], closed_count;

static void
note_closing(int fd, void *arg)
{
	ck_assert_ptr_eq(arg, closed_fds);
	/* It is still open, and not another one already. */
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	closed_fds[closed_count++] = fd;
}

START_TEST(descriptors_are_told_before_they_are_closed)
{
	struct pollfd fds[STLS_ATTEMPTS_MAX];
	struct stls_connector c = { 0 };
	uint16_t port;
	int listener, fd = -1;

	listener = bound_socket(AF_INET, true, &port);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port);
	/* The first one loses, is given up, or fails. */
	ck_assert_ok(
	    start(&c, "mail.example.org:587", _i == 2 ? SHORT_MS : WAIT_MS));
	c.closing = note_closing;
	c.arg = closed_fds;
	ck_assert_uint_eq(stls_connector_pollfds(&c, fds, 1), 1);
	drive_to_first_attempt(&c);
	ck_assert_int_eq(closed_count, 1);
	ck_assert_int_eq(closed_fds[0], fds[0].fd);
	ck_assert_uint_eq(stls_connector_pollfds(&c, fds, 1), 1);
	if (_i != 1) {
		ck_assert_ok(drive_and_skip(&c, &fd));
		ck_assert_int_eq(closed_count, 2);
		ck_assert_int_eq(closed_fds[1], fds[0].fd);
		close(fd);
	}
	stls_connector_done(&c);
	ck_assert_int_eq(closed_count, 2);
	ck_assert_int_eq(closed_fds[1], fds[0].fd);
	close(listener);
}
END_TEST

START_TEST(without_a_descriptor_the_next_waits_while_another_may_win)
{
	struct stls_connector c = { 0 };
	struct rlimit old, none;
	uint16_t port;
	int listener, fd = -1;

	listener = bound_socket(AF_INET, true, &port);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port);
	ck_assert_ok(start(&c, "mail.example.org:587", WAIT_MS));
	drive_to_first_attempt(&c);
	ck_assert_ok(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &none));
	skipped_ms += 250;
	ck_assert_int_eq(stls_connector_drive(&c, &err, &fd), SMTPTLS_AGAIN);
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &old));
	ck_assert_int_eq(connect_calls, 1);
	ck_assert_int_gt(stls_deadline_left_ms(stls_connector_deadline(&c)), 0);
	ck_assert_ok(drive_and_skip(&c, &fd));
	ck_assert_int_eq(connect_calls, 2);
	stls_connector_done(&c);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(without_memory_for_addresses_it_is_nomem)
{
	struct stls_connector c = { 0 };
	struct stls_place place;
	struct pollfd pfd;
	int fd = -1, fds;

	fake_names_add("192.0.2.1", 587);
	fds = count_fds();
	ck_assert_ok(start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 1);
	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	stls_alloc_fail_at((unsigned long)_i);
	ck_assert_int_eq(drive(&c, &fd), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_int_eq(stls_connector_drive(&c, &err, &fd), SMTPTLS_E_NOMEM);
	stls_connector_done(&c);
	ck_assert_int_eq(count_fds(), fds);
	ck_assert_int_eq(fake_names_lists(), 0);

	ck_assert_ok(stls_place_parse(&err, "192.0.2.1:587", &place));
	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    stls_connector_start(&c, &err, &place, WAIT_MS), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	stls_place_done(&place);
	stls_connector_done(&c);
}
END_TEST

/* --- */

START_TEST(connect_that_was_interrupted_goes_on)
{
	char text[64];
	uint16_t port;
	int listener, fd;

	listener = bound_socket(AF_INET, true, &port);
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	connect_mode = INTERRUPTED;
	fd = connect_to(text, WAIT_MS, NULL, 0);
	ck_assert_msg(fd >= 0, "%s", err.text);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(connection_to_itself_is_refused)
{
	char text[64];
	uint16_t port;
	int fds;

	close(bound_socket(AF_INET, false, &port));
	fds = count_fds();
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	connect_mode = TO_ITSELF;
	ck_assert_int_eq(connect_to(text, WAIT_MS, NULL, 0), SMTPTLS_E_CONNECT);
	ck_assert_ptr_nonnull(strstr(err.text, "Connection refused"));
	ck_assert_int_eq(count_fds(), fds);
}
END_TEST

START_TEST(driving_without_need_does_no_harm)
{
	struct stls_connector c = { 0 };
	struct pollfd pfd;
	stls_deadline deadline;
	int fd = -1, i;

	ck_assert_ok(start(&c, "192.0.2.1:587", WAIT_MS));
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 0);
	ck_assert_int_eq(stls_deadline_left_ms(stls_connector_deadline(&c)), 0);
	ck_assert_int_eq(stls_connector_drive(&c, &err, &fd), SMTPTLS_AGAIN);
	deadline = stls_connector_deadline(&c);
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(
		    stls_connector_drive(&c, &err, &fd), SMTPTLS_AGAIN);
	ck_assert(stls_connector_deadline(&c) == deadline);
	ck_assert_uint_eq(stls_connector_pollfds(&c, NULL, 0), 1);
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 1);
	ck_assert_int_eq(pfd.events, POLLOUT);
	stls_connector_done(&c);
}
END_TEST

START_TEST(host_that_does_not_exist_is_told_from_no_answer)
{
	struct stls_connector c = { 0 };
	int fd = -1;

	fake_names_fail(_i == 0 ? EAI_NONAME : EAI_AGAIN, 0);
	ck_assert_ok(start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_int_eq(drive(&c, &fd), SMTPTLS_E_RESOLVE);
	ck_assert_int_eq(c.host_does_not_exist, _i == 0);
	ck_assert_str_eq(err.text,
	    _i == 0 ? "host mail.example.org does not exist"
		    : "the name service does not answer for mail.example.org");
	ck_assert_int_eq(
	    stls_connector_drive(&c, &err, &fd), SMTPTLS_E_RESOLVE);
	ck_assert_str_eq(c.peer, "");
	stls_connector_done(&c);
}
END_TEST

START_TEST(name_service_that_hangs_is_timeout)
{
	struct stls_connector c = { 0 };
	struct pollfd pfd;
	int fd = -1, gone;

	fake_names_add("192.0.2.1", 587);
	fake_names_hang();
	ck_assert_ok(start(&c, "mail.example.org:587", SHORT_MS));
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 1);
	ck_assert_int_eq(pfd.events, POLLIN);
	gone = dup(pfd.fd);
	ck_assert_int_eq(drive(&c, &fd), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(err.text,
	    "the name service does not answer for "
	    "mail.example.org within 50 ms");
	stls_connector_done(&c);

	fake_names_let_go();
	pfd = (struct pollfd){ .fd = gone };
	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	fake_names_wait_for_threads();
	ck_assert_int_eq(fake_names_lists(), 0);
	close(gone);
}
END_TEST

START_TEST(giving_up_while_connecting_closes)
{
	struct stls_connector c = { 0 };
	int fds, fd = -1;

	ck_assert_ok(start(&c, "192.0.2.1:587", WAIT_MS));
	ck_assert_int_eq(stls_connector_drive(&c, &err, &fd), SMTPTLS_AGAIN);
	fds = count_fds();
	stls_connector_done(&c);
	ck_assert_int_eq(count_fds(), fds - 1);
	/* Descriptor 0 is not what a zeroed connector closes. */
	ck_assert_int_ge(fcntl(0, F_GETFD), 0);
	stls_connector_done(&c);
	ck_assert_int_eq(count_fds(), fds - 1);
}
END_TEST

START_TEST(without_a_descriptor_it_says_so)
{
	struct stls_connector c = { 0 };
	struct rlimit old, none;
	int fd = -1;

	ck_assert_ok(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	ck_assert_ok(start(&c, "192.0.2.1:587", WAIT_MS));
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &none));
	ck_assert_int_eq(
	    stls_connector_drive(&c, &err, &fd), SMTPTLS_E_CONNECT);
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &old));
	ck_assert_str_eq(
	    err.text, "connection to 192.0.2.1:587: Too many open files");
	stls_connector_done(&c);
}
END_TEST

/* A path in a fresh directory; the caller removes both. */
static void
unix_path(char *path, size_t cap)
{
	char dir[] = "/tmp/smtptls-test-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, cap, "unix:%s/socket", dir);
}

static void
remove_unix_path(char *path)
{
	unlink(path + 5);
	*strrchr(path, '/') = '\0';
	ck_assert_ok(rmdir(path + 5));
}

START_TEST(unix_socket_is_connected)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[64], peer[128];
	int listener, fd;

	unix_path(path, sizeof(path));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path + 5);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_ok(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)));
	ck_assert_ok(listen(listener, 1));
	fd = connect_to(path, WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_str_eq(peer, path);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	close(fd);
	close(listener);
	remove_unix_path(path);
}
END_TEST

START_TEST(unix_socket_that_is_not_there_is_an_error_at_once)
{
	struct stls_connector c = { 0 };
	char path[64], expected[128];
	int fds = count_fds();

	unix_path(path, sizeof(path));
	ck_assert_int_eq(start(&c, path, WAIT_MS), SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to %s: No such file or directory", path);
	ck_assert_str_eq(err.text, expected);
	stls_connector_done(&c);
	ck_assert_int_eq(count_fds(), fds);
	remove_unix_path(path);
}
END_TEST

START_TEST(unix_path_that_does_not_fit_is_refused)
{
	struct stls_place place = { 0 };
	struct stls_connector c = { 0 };
	char path[200];

	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	place.unix_path = path;
	ck_assert_int_eq(
	    stls_connector_start(&c, &err, &place, WAIT_MS), SMTPTLS_E_INVALID);
	stls_connector_done(&c);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("connector");
	TCase *tc = tcase_create("connector");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, socket_is_connected_and_as_promised, 0, 2);
	tcase_add_test(tc, connection_is_refused_with_address_and_port);
	tcase_add_test(tc, failure_stays);
	tcase_add_test(tc, refused_address_leads_to_the_next);
	tcase_add_test(tc, when_all_are_refused_the_last_is_named);
	tcase_add_test(tc, address_that_does_not_answer_is_timeout);
	tcase_add_test(tc, address_that_does_not_answer_leads_to_the_next);
	tcase_add_test(tc, silent_address_does_not_keep_the_next_from_winning);
	tcase_add_test(tc, refusal_lets_the_next_begin_at_once);
	tcase_add_loop_test(tc, families_take_turns_in_the_order_of_the_names,
	    0, COUNT(orders));
	tcase_add_loop_test(
	    tc, given_addresses_race_without_a_look_up, 0, COUNT(orders));
	tcase_add_test(tc, attempts_begin_by_the_clock_and_each_has_its_time);
	tcase_add_loop_test(
	    tc, hundred_silent_addresses_are_tried_a_few_at_a_time, 0, 2);
	tcase_add_test(tc, driving_too_often_begins_no_attempt_too_many);
	tcase_add_loop_test(tc, machine_without_ipv6_connects_by_ipv4, 0, 2);
	tcase_add_loop_test(
	    tc, refusal_is_told_rather_than_that_there_is_no_ipv6, 0, 2);
	tcase_add_test(tc, without_any_way_that_is_what_is_told);
	tcase_add_test(tc, connection_reset_during_the_race_leads_to_the_next);
	tcase_add_loop_test(
	    tc, descriptors_are_told_before_they_are_closed, 0, 3);
	tcase_add_test(
	    tc, without_a_descriptor_the_next_waits_while_another_may_win);
	tcase_add_loop_test(tc, without_memory_for_addresses_it_is_nomem, 1, 3);
	tcase_add_test(tc, connect_that_was_interrupted_goes_on);
	tcase_add_test(tc, connection_to_itself_is_refused);
	tcase_add_test(tc, driving_without_need_does_no_harm);
	tcase_add_loop_test(
	    tc, host_that_does_not_exist_is_told_from_no_answer, 0, 2);
	tcase_add_test(tc, name_service_that_hangs_is_timeout);
	tcase_add_test(tc, giving_up_while_connecting_closes);
	tcase_add_test(tc, without_a_descriptor_it_says_so);
	tcase_add_test(tc, unix_socket_is_connected);
	tcase_add_test(tc, unix_socket_that_is_not_there_is_an_error_at_once);
	tcase_add_test(tc, unix_path_that_does_not_fit_is_refused);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
