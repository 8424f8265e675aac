/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/random.h"

#define LEN 32

static void
draw(unsigned char *out)
{
	struct stls_err err;

	ck_assert_ok(stls_random(&err, out, LEN));
}

/* What a child draws first. */
static void
draw_in_child(unsigned char *out)
{
	int fds[2], status;
	pid_t pid;

	ck_assert_ok(pipe(fds));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		draw(out);
		_exit(write(fds[1], out, LEN) == LEN ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read(fds[0], out, LEN), LEN);
	close(fds[0]);
	close(fds[1]);
}

START_TEST(bytes_are_drawn_anew_each_time)
{
	unsigned char a[LEN], b[LEN], zero[LEN] = { 0 };

	draw(a);
	draw(b);
	ck_assert_mem_ne(a, b, LEN);
	ck_assert_mem_ne(a, zero, LEN);
}
END_TEST

START_TEST(two_children_and_their_parent_draw_different_bytes)
{
	unsigned char before[LEN], a[LEN], b[LEN], after[LEN];

	/* The generator is warm before they are born. */
	draw(before);
	draw_in_child(a);
	draw_in_child(b);
	draw(after);
	ck_assert_mem_ne(a, b, LEN);
	ck_assert_mem_ne(a, after, LEN);
	ck_assert_mem_ne(b, after, LEN);
}
END_TEST

START_TEST(no_bytes_at_all_are_fine)
{
	unsigned char byte = 7;
	struct stls_err err;

	ck_assert_ok(stls_random(&err, &byte, 0));
	ck_assert_int_eq(byte, 7);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("random");
	TCase *tc = tcase_create("random");

	tcase_add_test(tc, bytes_are_drawn_anew_each_time);
	tcase_add_test(tc, two_children_and_their_parent_draw_different_bytes);
	tcase_add_test(tc, no_bytes_at_all_are_fine);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
