/* SPDX-License-Identifier: MIT */
/*
 * What sendmail-tls gets a password by leaves nothing of it behind: not on the
 * stack, and not in what is freed. A look at the whole process when it ends
 * comes too late: what is called meanwhile has written over it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credentials/credentials.h"
#include "faults/scan.h"
#include "freed.h"
#include "test.h"

static const struct {
	enum password_source source;
	const char *before_path;
	const char *in_front; /* of the secret, in the file */
	const char *behind;
	int count; /* how often it is wanted */
} rows[] = {
	{ PASSWORD_FILE, "", "", "", 1 },
	{ PASSWORD_COMMAND, "cat ", "", "", 1 },
	{ PASSWORD_TOKEN_COMMAND, "cat ", "", "", 1 },
	{ PASSWORD_NETRC, "", "machine mail.example.org login alice password ",
	    "", 1 },
	/* That of somebody else is read, too. */
	{ PASSWORD_NETRC, "", "machine mail.example.org login bob password ",
	    "\nmachine mail.example.org login alice password x", 0 },
};

static struct scan_needle needle;
static int freed;
static char folder[64], path[96];

static void
look(const void *block, size_t size)
{
	freed += scan_block(&needle, block, size);
}

static void
setup(void)
{
	scan_needle_init(&needle);
	snprintf(folder, sizeof(folder), "/tmp/smtptls-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/secret", folder);
}

static void
teardown(void)
{
	unlink(path);
	rmdir(folder);
}

/* In another process, so that nothing of it is here. */
static void
write_secret(const char *in_front, const char *behind)
{
	int status = -1;
	pid_t pid = fork();
	FILE *file;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		umask(077);
		file = fopen(path, "we");
		if (file == NULL)
			_exit(1);
		fprintf(file, "%s%s%s\n", in_front, scan_needle_lend(&needle),
		    behind);
		_exit(fclose(file) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* Deep enough that the look itself does not write over what it looks for. */
__attribute__((noinline)) static int
get_deep_down(const struct settings *settings, struct credentials *out)
{
	struct identity identity = { .login = (char *)"alice",
		.home = (char *)"/" };
	volatile char deep[65536];
	struct stls_err err = { 0 };

	deep[0] = 0;
	return credentials_get(&err, settings, &identity, out) + deep[0];
}

/* How often it is there at the end, or -1 where it is elsewhere, too. */
static int
count_copies(enum password_source source, const char *value)
{
	struct credentials credentials = { 0 };
	struct settings settings = { .url = "smtps://mail.example.org",
		.user = "alice",
		.password = { .source = source, .value = value },
		.deadline = STLS_NEVER };
	int r, there;

	if (scan_memory(&needle) != 0)
		return -1;
	freed_tell(look);
	r = get_deep_down(&settings, &credentials);
	there = scan_memory(&needle);
	credentials_done(&credentials);
	freed_tell(NULL);
	return r == 0 && freed == 0 && scan_memory(&needle) == 0 ? there : -1;
}

START_TEST(password_is_where_it_was_wanted_alone)
{
	char value[128];

	if (scan_memory(&needle) < 0)
		return;
	write_secret(rows[_i].in_front, rows[_i].behind);
	snprintf(value, sizeof(value), "%s%s", rows[_i].before_path, path);
	ck_assert_int_eq(count_copies(rows[_i].source, value), rows[_i].count);
}
END_TEST

/* Its terminal is this one. */
static int
be_asked_on(const char *terminal)
{
	int fd;

	if (setsid() < 0)
		return 10;
	fd = open(terminal, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
		return 11;
	return count_copies(PASSWORD_PROMPT, NULL) == 1 ? 0 : 12;
}

static void
type_secret(int master)
{
	char *secret = scan_needle_lend(&needle);
	size_t len = strlen(secret);

	ck_assert_int_eq(write(master, secret, len), len);
	ck_assert_int_eq(write(master, "\n", 1), 1);
	scan_needle_take_back(secret);
}

START_TEST(password_that_is_typed_is_where_it_was_wanted_alone)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), status = -1;
	char before = 0, now;
	bool was_typed = false;
	pid_t pid;

	if (scan_memory(&needle) < 0)
		return;
	ck_assert_int_ge(master, 0);
	ck_assert_ok(grantpt(master));
	ck_assert_ok(unlockpt(master));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(be_asked_on(ptsname(master)));
	/* What is typed before the question is dropped. */
	while (read(master, &now, 1) == 1) {
		if (!was_typed && before == ':' && now == ' ') {
			type_secret(master);
			was_typed = true;
		}
		before = now;
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(master);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("leftovers");
	TCase *tc = tcase_create("leftovers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, password_is_where_it_was_wanted_alone, 0, COUNT(rows));
	tcase_add_test(tc, password_that_is_typed_is_where_it_was_wanted_alone);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
