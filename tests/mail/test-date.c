/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mail/date.h"

/* POSIX zones, which need no zone files: the sign is turned round there. */
static const struct {
	const char *zone;
	long long when;
	const char *date;
} dates[] = {
	{ "UTC0", 0, "Thu, 01 Jan 1970 00:00:00 +0000" },
	{ "UTC0", 951782399, "Mon, 28 Feb 2000 23:59:59 +0000" },
	{ "UTC0", 951782400, "Tue, 29 Feb 2000 00:00:00 +0000" },
	{ "UTC0", 1795435200, "Mon, 23 Nov 2026 12:00:00 +0000" },
	{ "CET-1", 1795435200, "Mon, 23 Nov 2026 13:00:00 +0100" },
	{ "EST5", 1795435200, "Mon, 23 Nov 2026 07:00:00 -0500" },
	{ "IST-5:30", 1795435200, "Mon, 23 Nov 2026 17:30:00 +0530" },
	{ "NST3:30", 1795435200, "Mon, 23 Nov 2026 08:30:00 -0330" },
	{ "LINT-14", 1795435200, "Tue, 24 Nov 2026 02:00:00 +1400" },
	{ "AoE12", 0, "Wed, 31 Dec 1969 12:00:00 -1200" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 1782907200,
	    "Wed, 01 Jul 2026 14:00:00 +0200" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 1767268800,
	    "Thu, 01 Jan 2026 13:00:00 +0100" },
	/* Amsterdam until 1937: the seconds are told right all the same. */
	{ "AMT-0:19:32", 1795435200, "Mon, 23 Nov 2026 12:19:00 +0019" },
	{ "UTC0", -1, "Thu, 01 Jan 1970 00:00:00 +0000" },
	{ "UTC0", 4294967296, "Sun, 07 Feb 2106 06:28:16 +0000" },
	{ "UTC0", 253402300800, "Fri, 24 Dec 9999 00:00:00 +0000" },
	{ "UTC0", INT64_MAX, "Fri, 24 Dec 9999 00:00:00 +0000" },
	{ "UTC0", INT64_MIN, "Thu, 01 Jan 1970 00:00:00 +0000" },
};

START_TEST(a_date_is_told_in_the_local_time_zone)
{
	char out[STLS_DATE_LEN + 1];

	ck_assert_ok(setenv("TZ", dates[_i].zone, 1));
	tzset();
	stls_date_format(out, (time_t)dates[_i].when);
	ck_assert_str_eq(out, dates[_i].date);
	ck_assert_uint_eq(strlen(out), STLS_DATE_LEN);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("date");
	TCase *tc = tcase_create("date");

	tcase_add_loop_test(
	    tc, a_date_is_told_in_the_local_time_zone, 0, COUNT(dates));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
