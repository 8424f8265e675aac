/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "probe/probe.h"

#define DAY (24 * 60 * 60)

static const struct {
	int seconds; /* from now */
	long days;
} times[] = {
	{ 0, 0 },
	{ -60, -1 },
	{ -DAY - 60, -2 },
	{ DAY + 60, 1 },
	{ 90 * DAY + 60, 90 },
};

START_TEST(days_are_whole_ones_and_what_is_over_is_below_0)
{
	time_t when = time(NULL) + times[_i].seconds;
	char text[32];
	struct tm tm;
	long days;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	days = probe_days_left(text);
	/* A second may have passed. */
	ck_assert(
	    days == times[_i].days || (times[_i].seconds == 0 && days == -1));
	ck_assert(probe_seconds_left(text) <= times[_i].seconds);
}
END_TEST

START_TEST(a_certificate_of_this_second_is_valid)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	ck_assert(!(probe_seconds_left(text) > 0));
}
END_TEST

static const struct {
	const char *url, *host, *port;
	bool names_port, is_smtps, is_lmtp;
} urls[] = {
	{ "mail.example.org", "mail.example.org", "465", false, true, false },
	{ "mail.example.org:4650", "mail.example.org", "4650", true, true,
	    false },
	{ "SMTPS://h", "h", "465", false, true, false },
	{ "smtp://h/", "h", "587", false, false, false },
	{ "smtp://h:25/", "h", "25", true, false, false },
	{ "lmtp://h:24", "h", "24", true, false, true },
	{ "smtps://[2001:db8::1]", "2001:db8::1", "465", false, true, false },
	{ "smtp://[2001:db8::1]:26/", "2001:db8::1", "26", true, false, false },
};

START_TEST(a_url_is_taken_apart)
{
	struct endpoint endpoint = { .result = 0 };

	endpoint_set_url(&endpoint, urls[_i].url);
	ck_assert_str_eq(endpoint.url, urls[_i].url);
	ck_assert_str_eq(endpoint.host, urls[_i].host);
	ck_assert_str_eq(endpoint.port, urls[_i].port);
	ck_assert_int_eq(endpoint.names_port, urls[_i].names_port);
	ck_assert_int_eq(endpoint.is_smtps, urls[_i].is_smtps);
	ck_assert_int_eq(endpoint.is_lmtp, urls[_i].is_lmtp);
	endpoint_done(&endpoint);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("probe");
	TCase *tc = tcase_create("probe");

	tcase_add_loop_test(tc, days_are_whole_ones_and_what_is_over_is_below_0,
	    0, (int)COUNT(times));
	tcase_add_test(tc, a_certificate_of_this_second_is_valid);
	tcase_add_loop_test(tc, a_url_is_taken_apart, 0, (int)COUNT(urls));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
