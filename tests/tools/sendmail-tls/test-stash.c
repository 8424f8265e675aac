/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "submit/stash.h"

/* What is in it, from its start; freed by the caller. */
static char *
text_of(const struct stash *stash)
{
	char *text = calloc(1, stash->size + 1);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(
	    pread(stash->fd, text, stash->size + 1, 0), (ssize_t)stash->size);
	return text;
}

/* A pipe into which a child writes the pieces, one by one. */
static int
pipe_with(const char *const *pieces, pid_t *out_child)
{
	int fds[2];

	ck_assert_ok(pipe(fds));
	*out_child = fork();
	if (*out_child == 0) {
		for (; *pieces != NULL; pieces++) {
			if (write(fds[1], *pieces, strlen(*pieces)) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

static const struct {
	const char *pieces[8];
	const char *text; /* with a dot that ends it */
} dots[] = {
	{ { "a\n.\n" }, "a\n.\n" },
	{ { "a\n", ".", "\n" }, "a\n.\n" },
	{ { "a\r\n", ".", "\r", "\n" }, "a\r\n.\r\n" },
	{ { ".\n" }, ".\n" },
	{ { "a.\n", "..\n", ".b\n", ". \n", ".\r.\n" },
	    "a.\n..\n.b\n. \n.\r.\n" },
	{ { "a\n." }, "a\n." },
	{ { NULL }, "" },
};

START_TEST(it_is_filled_to_the_end_or_to_a_lone_dot)
{
	struct stash stash = { .fd = -1 };
	struct stls_err err = { 0 };
	pid_t child;
	char *text;
	int fd = pipe_with(dots[_i].pieces, &child);

	ck_assert_ok(stash_read(&err, fd, true, STLS_NEVER, &stash));
	close(fd);
	text = text_of(&stash);
	ck_assert_str_eq(text, dots[_i].text);
	ck_assert_int_eq(lseek(stash.fd, 0, SEEK_CUR), 0);
	free(text);
	stash_done(&stash);
	waitpid(child, NULL, 0);
}
END_TEST

START_TEST(a_dot_is_data_where_it_is_said_to_be)
{
	const char *pieces[] = { "a\n.\n", "b\n", NULL };
	struct stash stash = { .fd = -1 };
	struct stls_err err = { 0 };
	pid_t child;
	char *text;
	int fd = pipe_with(pieces, &child);

	ck_assert_ok(stash_read(&err, fd, false, STLS_NEVER, &stash));
	close(fd);
	text = text_of(&stash);
	ck_assert_str_eq(text, "a\n.\nb\n");
	free(text);
	stash_done(&stash);
	waitpid(child, NULL, 0);
}
END_TEST

START_TEST(what_does_not_come_in_time_is_a_temporary_failure)
{
	struct stash stash = { .fd = -1 };
	struct stls_err err = { 0 };
	int fds[2];

	ck_assert_ok(pipe(fds));
	ck_assert_int_eq(
	    stash_read(&err, fds[0], true, stls_deadline_in(1), &stash),
	    EX_TEMPFAIL);
	stash_done(&stash);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(what_is_large_leaves_memory_whole)
{
	static char block[100000];
	struct stash stash = { .fd = -1 };
	struct stls_err err = { 0 };
	char *text;
	size_t i;

	ck_assert_ok(stash_open(&err, 0, &stash));
	for (i = 0; i < 25; i++) {
		memset(block, 'a' + (int)i, sizeof(block));
		ck_assert_ok(stash_add(&err, &stash, block, sizeof(block)));
	}
	ck_assert(!stash.in_memory);
	text = text_of(&stash);
	for (i = 0; i < 25; i++) {
		memset(block, 'a' + (int)i, sizeof(block));
		ck_assert_mem_eq(
		    text + i * sizeof(block), block, sizeof(block));
	}
	free(text);
	stash_done(&stash);
}
END_TEST

START_TEST(more_than_is_allowed_is_refused)
{
	struct stash stash = { .fd = -1 };
	struct stls_err err = { 0 };

	ck_assert_ok(stash_open(&err, 10, &stash));
	ck_assert_ok(stash_add(&err, &stash, "0123456789", 10));
	ck_assert_int_eq(stash_add(&err, &stash, "x", 1), EX_DATAERR);
	ck_assert_uint_eq(stash.size, 10);
	stash_done(&stash);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stash");
	TCase *tc = tcase_create("stash");

	tcase_add_loop_test(
	    tc, it_is_filled_to_the_end_or_to_a_lone_dot, 0, COUNT(dots));
	tcase_add_test(tc, a_dot_is_data_where_it_is_said_to_be);
	tcase_add_test(tc, what_does_not_come_in_time_is_a_temporary_failure);
	tcase_add_test(tc, what_is_large_leaves_memory_whole);
	tcase_add_test(tc, more_than_is_allowed_is_refused);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
