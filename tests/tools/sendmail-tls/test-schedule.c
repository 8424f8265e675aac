/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "spool/schedule.h"
#include "test.h"

#define NOW ((time_t)1795000000)
#define DAY 86400L

START_TEST(intervals_grow_up_to_a_limit)
{
	time_t last = 0, next;
	unsigned int i;

	for (i = 1; i < 8; i++) {
		/* In the middle of the jitter. */
		next = schedule_next(i, 0, SCHEDULE_FIRST_S / 5 << (i - 1));
		if (i < 6)
			ck_assert_int_eq(next, SCHEDULE_FIRST_S << (i - 1));
		ck_assert_int_gt(next, last);
		last = i < 6 ? next : 0;
	}
	ck_assert_int_le(schedule_next(UINT_MAX, 0, UINT32_MAX),
	    SCHEDULE_LONGEST_S + SCHEDULE_LONGEST_S / 5);
	ck_assert_int_ge(schedule_next(UINT_MAX, 0, 0),
	    SCHEDULE_LONGEST_S - SCHEDULE_LONGEST_S / 5);
}
END_TEST

START_TEST(chance_moves_the_next_attempt_by_a_fifth_at_most)
{
	time_t low = NOW + SCHEDULE_FIRST_S * 4 / 5;
	time_t high = NOW + SCHEDULE_FIRST_S * 6 / 5;
	uint32_t random;
	time_t next;

	ck_assert_int_eq(schedule_next(1, NOW, 0), low);
	for (random = 0; random < 100000; random += 7) {
		next = schedule_next(1, NOW, random);
		ck_assert_int_ge(next, low);
		ck_assert_int_le(next, high);
	}
	ck_assert_int_eq(schedule_next(1, NOW, 120), high);
}
END_TEST

static const struct {
	time_t last, next, now;
	bool is_due;
} dues[] = {
	{ NOW, NOW + 300, NOW + 299, false },
	{ NOW, NOW + 300, NOW + 300, true },
	{ NOW, NOW + 300, NOW + 10 * DAY, true },
	/* The clock went back: waiting for it could take years. */
	{ NOW, NOW + 300, NOW - 1, true },
	{ NOW, NOW + 300, 0, true },
	/* Written by a clock that was wrong. */
	{ NOW, NOW + 2 * DAY, NOW + 1, true },
	{ NOW, NOW + SCHEDULE_LONGEST_S, NOW + 1, false },
};

START_TEST(it_is_due_at_its_time_and_after_a_jump_of_the_clock)
{
	ck_assert_int_eq(
	    schedule_is_due(dues[_i].last, dues[_i].next, dues[_i].now),
	    dues[_i].is_due);
}
END_TEST

static const struct {
	long age;
	time_t last, now;
	long lifetime, result;
} ages[] = {
	{ 0, NOW, NOW + 600, 5 * DAY, 600 },
	{ 1000, NOW, NOW + 600, 5 * DAY, 1600 },
	{ 0, NOW, NOW + 6 * DAY, 5 * DAY, 6 * DAY },
	/* Back: no time has passed. */
	{ 1000, NOW, NOW - 10 * DAY, 5 * DAY, 1000 },
	/* Decades forward: it was 1970 when it came. */
	{ 1000, 60, NOW, 4 * DAY, 1000 + DAY },
	/* A lifetime that is longer than that is believed. */
	{ 0, NOW, NOW + 100 * DAY, 90 * DAY, 100 * DAY },
	{ 0, NOW, NOW + 100, 0, 100 },
	{ LONG_MAX, NOW, NOW + 100, DAY, LONG_MAX },
};

START_TEST(age_is_the_time_that_has_plausibly_passed)
{
	ck_assert_int_eq(schedule_age(ages[_i].age, ages[_i].last, ages[_i].now,
			     ages[_i].lifetime),
	    ages[_i].result);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("schedule");
	TCase *tcase = tcase_create("schedule");

	tcase_add_test(tcase, intervals_grow_up_to_a_limit);
	tcase_add_test(tcase, chance_moves_the_next_attempt_by_a_fifth_at_most);
	tcase_add_loop_test(tcase,
	    it_is_due_at_its_time_and_after_a_jump_of_the_clock, 0,
	    (int)COUNT(dues));
	tcase_add_loop_test(tcase, age_is_the_time_that_has_plausibly_passed, 0,
	    (int)COUNT(ages));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
