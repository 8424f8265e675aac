/* SPDX-License-Identifier: MIT */
/* What the system does otherwise than hoped for. */
#include "test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/dial.h"
#include "net/fake-clock.h"
#include "net/fake-names.h"
#include "net/fake-network.h"

START_TEST(connect_that_was_interrupted_goes_on)
{
	char text[64];
	uint16_t port;
	int listener, fd;

	listener = dial_socket(AF_INET, true, &port);
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	fake_network.mode = INTERRUPTED;
	fd = dial(text, WAIT_MS, NULL, 0);
	ck_assert_msg(fd >= 0, "%s", dial_err.text);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(connection_to_itself_is_refused)
{
	char text[64];
	uint16_t port;
	int fds;

	close(dial_socket(AF_INET, false, &port));
	fds = test_count_fds();
	snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)port);
	fake_network.mode = TO_ITSELF;
	ck_assert_int_eq(dial(text, WAIT_MS, NULL, 0), SMTPTLS_E_CONNECT);
	ck_assert_ptr_nonnull(strstr(dial_err.text, "Connection refused"));
	ck_assert_int_eq(test_count_fds(), fds);
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

	listener = dial_socket(AF_INET, true, &port);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port);
	/* The first one loses, is given up, or fails. */
	ck_assert_ok(dial_start(
	    &c, "mail.example.org:587", _i == 2 ? SHORT_MS : WAIT_MS));
	c.closing = note_closing;
	c.arg = closed_fds;
	ck_assert_uint_eq(stls_connector_pollfds(&c, fds, 1), 1);
	dial_drive_to_first_attempt(&c);
	ck_assert_int_eq(closed_count, 1);
	ck_assert_int_eq(closed_fds[0], fds[0].fd);
	ck_assert_uint_eq(stls_connector_pollfds(&c, fds, 1), 1);
	if (_i != 1) {
		ck_assert_ok(dial_drive_and_skip(&c, &fd));
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

START_TEST(without_a_descriptor_it_says_so)
{
	struct stls_connector c = { 0 };
	struct rlimit old, none;
	int fd = -1;

	ck_assert_ok(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	ck_assert_ok(dial_start(&c, "192.0.2.1:587", WAIT_MS));
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &none));
	ck_assert_int_eq(
	    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_E_CONNECT);
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &old));
	ck_assert_str_eq(
	    dial_err.text, "connection to 192.0.2.1:587: Too many open files");
	stls_connector_done(&c);
}
END_TEST

START_TEST(without_a_descriptor_the_next_waits_while_another_may_win)
{
	struct stls_connector c = { 0 };
	struct rlimit old, none;
	uint16_t port;
	int listener, fd = -1;

	listener = dial_socket(AF_INET, true, &port);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port);
	ck_assert_ok(dial_start(&c, "mail.example.org:587", WAIT_MS));
	dial_drive_to_first_attempt(&c);
	ck_assert_ok(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &none));
	fake_clock_skip(250);
	ck_assert_int_eq(
	    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_AGAIN);
	ck_assert_ok(setrlimit(RLIMIT_NOFILE, &old));
	ck_assert_int_eq(fake_network.calls, 1);
	ck_assert_int_gt(stls_deadline_left_ms(stls_connector_deadline(&c)), 0);
	ck_assert_ok(dial_drive_and_skip(&c, &fd));
	ck_assert_int_eq(fake_network.calls, 2);
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
	fds = test_count_fds();
	ck_assert_ok(dial_start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 1);
	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	stls_alloc_fail_at((unsigned long)_i);
	ck_assert_int_eq(dial_drive(&c, &fd), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_int_eq(
	    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_E_NOMEM);
	stls_connector_done(&c);
	ck_assert_int_eq(test_count_fds(), fds);
	ck_assert_int_eq(fake_names_lists(), 0);

	ck_assert_ok(stls_place_parse(&dial_err, "192.0.2.1:587", &place));
	stls_alloc_fail_at(1);
	ck_assert_int_eq(stls_connector_start(&c, &dial_err, &place, WAIT_MS),
	    SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	stls_place_done(&place);
	stls_connector_done(&c);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connector faults");
	TCase *tc = tcase_create("connector faults");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, connect_that_was_interrupted_goes_on);
	tcase_add_test(tc, connection_to_itself_is_refused);
	tcase_add_loop_test(
	    tc, descriptors_are_told_before_they_are_closed, 0, 3);
	tcase_add_test(tc, without_a_descriptor_it_says_so);
	tcase_add_test(
	    tc, without_a_descriptor_the_next_waits_while_another_may_win);
	tcase_add_loop_test(tc, without_memory_for_addresses_it_is_nomem, 1, 3);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
