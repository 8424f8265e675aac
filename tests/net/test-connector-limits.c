/* SPDX-License-Identifier: MIT */
/* How long it takes, and how many there are at once. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/fake-clock.h"
#include "net/fake-names.h"
#include "net/fake-network.h"

START_TEST(address_that_does_not_answer_is_timeout)
{
	int64_t before = stls_now_ms();

	ck_assert_int_eq(
	    dial("192.0.2.1:587", SHORT_MS, NULL, 0), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(dial_err.text,
	    "connection to 192.0.2.1:587: no answer within 50 ms");
	ck_assert_int_ge(stls_now_ms() - before, SHORT_MS);
}
END_TEST

START_TEST(name_service_that_hangs_is_timeout)
{
	struct stls_connector c = { 0 };
	struct pollfd pfd;
	int fd = -1, gone;

	fake_names_add("192.0.2.1", 587);
	fake_names_hang();
	ck_assert_ok(dial_start(&c, "mail.example.org:587", SHORT_MS));
	ck_assert_uint_eq(stls_connector_pollfds(&c, &pfd, 1), 1);
	ck_assert_int_eq(pfd.events, POLLIN);
	gone = dup(pfd.fd);
	ck_assert_int_eq(dial_drive(&c, &fd), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(dial_err.text,
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

	fake_network.mode = HANGING;
	for (i = 0; i < 6; i++)
		fake_names_add(i % 2 == 0 ? "::1" : "192.0.2.1", 587);
	ck_assert_ok(dial_start(&c, "mail.example.org:587", 1000));
	fake_clock_stop();
	dial_drive_to_first_attempt(&c);
	before = stls_now_ms();
	for (i = 0; i < COUNT(steps); i++) {
		fake_clock_skip(before + steps[i].at - stls_now_ms());
		r = stls_connector_drive(&c, &dial_err, &fd);
		ck_assert_int_eq(r, SMTPTLS_AGAIN);
		ck_assert_int_eq(fake_network.calls, steps[i].calls);
		n = stls_connector_pollfds(&c, NULL, 0);
		ck_assert_uint_eq(n, steps[i].in_flight);
	}
	ck_assert_int_eq(dial_drive_and_skip(&c, &fd), SMTPTLS_E_TIMEOUT);
	ck_assert_str_eq(dial_err.text,
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

	fake_network.mode = HANGING;
	fake_network_hang(dup(0));
	for (i = 0; i < count; i++)
		fake_names_add(i % 3 == 0 ? "192.0.2.2" : "::1", 587);
	fds = test_count_fds();
	ck_assert_ok(dial_start(&c, "mail.example.org:587", 30000));
	dial_drive_to_first_attempt(&c);
	ck_assert_int_eq(dial_drive_and_skip(&c, &fd), SMTPTLS_E_TIMEOUT);
	ck_assert_int_eq(fake_network.calls, tried);
	snprintf(
	    expected, sizeof(expected), "(the last of %d addresses)", tried);
	ck_assert_msg(
	    strstr(dial_err.text, expected) != NULL, "%s", dial_err.text);
	ck_assert_int_eq(test_count_fds(), fds);
	stls_connector_done(&c);
}
END_TEST

START_TEST(driving_too_often_begins_no_attempt_too_many)
{
	struct stls_connector c = { 0 };
	int fd = -1, i;

	fake_network.mode = HANGING;
	for (i = 0; i < 2 * STLS_ATTEMPTS_MAX; i++)
		fake_names_add("::1", 587);
	ck_assert_ok(dial_start(&c, "mail.example.org:587", WAIT_MS));
	dial_drive_to_first_attempt(&c);
	for (i = 0; i < 2 * STLS_ATTEMPTS_MAX; i++) {
		fake_clock_skip(251);
		ck_assert_int_eq(
		    stls_connector_drive(&c, &dial_err, &fd), SMTPTLS_AGAIN);
	}
	ck_assert_int_eq(fake_network.calls, STLS_ATTEMPTS_MAX);
	stls_connector_done(&c);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connector limits");
	TCase *tc = tcase_create("connector limits");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, address_that_does_not_answer_is_timeout);
	tcase_add_test(tc, name_service_that_hangs_is_timeout);
	tcase_add_test(tc, attempts_begin_by_the_clock_and_each_has_its_time);
	tcase_add_loop_test(
	    tc, hundred_silent_addresses_are_tried_a_few_at_a_time, 0, 2);
	tcase_add_test(tc, driving_too_often_begins_no_attempt_too_many);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
