/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"

/* Longer than any block is at first. */
#define LEN_MAX 600

static struct stls_arena arena;
static char text[LEN_MAX + 1];

static void
setup(void)
{
	size_t i;

	memset(&arena, 0, sizeof(arena));
	for (i = 0; i < LEN_MAX; i++)
		text[i] = (char)('a' + i % 26);
}

static void
teardown(void)
{
	stls_arena_done(&arena);
}

static bool
is_copy(const char *copy, size_t len)
{
	return memcmp(copy, text, len) == 0 && copy[len] == '\0';
}

/* Each length by itself, so that blocks end before, at and behind the NUL. */
START_TEST(strings_stay_where_they_are)
{
	size_t len = (size_t)_i, i;
	const char *copies[40];

	for (i = 0; i < 40; i++) {
		copies[i] = stls_arena_copy(&arena, text, len);
		ck_assert_ptr_nonnull(copies[i]);
	}
	for (i = 0; i < 40; i++) {
		ck_assert(is_copy(copies[i], len));
		ck_assert(i == 0 || copies[i] != copies[i - 1]);
	}
}
END_TEST

START_TEST(a_string_may_be_longer_than_a_block)
{
	const char *small, *large, *behind;

	small = stls_arena_copy(&arena, text, 1);
	large = stls_arena_copy(&arena, text, LEN_MAX);
	behind = stls_arena_copy(&arena, text, 2);
	ck_assert(is_copy(small, 1));
	ck_assert(is_copy(large, LEN_MAX));
	ck_assert(is_copy(behind, 2));
}
END_TEST

START_TEST(what_there_is_no_memory_for_changes_nothing)
{
	struct stls_arena before;
	size_t len = (size_t)_i;
	const char *copy;

	stls_alloc_fail_at(1);
	ck_assert_ptr_null(stls_arena_copy(&arena, text, LEN_MAX));
	ck_assert_ptr_null(arena.last);
	copy = stls_arena_copy(&arena, text, len);
	ck_assert_ptr_nonnull(copy);

	before = arena;
	stls_alloc_fail_at(1);
	ck_assert_ptr_null(stls_arena_copy(&arena, text, LEN_MAX));
	ck_assert_ptr_null(stls_arena_copy(&arena, text, SIZE_MAX));
	ck_assert_mem_eq(&arena, &before, sizeof(arena));
	ck_assert(is_copy(copy, len));
	ck_assert(is_copy(stls_arena_copy(&arena, text, 1), 1));
}
END_TEST

START_TEST(an_arena_that_was_given_back_can_be_used_again)
{
	ck_assert_ptr_nonnull(stls_arena_copy(&arena, text, LEN_MAX));
	stls_arena_done(&arena);
	stls_arena_done(&arena);
	ck_assert(is_copy(stls_arena_copy(&arena, text, 3), 3));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tc = tcase_create("arena");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, strings_stay_where_they_are, 0, 130);
	tcase_add_test(tc, a_string_may_be_longer_than_a_block);
	/* In the arena itself, and in its first block. */
	tcase_add_loop_test(
	    tc, what_there_is_no_memory_for_changes_nothing, 90, 130);
	tcase_add_test(tc, an_arena_that_was_given_back_can_be_used_again);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
