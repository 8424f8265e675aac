/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "client/progress.h"

#define MIB ((uint64_t)1 << 20)

static const struct {
	uint64_t sent, total;
	int64_t elapsed_ms;
	const char *line;
} rows[] = {
	{ 0, 10 * MIB, 0, "sendmail-tls: 0 %, 0.0 of 10.0 MiB" },
	{ 5 * MIB, 10 * MIB, 2000,
	    "sendmail-tls: 50 %, 5.0 of 10.0 MiB, 2.5 MiB/s" },
	{ 10 * MIB - 1, 10 * MIB, 1000,
	    "sendmail-tls: 99 %, 10.0 of 10.0 MiB, 10.0 MiB/s" },
	{ 10 * MIB, 10 * MIB, 4000,
	    "sendmail-tls: 100 %, waiting for the answer" },
	{ 1, 0, 1, "sendmail-tls: 100 %, waiting for the answer" },
	{ UINT64_MAX / 2, UINT64_MAX, 1,
	    "sendmail-tls: 50 %, 8796093022208.0 of 17592186044416.0 MiB, "
	    "8796093022208000.0 MiB/s" },
};

START_TEST(line_says_how_far_it_is)
{
	char line[256];
	int len;

	len = progress_format(line, sizeof(line), rows[_i].sent, rows[_i].total,
	    rows[_i].elapsed_ms);
	ck_assert_str_eq(line, rows[_i].line);
	ck_assert_uint_eq((size_t)len, strlen(line));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("progress");
	TCase *tc = tcase_create("progress");

	tcase_add_loop_test(tc, line_says_how_far_it_is, 0, (int)COUNT(rows));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
