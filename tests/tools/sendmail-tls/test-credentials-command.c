/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "credentials/command.h"
#include "credentials/line.h"
#include "system/process.h"

#define IN_TIME 30000

static struct identity identity = {
	.login = (char *)"alice",
	.full_name = (char *)"Alice",
	.home = (char *)"/home/alice",
};

static int
run_command(struct stls_err *err, const char *command, int timeout_ms,
    struct stls_secret *out_line)
{
	memset(err, 0, sizeof(*err));
	return command_first_line(err, "the password command", command,
	    &identity, LINE_LEN_MAX, stls_deadline_in(timeout_ms), out_line);
}

static const struct {
	const char *command;
	const char *line;
} good[] = {
	{ "echo secret", "secret" },
	{ "printf secret", "secret" },
	{ "printf 'secret\\r\\n'", "secret" },
	{ "printf 'secret\\nuser: alice\\n'", "secret" },
	{ "printf ' two  words '", " two  words " },
	{ "printf se; printf cret; echo", "secret" },
	{ "echo secret | cat", "secret" },
	{ "echo secret; seq 100000", "secret" },
	{ "cat; echo secret", "secret" },
	{ "echo secret; exec >&-; true", "secret" },
	{ "echo \"$HOME $USER $LOGNAME $SHELL\"",
	    "/home/alice alice alice /bin/sh" },
	{ "echo ${CK_FORK-unset}", "unset" },
	{ "trap '' 13; kill -13 $$; echo alive", "alive" },
};

START_TEST(the_first_line_is_taken)
{
	CLEANUP(stls_secret_done) struct stls_secret line = { 0 };
	struct stls_err err;

	ck_assert_msg(run_command(&err, good[_i].command, IN_TIME, &line) == 0,
	    "%s: %s", good[_i].command, err.text);
	ck_assert_str_eq(line.data, good[_i].line);
	ck_assert_uint_eq(line.len, strlen(good[_i].line));
}
END_TEST

START_TEST(an_agent_that_is_left_behind_is_not_waited_for)
{
	CLEANUP(stls_secret_done) struct stls_secret line = { 0 };
	struct stls_err err;

	/* It keeps the pipe open for longer than the command may take. */
	ck_assert_ok(run_command(&err, "sleep 120 & echo $!", IN_TIME, &line));
	ck_assert_ok(kill((pid_t)atol(line.data), SIGKILL));
}
END_TEST

static const struct {
	const char *command;
	const char *sentence;
} bad[] = {
	{ "true", "the password command: the first line is empty" },
	{ "echo; echo secret", "the first line is empty" },
	{ "echo secret; exit 3", "the password command ended with status 3" },
	{ "no-such-program-here 2>/dev/null", "ended with status 127" },
	{ "echo secret; kill -9 $$", "was killed by signal 9" },
	{ "printf 'a\\000b\\n'", "there is a NUL in the first line" },
	{ "printf %05000d 0", "the first line is longer than 4096" },
};

START_TEST(a_command_that_fails_gives_no_password)
{
	CLEANUP(stls_secret_done) struct stls_secret line = { 0 };
	struct stls_err err;

	ck_assert_int_eq(
	    run_command(&err, bad[_i].command, IN_TIME, &line), EX_CONFIG);
	ck_assert_msg(strstr(err.text, bad[_i].sentence) != NULL,
	    "\"%s\" is not in \"%s\"", bad[_i].sentence, err.text);
	ck_assert_ptr_null(line.data);
}
END_TEST

START_TEST(a_command_that_takes_too_long_is_killed_with_its_children)
{
	CLEANUP(stls_secret_done) struct stls_secret line = { 0 };
	struct stls_err err;
	int fds[2];
	char c;

	/* Each process of the command inherits the end that is written to. */
	ck_assert_ok(pipe(fds));
	ck_assert_int_eq(
	    run_command(&err, "sleep 120 | cat", 50, &line), EX_TEMPFAIL);
	ck_assert_ptr_nonnull(strstr(err.text, "did not end in time"));
	ck_assert_ptr_null(line.data);
	close(fds[1]);
	/* The end of the file comes when the last of them is gone. */
	ck_assert_int_eq(read(fds[0], &c, 1), 0);
	close(fds[0]);
}
END_TEST

START_TEST(a_parent_that_ignored_its_children_is_no_obstacle)
{
	CLEANUP(stls_secret_done) struct stls_secret line = { 0 };
	struct stls_err err = { 0 };
	bool stdin_was_closed;

	signal(SIGCHLD, SIG_IGN);
	ck_assert_ok(process_normalise(&err, &stdin_was_closed));
	ck_assert_ok(run_command(&err, "echo secret", IN_TIME, &line));
	ck_assert_str_eq(line.data, "secret");
}
END_TEST

START_TEST(a_line_that_comes_in_pieces_is_put_together)
{
	CLEANUP(first_line_done) struct first_line line = { 0 };
	CLEANUP(stls_secret_done) struct stls_secret secret = { 0 };
	struct stls_err err = { 0 };
	const char *text = "secret\r\nrest\n", *p;

	for (p = text; *p != '\0'; p++)
		first_line_add(&line, p, 1);
	ck_assert_ok(first_line_take(&err, "it", &line, &secret));
	ck_assert_str_eq(secret.data, "secret");
}
END_TEST

START_TEST(a_line_of_the_longest_length_is_taken)
{
	CLEANUP(first_line_done) struct first_line line = { 0 };
	CLEANUP(stls_secret_done) struct stls_secret secret = { 0 };
	struct stls_err err = { 0 };
	char text[LINE_LEN_MAX];

	memset(text, 'x', sizeof(text));
	first_line_add(&line, text, sizeof(text));
	first_line_add(&line, "\r\n", 2);
	ck_assert_ok(first_line_take(&err, "it", &line, &secret));
	ck_assert_uint_eq(secret.len, LINE_LEN_MAX);

	first_line_done(&line);
	first_line_add(&line, text, sizeof(text));
	first_line_add(&line, "x\n", 2);
	ck_assert_int_eq(
	    first_line_take(&err, "it", &line, &secret), EX_CONFIG);
}
END_TEST

START_TEST(a_token_may_be_longer_than_a_password)
{
	CLEANUP(stls_secret_done) struct stls_secret token = { 0 };
	struct stls_err err = { 0 };

	ck_assert_ok(command_first_line(&err, "the token command",
	    "printf %08192d 0", &identity, TOKEN_LINE_LEN_MAX,
	    stls_deadline_in(IN_TIME), &token));
	ck_assert_uint_eq(token.len, TOKEN_LINE_LEN_MAX);
	ck_assert_int_eq(command_first_line(&err, "the token command",
			     "printf %08193d 0", &identity, TOKEN_LINE_LEN_MAX,
			     stls_deadline_in(IN_TIME), &token),
	    EX_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 8192 bytes"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("credentials-command");
	TCase *tc = tcase_create("credentials-command");

	tcase_add_loop_test(tc, the_first_line_is_taken, 0, (int)COUNT(good));
	tcase_add_test(tc, an_agent_that_is_left_behind_is_not_waited_for);
	tcase_add_loop_test(
	    tc, a_command_that_fails_gives_no_password, 0, (int)COUNT(bad));
	tcase_add_test(
	    tc, a_command_that_takes_too_long_is_killed_with_its_children);
	tcase_add_test(tc, a_parent_that_ignored_its_children_is_no_obstacle);
	tcase_add_test(tc, a_line_that_comes_in_pieces_is_put_together);
	tcase_add_test(tc, a_line_of_the_longest_length_is_taken);
	tcase_add_test(tc, a_token_may_be_longer_than_a_password);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
