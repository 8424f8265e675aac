/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/secret.h"
#include "freed.h"

START_TEST(bytes_come_out_in_the_order_they_went_in)
{
	struct stls_buf buf;
	unsigned char next_in = 0, next_out = 0, chunk[97];
	size_t i, round, n;

	stls_buf_init(&buf, 100000);
	for (round = 0; round < 500; round++) {
		for (i = 0; i < sizeof(chunk); i++)
			chunk[i] = next_in++;
		ck_assert_ok(stls_buf_append(&buf, chunk, sizeof(chunk)));
		n = stls_buf_len(&buf) < 89 ? stls_buf_len(&buf) : 89;
		for (i = 0; i < n; i++)
			ck_assert_uint_eq(stls_buf_data(&buf)[i], next_out++);
		stls_buf_consume(&buf, n);
	}
	stls_buf_done(&buf);
}
END_TEST

START_TEST(more_than_the_maximum_is_refused_and_nothing_is_appended)
{
	struct stls_buf buf;

	stls_buf_init(&buf, 10);
	ck_assert_ok(stls_buf_append(&buf, "12345678", 8));
	ck_assert_int_eq(stls_buf_append(&buf, "abc", 3), SMTPTLS_E_LIMIT);
	ck_assert_uint_eq(stls_buf_len(&buf), 8);
	ck_assert_ok(stls_buf_append(&buf, "ab", 2));
	stls_buf_consume(&buf, 5);
	ck_assert_ok(stls_buf_append(&buf, "ABCDE", 5));
	ck_assert_mem_eq(stls_buf_data(&buf), "678abABCDE", 10);
	stls_buf_done(&buf);
}
END_TEST

START_TEST(consumed_bytes_are_wiped)
{
	struct stls_buf buf;
	size_t i;

	stls_buf_init(&buf, 1000);
	ck_assert_ok(stls_buf_append(&buf, "secret", 6));
	ck_assert_ok(stls_buf_append(&buf, "x", 1));
	stls_buf_consume(&buf, 6);
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(buf.data[i], 0);
	stls_buf_done(&buf);
}
END_TEST

/* As it moves inside of what it has, and as its end is cut off. */
START_TEST(what_moves_or_is_cut_off_is_wiped_where_it_was)
{
	struct stls_buf buf;
	char big[400];
	size_t i;

	memset(big, 1, sizeof(big));
	stls_buf_init(&buf, 1000);
	ck_assert_ok(stls_buf_append(&buf, big, sizeof(big)));
	stls_buf_drop(&buf, 200);
	ck_assert_ok(stls_buf_append(&buf, big, 100));
	stls_buf_drop(&buf, 50);
	ck_assert_uint_eq(buf.cap, 512);
	ck_assert_ptr_nonnull(stls_buf_reserve(&buf, 200));
	ck_assert_uint_eq(buf.head, 0);
	ck_assert_uint_eq(stls_buf_len(&buf), 250);
	for (i = 250; i < 500; i++)
		ck_assert_msg(buf.data[i] == 0, "%zu is not", i);

	stls_buf_truncate(&buf, 10);
	for (i = 10; i < 250; i++)
		ck_assert_msg(buf.data[i] == 0, "%zu is not", i);
	stls_buf_done(&buf);
}
END_TEST

static int freed_secrets;

static void
look_for_secret(const void *block, size_t size)
{
	freed_secrets += memmem(block, size, "secret", 6) != NULL;
}

START_TEST(what_held_a_secret_is_wiped_before_it_is_freed)
{
	struct stls_secret secret = { NULL, 0 };
	struct stls_buf buf;
	char big[600] = { 0 };
	char *volatile text = strdup("a secret");

	freed_tell(look_for_secret);
	/* So the look could fail. */
	free(text);
	ck_assert_int_eq(freed_secrets, 1);
	text = strdup("a secret");
	stls_free_secret_string(text);

	stls_buf_init(&buf, 1000);
	ck_assert_ok(stls_buf_append_str(&buf, "a secret"));
	ck_assert_ok(stls_buf_append(&buf, big, sizeof(big)));
	stls_buf_done(&buf);

	ck_assert_ok(stls_secret_set(&secret, "a secret", 8));
	ck_assert_ok(stls_secret_set(&secret, "another secret", 14));
	stls_secret_shorten(&secret, 2);
	ck_assert_mem_eq(secret.data, "an\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	ck_assert_ok(stls_secret_set(&secret, "one more secret", 15));
	stls_secret_done(&secret);
	ck_assert_int_eq(freed_secrets, 1);
	freed_tell(NULL);
}
END_TEST

START_TEST(an_empty_buffer_gives_its_memory_back)
{
	struct stls_buf buf;
	char big[4000] = { 1 };

	stls_buf_init(&buf, 10000);
	stls_buf_trim(&buf, 0);
	ck_assert_ok(stls_buf_append(&buf, big, sizeof(big)));
	stls_buf_trim(&buf, 0);
	ck_assert_uint_eq(stls_buf_len(&buf), sizeof(big));
	stls_buf_clear(&buf);
	stls_buf_trim(&buf, 4096);
	ck_assert_ptr_nonnull(buf.data);
	stls_buf_trim(&buf, 4095);
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.cap, 0);

	/* It is as good as new. */
	ck_assert_ok(stls_buf_append(&buf, big, sizeof(big)));
	ck_assert_mem_eq(stls_buf_data(&buf), big, sizeof(big));
	ck_assert_uint_eq(stls_buf_room(&buf), 10000 - sizeof(big));
	stls_buf_done(&buf);
}
END_TEST

/* However much it is. */
START_TEST(large_amounts_are_wiped_as_well)
{
	struct stls_buf buf;
	char big[10001];
	size_t i;

	memset(big, 1, sizeof(big));
	stls_buf_init(&buf, 20000);
	ck_assert_ok(stls_buf_append(&buf, big, sizeof(big)));
	stls_buf_consume(&buf, sizeof(big) - 1);
	ck_assert_uint_eq(stls_buf_len(&buf), 1);
	ck_assert_uint_eq(*stls_buf_data(&buf), 1);
	/* What is left may have moved to the front. */
	for (i = 0; i < sizeof(big); i++) {
		if (i != buf.head)
			ck_assert_msg(buf.data[i] == 0, "%zu is not", i);
	}
	stls_buf_done(&buf);
}
END_TEST

START_TEST(what_is_dropped_is_gone_like_what_is_consumed)
{
	struct stls_buf buf;
	char big[10000];
	size_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (char)(i % 251);
	stls_buf_init(&buf, 20000);
	ck_assert_ok(stls_buf_append(&buf, big, sizeof(big)));
	for (i = 0; i < sizeof(big); i += 10) {
		stls_buf_drop(&buf, 10);
		ck_assert_uint_eq(stls_buf_len(&buf), sizeof(big) - i - 10);
		ck_assert_mem_eq(
		    stls_buf_data(&buf), big + i + 10, sizeof(big) - i - 10);
	}
	stls_buf_done(&buf);
}
END_TEST

START_TEST(it_grows_in_steps_up_to_a_maximum_that_is_no_power_of_two)
{
	size_t max = 5000000, i;
	struct stls_buf buf;

	stls_buf_init(&buf, max);
	stls_alloc_fail_at(30);
	for (i = 0; i < max; i++) {
		if (stls_buf_append(&buf, "x", 1) < 0)
			break;
	}
	stls_alloc_fail_at(0);
	ck_assert_uint_eq(i, max);
	ck_assert_int_eq(stls_buf_append(&buf, "x", 1), SMTPTLS_E_LIMIT);
	stls_buf_done(&buf);
}
END_TEST

START_TEST(lack_of_memory_leaves_the_buffer_as_it_was)
{
	struct stls_buf buf;
	char big[4000] = { 0 };

	stls_buf_init(&buf, 10000);
	ck_assert_ok(stls_buf_append(&buf, "abc", 3));
	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    stls_buf_append(&buf, big, sizeof(big)), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_uint_eq(stls_buf_len(&buf), 3);
	ck_assert_mem_eq(stls_buf_data(&buf), "abc", 3);
	stls_buf_done(&buf);
}
END_TEST

START_TEST(maximum_below_what_is_there_lets_nothing_in)
{
	struct stls_buf buf;

	stls_buf_init(&buf, 100);
	ck_assert_ok(stls_buf_append_str(&buf, "0123456789"));
	buf.max = 0;
	ck_assert_uint_eq(stls_buf_room(&buf), 0);
	ck_assert_int_eq(stls_buf_append(&buf, "x", 1), SMTPTLS_E_LIMIT);
	ck_assert_ptr_null(stls_buf_reserve(&buf, 1000));
	ck_assert_uint_eq(stls_buf_len(&buf), 10);
	stls_buf_done(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tc = tcase_create("buf");

	tcase_add_test(tc, bytes_come_out_in_the_order_they_went_in);
	tcase_add_test(
	    tc, more_than_the_maximum_is_refused_and_nothing_is_appended);
	tcase_add_test(tc, consumed_bytes_are_wiped);
	tcase_add_test(tc, what_moves_or_is_cut_off_is_wiped_where_it_was);
	tcase_add_test(tc, what_held_a_secret_is_wiped_before_it_is_freed);
	tcase_add_test(tc, an_empty_buffer_gives_its_memory_back);
	tcase_add_test(tc, large_amounts_are_wiped_as_well);
	tcase_add_test(tc, what_is_dropped_is_gone_like_what_is_consumed);
	tcase_add_test(
	    tc, it_grows_in_steps_up_to_a_maximum_that_is_no_power_of_two);
	tcase_add_test(tc, maximum_below_what_is_there_lets_nothing_in);
	tcase_add_test(tc, lack_of_memory_leaves_the_buffer_as_it_was);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
