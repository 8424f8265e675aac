/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "smtp/expected.h"

static struct stls_fifo fifo;

static void
setup(void)
{
	memset(&fifo, 0, sizeof(fifo));
}

static void
teardown(void)
{
	stls_fifo_done(&fifo);
}

static void
append(uint64_t offset, size_t replies)
{
	struct stls_expected *expected = stls_fifo_append(&fifo);

	ck_assert_ptr_nonnull(expected);
	*expected = (struct stls_expected){
		.step = STLS_STEP_RCPT,
		.replies = replies,
		.offset = offset,
		.recipient = (size_t)offset + 1,
	};
}

/* It grows at each place of the ring where its first one may stand. */
START_TEST(replies_are_expected_in_the_order_of_their_commands)
{
	uint64_t in = 0, out = 0;
	int i;

	for (i = 0; i < _i; i++) {
		append(in++, 1);
		stls_fifo_count_reply(&fifo);
		out++;
	}
	for (i = 0; i < 100; i++) {
		append(in++, 1);
		append(in++, 1);
		ck_assert_uint_eq(stls_fifo_last(&fifo)->offset, in - 1);
		ck_assert_uint_eq(stls_fifo_first(&fifo)->offset, out);
		ck_assert_uint_eq(stls_fifo_first(&fifo)->recipient, out + 1);
		ck_assert_int_eq(stls_fifo_first(&fifo)->step, STLS_STEP_RCPT);
		stls_fifo_count_reply(&fifo);
		out++;
		ck_assert_uint_eq(fifo.len, in - out);
	}
	while (out < in) {
		ck_assert_uint_eq(stls_fifo_first(&fifo)->offset, out++);
		stls_fifo_count_reply(&fifo);
	}
	ck_assert_uint_eq(fifo.len, 0);
}
END_TEST

START_TEST(one_command_may_have_several_replies)
{
	append(1, 3);
	append(2, 1);
	stls_fifo_count_reply(&fifo);
	stls_fifo_count_reply(&fifo);
	ck_assert_uint_eq(stls_fifo_first(&fifo)->offset, 1);
	stls_fifo_count_reply(&fifo);
	ck_assert_uint_eq(stls_fifo_first(&fifo)->offset, 2);
	stls_fifo_count_reply(&fifo);
	ck_assert_uint_eq(fifo.len, 0);
}
END_TEST

START_TEST(after_clear_nothing_is_expected)
{
	append(1, 2);
	append(2, 1);
	stls_fifo_count_reply(&fifo);
	stls_fifo_clear(&fifo);
	ck_assert_uint_eq(fifo.len, 0);
	append(3, 1);
	ck_assert_uint_eq(stls_fifo_first(&fifo)->offset, 3);
}
END_TEST

START_TEST(lack_of_memory_leaves_it_unchanged)
{
	uint64_t in = 0;
	size_t i;

	append(in++, 1);
	while (fifo.len < fifo.cap)
		append(in++, 1);
	stls_alloc_fail_at(1);
	ck_assert_ptr_null(stls_fifo_append(&fifo));
	stls_alloc_fail_at(0);
	ck_assert_uint_eq(fifo.len, in);
	for (i = 0; i < in; i++) {
		ck_assert_uint_eq(stls_fifo_first(&fifo)->offset, i);
		stls_fifo_count_reply(&fifo);
	}
}
END_TEST

START_TEST(every_step_has_a_name)
{
	ck_assert_str_eq(stls_step_name(STLS_STEP_NONE), "");
	ck_assert_str_ne(stls_step_name((enum stls_step)_i), "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("expected");
	TCase *tc = tcase_create("expected");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, replies_are_expected_in_the_order_of_their_commands, 0, 9);
	tcase_add_test(tc, one_command_may_have_several_replies);
	tcase_add_test(tc, after_clear_nothing_is_expected);
	tcase_add_test(tc, lack_of_memory_leaves_it_unchanged);
	tcase_add_loop_test(
	    tc, every_step_has_a_name, STLS_STEP_NONE + 1, STLS_STEP_COUNT);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
