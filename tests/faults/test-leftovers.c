/* SPDX-License-Identifier: MIT */
/*
 * What sendmail-tls gets a password by leaves nothing of it behind: not on the
 * stack, and not in what is freed. A look at the whole process when it ends
 * comes too late: what is called meanwhile has written over it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "credentials/credentials.h"
#include "faults/scan.h"
#include "freed.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
	/* By pieces: whole it would be in the program for ever. */
	char secret[64];

	snprintf(secret, sizeof(secret), "%s%s%s", "q7Vb2LxTz", "9RkWm4Ydf3Np",
	    "8HsJc6Ga");
	scan_needle_init(&needle, secret);
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

START_TEST(password_is_where_it_was_wanted_alone)
{
	struct credentials credentials = { 0 };
	struct settings settings = { .url = "smtps://mail.example.org",
		.user = "alice",
		.deadline = STLS_NEVER };
	char value[128];

	if (scan_memory(&needle) < 0)
		return;
	write_secret(rows[_i].in_front, rows[_i].behind);
	snprintf(value, sizeof(value), "%s%s", rows[_i].before_path, path);
	settings.password.source = rows[_i].source;
	settings.password.value = value;
	ck_assert_int_eq(scan_memory(&needle), 0);
	freed_tell(look);
	ck_assert_int_eq(get_deep_down(&settings, &credentials), 0);
	ck_assert_int_eq(scan_memory(&needle), rows[_i].count);
	credentials_done(&credentials);
	freed_tell(NULL);
	ck_assert_int_eq(scan_memory(&needle), 0);
	ck_assert_int_eq(freed, 0);
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
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
