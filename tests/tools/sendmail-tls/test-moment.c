/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <limits.h>

#include "settings/moment.h"

static const struct {
	const char *text;
	int seconds; /* -1: none */
} intervals[] = {
	{ "30s", 30 },
	{ "15m", 900 },
	{ "4h", 14400 },
	{ "5d", 432000 },
	{ "2w", 1209600 },
	{ "1d12h", 129600 },
	{ "1h30m15s", 5415 },
	{ "0s", 0 },
	{ "2147483647s", INT_MAX },
	{ "", -1 },
	{ "30", -1 },
	{ "s", -1 },
	{ "-1s", -1 },
	{ "+1s", -1 },
	{ " 1s", -1 },
	{ "1 s", -1 },
	{ "1s ", -1 },
	{ "1y", -1 },
	{ "1d1w", -1 },
	{ "1S", -1 },
	{ "1h1d", -1 },
	{ "1m1m", -1 },
	{ "1h30", -1 },
	{ "1.5h", -1 },
	{ "2147483648s", -1 },
	{ "99999999999999999999999s", -1 },
	{ "24856d", -1 },
};

START_TEST(an_interval_is_numbers_with_their_units)
{
	int seconds = 0;
	bool is_good = moment_parse_interval(
	    intervals[_i].text, false, INT_MAX, &seconds);

	ck_assert_int_eq(is_good ? seconds : -1, intervals[_i].seconds);
}
END_TEST

START_TEST(a_number_alone_is_seconds_where_that_is_so)
{
	int seconds;

	ck_assert(moment_parse_interval("3600", true, 3600, &seconds));
	ck_assert_int_eq(seconds, 3600);
	ck_assert(moment_parse_interval("1h", true, 3600, &seconds));
	ck_assert(!moment_parse_interval("3601", true, 3600, &seconds));
	ck_assert(!moment_parse_interval("1h1s", true, 3600, &seconds));
	ck_assert(!moment_parse_interval("1m30", true, 3600, &seconds));
}
END_TEST

static const struct {
	const char *text;
	long when; /* -1: none */
} moments[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2000-02-29T12:34:56Z", 951827696 },
	{ "2026-11-27T08:00:00Z", 1795766400 },
	{ "2026-11-27t08:00:00z", 1795766400 },
	{ "2026-11-27 08:00:00Z", 1795766400 },
	{ "2026-11-27T09:00:00+01:00", 1795766400 },
	{ "2026-11-27T02:30:00-05:30", 1795766400 },
	{ "2026-11-27T08:00:00.000Z", 1795766400 },
	{ "2026-11-27T07:59:59.001Z", 1795766400 },
	{ "2026-11-27T07:59:60Z", 1795766400 },
	{ "2038-01-19T03:14:08Z", 2147483648 },
	{ "2100-03-01T00:00:00Z", 4107542400 },
	{ "9999-12-31T23:59:59Z", 253402300799 },
	{ "", -1 },
	{ "2026-11-27", -1 },
	{ "2026-11-27T08:00Z", -1 },
	{ "2026-11-27T08:00:00", -1 },
	{ "2026-11-27T08:00:00+0100", -1 },
	{ "2026-11-27T08:00:00+24:00", -1 },
	{ "2026-11-27T08:00:00.Z", -1 },
	{ "2026-11-27T08:00:00ZZ", -1 },
	{ "2026-11-27T24:00:00Z", -1 },
	{ "2026-11-27T08:60:00Z", -1 },
	{ "2026-11-27T08:00:61Z", -1 },
	{ "2026-00-27T08:00:00Z", -1 },
	{ "2026-13-27T08:00:00Z", -1 },
	{ "2026-11-00T08:00:00Z", -1 },
	{ "2026-11-31T08:00:00Z", -1 },
	{ "2026-02-29T08:00:00Z", -1 },
	{ "2100-02-29T08:00:00Z", -1 },
	{ "1969-12-31T23:59:59Z", -1 },
	{ "1970-01-01T00:00:00+00:01", -1 },
	{ "26-11-27T08:00:00Z", -1 },
	{ "+026-11-27T08:00:00Z", -1 },
	{ "tomorrow", -1 },
};

START_TEST(a_moment_is_what_rfc_3339_says)
{
	time_t when = 0;
	bool is_good = moment_parse(moments[_i].text, &when);

	ck_assert_int_eq(is_good ? (long)when : -1, moments[_i].when);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("moment");
	TCase *tc = tcase_create("moment");

	tcase_add_loop_test(
	    tc, an_interval_is_numbers_with_their_units, 0, COUNT(intervals));
	tcase_add_test(tc, a_number_alone_is_seconds_where_that_is_so);
	tcase_add_loop_test(
	    tc, a_moment_is_what_rfc_3339_says, 0, COUNT(moments));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
