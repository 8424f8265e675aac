/* SPDX-License-Identifier: MIT */
/* One address, and what a caller may rely on. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/fake-names.h"

START_TEST(socket_is_connected_and_as_promised)
{
	int family = _i == 0 ? AF_INET : AF_INET6, listener, fd, value = 0;
	char text[64], peer[128], c;
	socklen_t len = sizeof(value);
	uint16_t port = 0;

	listener = dial_socket(family, true, &port);
	if (listener < 0 && family == AF_INET6)
		return; /* a machine without IPv6 */
	snprintf(text, sizeof(text), "%s:%u",
	    family == AF_INET ? "127.0.0.1" : "[::1]", (unsigned int)port);
	fd = dial(text, WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", dial_err.text);
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

	closed = dial_socket(AF_INET, false, &port);
	fds = test_count_fds();
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	ck_assert_int_eq(dial(text, WAIT_MS, NULL, 0), SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to %s: Connection refused", text);
	ck_assert_str_eq(dial_err.text, expected);
	ck_assert_int_eq(test_count_fds(), fds);
	close(closed);
}
END_TEST

START_TEST(failure_stays)
{
	struct stls_connector c = { 0 };
	char text[64];
	uint16_t port;
	int closed, fd = -1;

	closed = dial_socket(AF_INET, false, &port);
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	ck_assert_ok(dial_start(&c, text, WAIT_MS));
	ck_assert_int_eq(dial_drive(&c, &fd), SMTPTLS_E_CONNECT);
	stls_err_clear(&dial_err);
	ck_assert_int_eq(
	    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_E_CONNECT);
	ck_assert_ptr_nonnull(strstr(dial_err.text, "Connection refused"));
	ck_assert_int_eq(fd, -1);
	stls_connector_done(&c);
	stls_connector_done(&c);
	close(closed);
}
END_TEST

START_TEST(driving_without_need_does_no_harm)
{
	struct stls_connector c = { 0 };
	struct pollfd pfd;
	stls_deadline deadline;
	int fd = -1, i;

	ck_assert_ok(dial_start(&c, "192.0.2.1:587", WAIT_MS));
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 0);
	ck_assert_int_eq(stls_deadline_left_ms(stls_connector_deadline(&c)), 0);
	ck_assert_int_eq(
	    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_AGAIN);
	deadline = stls_connector_deadline(&c);
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(
		    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_AGAIN);
	ck_assert(stls_connector_deadline(&c) == deadline);
	ck_assert_uint_eq(stls_connector_pollfds(&c, NULL, 0), 1);
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 1);
	ck_assert_int_eq(pfd.events, POLLOUT);
	stls_connector_done(&c);
}
END_TEST

START_TEST(giving_up_while_connecting_closes)
{
	struct stls_connector c = { 0 };
	int fds, fd = -1;

	ck_assert_ok(dial_start(&c, "192.0.2.1:587", WAIT_MS));
	ck_assert_int_eq(
	    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_AGAIN);
	fds = test_count_fds();
	stls_connector_done(&c);
	ck_assert_int_eq(test_count_fds(), fds - 1);
	/* Descriptor 0 is not what a zeroed connector closes. */
	ck_assert_int_ge(fcntl(0, F_GETFD), 0);
	stls_connector_done(&c);
	ck_assert_int_eq(test_count_fds(), fds - 1);
}
END_TEST

START_TEST(host_that_does_not_exist_is_told_from_no_answer)
{
	struct stls_connector c = { 0 };
	int fd = -1;

	fake_names_fail(_i == 0 ? EAI_NONAME : EAI_AGAIN, 0);
	ck_assert_ok(dial_start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_int_eq(dial_drive(&c, &fd), SMTPTLS_E_RESOLVE);
	ck_assert_int_eq(c.host_does_not_exist, _i == 0);
	ck_assert_str_eq(dial_err.text,
	    _i == 0 ? "host mail.example.org does not exist"
		    : "the name service does not answer for mail.example.org");
	ck_assert_int_eq(
	    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_E_RESOLVE);
	ck_assert_str_eq(c.peer, "");
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
	fd = dial(path, WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", dial_err.text);
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
	int fds = test_count_fds();

	unix_path(path, sizeof(path));
	ck_assert_int_eq(dial_start(&c, path, WAIT_MS), SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to %s: No such file or directory", path);
	ck_assert_str_eq(dial_err.text, expected);
	stls_connector_done(&c);
	ck_assert_int_eq(test_count_fds(), fds);
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
	ck_assert_int_eq(stls_connector_start(&c, &dial_err, &place, WAIT_MS),
	    SMTPTLS_E_INVALID);
	stls_connector_done(&c);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connector");
	TCase *tc = tcase_create("connector");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, socket_is_connected_and_as_promised, 0, 2);
	tcase_add_test(tc, connection_is_refused_with_address_and_port);
	tcase_add_test(tc, failure_stays);
	tcase_add_test(tc, driving_without_need_does_no_harm);
	tcase_add_test(tc, giving_up_while_connecting_closes);
	tcase_add_loop_test(
	    tc, host_that_does_not_exist_is_told_from_no_answer, 0, 2);
	tcase_add_test(tc, unix_socket_is_connected);
	tcase_add_test(tc, unix_socket_that_is_not_there_is_an_error_at_once);
	tcase_add_test(tc, unix_path_that_does_not_fit_is_refused);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
