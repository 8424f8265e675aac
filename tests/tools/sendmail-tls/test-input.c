/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "message/input.h"

#define WHOLE 4096

static const struct {
	const char *text;
	const char *until_dot; /* what is taken of it without -i */
} dots[] = {
	{ "", "" },
	{ "a\nb\n", "a\nb\n" },
	{ "a\n.\nb\n", "a\n" },
	{ "a\r\n.\r\nb\r\n", "a\r\n" },
	{ "a\n.\r\nb\n", "a\n" },
	{ ".\na\n", "" },
	{ ".", "" },
	{ "a\n.", "a\n" },
	{ "a\n.\r", "a\n" },
	{ "a\n..\nb\n", "a\n..\nb\n" },
	{ "a\n.b\n", "a\n.b\n" },
	{ "a\n. \nb\n", "a\n. \nb\n" },
	{ "a\n.\r\r\nb\n", "a\n.\r\r\nb\n" },
	{ "a.\nb\n", "a.\nb\n" },
	{ "a\r.\rb\n", "a\r.\rb\n" },
};

/* A descriptor whose every read(2) gives at most `piece` bytes of the text. */
static int
give(const char *text, size_t piece)
{
	size_t len = strlen(text), n;
	int fds[2];

	ck_assert_ok(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
	for (; len > 0; text += n, len -= n) {
		n = len < piece ? len : piece;
		ck_assert_int_eq(write(fds[1], text, n), (int)n);
	}
	close(fds[1]);
	return fds[0];
}

/* The whole of what comes; a status where it ends early. */
static int
collect(struct input *input, char *out, size_t cap, size_t *out_len)
{
	struct stls_err err = { 0 };
	const char *text;
	size_t len;
	int r;

	*out_len = 0;
	for (;;) {
		r = input_next(&err, input, &text, &len);
		if (r != 0 || len == 0)
			return r;
		ck_assert_uint_le(*out_len + len, cap);
		memcpy(out + *out_len, text, len);
		*out_len += len;
	}
}

static void
check_input(const char *text, size_t piece, bool dot_ends, const char *expected)
{
	int fd = give(text, piece);
	struct input input;
	char all[WHOLE];
	size_t len;

	input_init(&input, fd, dot_ends, STLS_NEVER);
	ck_assert_ok(collect(&input, all, sizeof(all), &len));
	ck_assert_uint_eq(len, strlen(expected));
	ck_assert_mem_eq(all, expected, len);
	/* An end stays an end. */
	ck_assert_ok(collect(&input, all, sizeof(all), &len));
	ck_assert_uint_eq(len, 0);
	input_done(&input);
	close(fd);
}

START_TEST(a_lone_dot_ends_the_message)
{
	check_input(dots[_i].text, WHOLE, true, dots[_i].until_dot);
}
END_TEST

START_TEST(a_lone_dot_ends_it_however_it_comes_in)
{
	check_input(dots[_i].text, 1, true, dots[_i].until_dot);
	check_input(dots[_i].text, 2, true, dots[_i].until_dot);
	check_input(dots[_i].text, 3, true, dots[_i].until_dot);
}
END_TEST

START_TEST(with_i_a_lone_dot_is_data)
{
	check_input(dots[_i].text, WHOLE, false, dots[_i].text);
	check_input(dots[_i].text, 1, false, dots[_i].text);
}
END_TEST

START_TEST(reading_stops_at_the_dot_without_waiting_for_the_end)
{
	struct input input;
	char all[WHOLE];
	size_t len;
	int fds[2];

	ck_assert_ok(pipe(fds));
	ck_assert_int_eq(write(fds[1], "a\n.\n", 4), 4);
	/* The other end stays open: to wait for it would be for ever. */
	input_init(&input, fds[0], true, STLS_NEVER);
	ck_assert_ok(collect(&input, all, sizeof(all), &len));
	ck_assert_uint_eq(len, 2);
	input_done(&input);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_text_that_does_not_come_meets_the_deadline)
{
	struct stls_err err = { 0 };
	struct input input;
	const char *text;
	size_t len;
	int fds[2];

	ck_assert_ok(pipe(fds));
	input_init(&input, fds[0], true, stls_deadline_in(1));
	ck_assert_int_eq(input_next(&err, &input, &text, &len), EX_TEMPFAIL);
	ck_assert_ptr_nonnull(strstr(err.text, "--timeout"));
	input_done(&input);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error)
{
	struct stls_err err = { 0 };
	struct input input;
	const char *text;
	size_t len;
	int fds[2];

	ck_assert_ok(pipe(fds));
	input_init(&input, fds[1], true, STLS_NEVER);
	ck_assert_int_eq(input_next(&err, &input, &text, &len), EX_NOINPUT);
	ck_assert_str_eq(err.text, "standard input: Bad file descriptor");
	input_done(&input);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(lack_of_memory_is_an_error_of_its_own)
{
	struct stls_err err = { 0 };
	int fd = give("text", WHOLE);
	struct input input;
	const char *text;
	size_t len;

	input_init(&input, fd, true, STLS_NEVER);
	stls_alloc_fail_at(1);
	ck_assert_int_eq(input_next(&err, &input, &text, &len), EX_OSERR);
	stls_alloc_fail_at(0);
	input_done(&input);
	close(fd);
}
END_TEST

START_TEST(what_nobody_wants_is_read_all_the_same)
{
	int fd = give("a\nb\n.\nc", 1);
	struct input input;
	char c;

	input_init(&input, fd, true, STLS_NEVER);
	input_drain(&input);
	ck_assert_int_eq(read(fd, &c, 1), 1);
	ck_assert_int_eq(c, 'c');
	input_done(&input);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("input");
	TCase *tc = tcase_create("input");

	tcase_add_loop_test(tc, a_lone_dot_ends_the_message, 0, COUNT(dots));
	tcase_add_loop_test(
	    tc, a_lone_dot_ends_it_however_it_comes_in, 0, COUNT(dots));
	tcase_add_loop_test(tc, with_i_a_lone_dot_is_data, 0, COUNT(dots));
	tcase_add_test(
	    tc, reading_stops_at_the_dot_without_waiting_for_the_end);
	tcase_add_test(tc, a_text_that_does_not_come_meets_the_deadline);
	tcase_add_test(tc, what_cannot_be_read_is_an_error);
	tcase_add_test(tc, lack_of_memory_is_an_error_of_its_own);
	tcase_add_test(tc, what_nobody_wants_is_read_all_the_same);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
