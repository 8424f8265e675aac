/* SPDX-License-Identifier: MIT */
/* Several addresses: which is tried when, and which one tells. */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/fake-names.h"
#include "net/fake-network.h"

START_TEST(refused_address_leads_to_the_next)
{
	char expected[64], peer[128];
	uint16_t port_closed, port_open;
	int closed, listener, fd;

	closed = dial_socket(AF_INET, false, &port_closed);
	listener = dial_socket(AF_INET, true, &port_open);
	fake_names_add("127.0.0.1", port_closed);
	fake_names_add("127.0.0.1", port_open);
	fd = dial("mail.example.org:587", WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", dial_err.text);
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

	closed_1 = dial_socket(AF_INET, false, &port_1);
	closed_2 = dial_socket(AF_INET, false, &port_2);
	fake_names_add("127.0.0.1", port_1);
	fake_names_add("127.0.0.1", port_2);
	fds = test_count_fds();
	ck_assert_int_eq(
	    dial("mail.example.org:587", WAIT_MS, NULL, 0), SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to 127.0.0.1:%u: Connection refused (the last of 2 "
	    "addresses)",
	    (unsigned int)port_2);
	ck_assert_str_eq(dial_err.text, expected);
	ck_assert_int_eq(test_count_fds(), fds);
	close(closed_1);
	close(closed_2);
}
END_TEST

START_TEST(address_that_does_not_answer_leads_to_the_next)
{
	uint16_t port;
	int listener, fd;

	listener = dial_socket(AF_INET, true, &port);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port);
	fd = dial("mail.example.org:587", WAIT_MS, NULL, 0);
	ck_assert_msg(fd >= 0, "%s", dial_err.text);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(connection_reset_during_the_race_leads_to_the_next)
{
	char expected[64], peer[128];
	uint16_t port_bad, port_good;
	int bad, good, fd;

	bad = dial_socket(AF_INET, true, &port_bad);
	good = dial_socket(AF_INET, true, &port_good);
	fake_names_add("127.0.0.1", port_bad);
	fake_names_add("127.0.0.1", port_good);
	fake_network.mode = RESETTING;
	fake_network.resetting = bad;
	fd = dial("mail.example.org:587", WAIT_MS, peer, sizeof(peer));
	ck_assert_msg(fd >= 0, "%s", dial_err.text);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u",
	    (unsigned int)port_good);
	ck_assert_str_eq(peer, expected);
	close(fd);
	close(good);
	close(bad);
}
END_TEST

/* A listener whose backlog is full: it answers nothing any more. */
static int
silent_listener(uint16_t *out_port, int *out_filler)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = dial_socket(AF_INET, false, out_port);

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
	listener = dial_socket(AF_INET, true, &port_open);
	fake_names_add("127.0.0.1", port_silent);
	fake_names_add("127.0.0.1", port_open);
	fds = test_count_fds();
	ck_assert_ok(dial_start(&c, "mail.example.org:587", WAIT_MS));
	before = stls_now_ms();
	ck_assert_ok(dial_drive_and_count(&c, &fd, &timeouts));
	ck_assert_int_le(timeouts, 1);
	ck_assert_int_ge(stls_now_ms() - before, 250);
	ck_assert_int_lt(stls_now_ms() - before, WAIT_MS / 2);
	/* The loser is closed, the winner is not. */
	ck_assert_int_eq(test_count_fds(), fds + 1);
	stls_connector_done(&c);
	ck_assert_int_eq(test_count_fds(), fds + 1);
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

	closed = dial_socket(AF_INET, false, &port_closed);
	listener = dial_socket(AF_INET, true, &port_open);
	fake_names_add("192.0.2.1", 587);
	fake_names_add("127.0.0.1", port_closed);
	fake_names_add("127.0.0.1", port_open);
	ck_assert_ok(dial_start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_ok(dial_drive_and_count(&c, &fd, &timeouts));
	ck_assert_int_le(timeouts, 1);
	ck_assert_int_eq(fake_network.calls, 3);
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

	fake_network.mode = REFUSING;
	for (i = 0; t->given[i] != NULL; i++)
		fake_names_add(t->given[i], 587);
	ck_assert_ok(dial_start(&c, "mail.example.org:587", WAIT_MS));
	ck_assert_int_eq(dial_drive(&c, &fd), SMTPTLS_E_CONNECT);
	ck_assert_str_eq(fake_network.tried, t->tried);
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

	fake_network.mode = REFUSING;
	for (i = 0; t->given[i] != NULL; i++) {
		snprintf(text, sizeof(text),
		    strchr(t->given[i], ':') != NULL ? "[%s]:25" : "%s:25",
		    t->given[i]);
		ck_assert_ok(stls_place_add_address(&dial_err, &place, text));
	}
	ck_assert_ok(stls_connector_start(&c, &dial_err, &place, WAIT_MS));
	stls_place_done(&place);
	ck_assert_int_eq(dial_drive(&c, &fd), SMTPTLS_E_CONNECT);
	ck_assert_str_eq(fake_network.tried, t->tried);
	ck_assert_int_eq(fake_names_calls(), 0);
	stls_connector_done(&c);
}
END_TEST

START_TEST(machine_without_ipv6_connects_by_ipv4)
{
	uint16_t port;
	int listener, fd;

	fake_network.ipv6 = _i == 0 ? WITHOUT_ROUTE : UNKNOWN;
	listener = dial_socket(AF_INET, true, &port);
	fake_names_add("2001:db8::1", 587);
	fake_names_add("2001:db8::2", 587);
	fake_names_add("127.0.0.1", port);
	fd = dial("mail.example.org:587", WAIT_MS, NULL, 0);
	ck_assert_msg(fd >= 0, "%s", dial_err.text);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(refusal_is_told_rather_than_that_there_is_no_ipv6)
{
	char expected[128];
	uint16_t port;
	int closed, i;

	fake_network.ipv6 = _i == 0 ? WITHOUT_ROUTE : UNKNOWN;
	closed = dial_socket(AF_INET, false, &port);
	fake_names_add("127.0.0.1", port);
	for (i = 0; i < 2; i++)
		fake_names_add("2001:db8::1", 587);
	ck_assert_int_eq(
	    dial("mail.example.org:587", WAIT_MS, NULL, 0), SMTPTLS_E_CONNECT);
	snprintf(expected, sizeof(expected),
	    "connection to 127.0.0.1:%u: Connection refused (one of 3 "
	    "addresses)",
	    (unsigned int)port);
	ck_assert_str_eq(dial_err.text, expected);
	close(closed);
}
END_TEST

START_TEST(without_any_way_that_is_what_is_told)
{
	fake_network.ipv6 = WITHOUT_ROUTE;
	fake_names_add("2001:db8::1", 587);
	fake_names_add("2001:db8::2", 587);
	ck_assert_int_eq(
	    dial("mail.example.org:587", WAIT_MS, NULL, 0), SMTPTLS_E_CONNECT);
	ck_assert_str_eq(dial_err.text,
	    "connection to [2001:db8::1]:587: Network is unreachable (one of "
	    "2 addresses)");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connector order");
	TCase *tc = tcase_create("connector order");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, refused_address_leads_to_the_next);
	tcase_add_test(tc, when_all_are_refused_the_last_is_named);
	tcase_add_test(tc, address_that_does_not_answer_leads_to_the_next);
	tcase_add_test(tc, connection_reset_during_the_race_leads_to_the_next);
	tcase_add_test(tc, silent_address_does_not_keep_the_next_from_winning);
	tcase_add_test(tc, refusal_lets_the_next_begin_at_once);
	tcase_add_loop_test(tc, families_take_turns_in_the_order_of_the_names,
	    0, COUNT(orders));
	tcase_add_loop_test(
	    tc, given_addresses_race_without_a_look_up, 0, COUNT(orders));
	tcase_add_loop_test(tc, machine_without_ipv6_connects_by_ipv4, 0, 2);
	tcase_add_loop_test(
	    tc, refusal_is_told_rather_than_that_there_is_no_ipv6, 0, 2);
	tcase_add_test(tc, without_any_way_that_is_what_is_told);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
