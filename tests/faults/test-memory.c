/* SPDX-License-Identifier: MIT */
/*
 * Memory runs out in the life of a program: the n-th allocation of the library
 * fails, that one alone or every one from it on, for every n until there is
 * none. The sanitizers and Valgrind see whether something is lost by that.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "client/talk.h"
#include "faults/life.h"

/* More than this there are not. */
#define ALLOCATIONS_MAX 4000

enum fault {
	ONCE,
	FROM_THEN_ON,
	FAULTS
};

static void
setup(void)
{
	talk_world_setup();
	life_world_setup();
}

static void
teardown(void)
{
	stls_alloc_fail_at(0);
	life_world_teardown();
	talk_world_teardown();
}

/* False: the failure did not happen, since there are not so many. */
static bool
live_with_fault(int mode, enum fault fault, unsigned long n)
{
	int fds = test_count_fds();
	const char *problem;
	struct life life;
	bool has_failed;

	life_begin(&life, mode);
	if (fault == ONCE)
		stls_alloc_fail_at(n);
	else
		stls_alloc_fail_from(n);
	life_run(&life);
	problem = life_give_up(&life);
	has_failed = stls_alloc_has_failed();
	stls_alloc_fail_at(0);
	if (problem == NULL)
		problem = life_judge(&life);
	ck_assert_msg(problem == NULL, "%lu: %d, %s: %s", n, life.result,
	    life.text, problem);
	/* Some allocations are for what can be done without. */
	ck_assert_msg(life.result == SMTPTLS_OK ||
		life.result == SMTPTLS_E_NOMEM ||
		life.result == SMTPTLS_E_IN_DOUBT,
	    "%lu: %d: %s", n, life.result, life.text);
	if (life.result == SMTPTLS_E_NOMEM)
		ck_assert_msg(strstr(life.text, "out of memory") != NULL,
		    "%lu: %s", n, life.text);
	if (!has_failed) {
		ck_assert_int_eq(life.result, SMTPTLS_OK);
		ck_assert(life.was_resumed);
	}
	life_end(&life);
	ck_assert_int_eq(test_count_fds(), fds);
	return has_failed;
}

/* All of them take long; else the modes have each its share. */
static unsigned long
step_of(void)
{
	if (getenv("STLS_TEST_FULL") != NULL)
		return 1;
	return getenv("STLS_TEST_QUICK") != NULL ? 31 : 3;
}

START_TEST(memory_that_runs_out_is_told_and_loses_nothing)
{
	unsigned long step = step_of(), n, count = 0;

	for (n = 1 + (unsigned long)_i % step;
	     live_with_fault(MODE(_i), (enum fault)ROW(_i), n); n += step) {
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		count++;
	}
	printf("mode %d, %s: %lu of %lu allocations have failed\n", MODE(_i),
	    ROW(_i) == ONCE ? "once" : "from then on", count, n);
	ck_assert_uint_gt(n, 100);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tc = tcase_create("memory");

	tcase_set_timeout(tc, 600);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	talk_add(
	    tc, memory_that_runs_out_is_told_and_loses_nothing, FAULTS, MODES);
	suite_add_tcase(suite, tc);
	return talk_run(suite);
}
