/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_H
#define STLS_TEST_H

#include <fcntl.h>
#include <stdlib.h>

#include <check.h>

/* Run one suite; the whole of main() in a test program. */
static inline int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * How many rounds of a loop to do, or how far to go in one: all of them, one
 * by one, or a few where each is slow, as it is under Valgrind.
 */
static inline size_t
test_rounds(size_t all)
{
	return getenv("STLS_TEST_QUICK") == NULL ? all : all / 32 + 1;
}

static inline size_t
test_step(void)
{
	return getenv("STLS_TEST_QUICK") == NULL ? 1 : 16;
}

/* How many descriptors are open. */
static inline int
test_count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* How many there are in a table, for tcase_add_loop_test(). */
#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define ck_assert_ok(call) ck_assert_int_eq((call), 0)

#endif
