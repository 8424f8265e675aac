/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "settings/settings.h"
#include "submit/client.h"

#define ARGV_MAX 6

static char folder[] = "/tmp/submit-client-XXXXXX";
static char system_path[64], user_path[64], own_spool[64];

static void
setup(void)
{
	ck_assert_ptr_nonnull(
	    mkdtemp(strcpy(folder, "/tmp/submit-client-XXXXXX")));
	snprintf(system_path, sizeof(system_path), "%s/system", folder);
	snprintf(user_path, sizeof(user_path), "%s/user", folder);
	snprintf(own_spool, sizeof(own_spool), "%s/spool", folder);
	ck_assert_ok(mkdir(own_spool, 0700));
}

static void
teardown(void)
{
	unlink(system_path);
	unlink(user_path);
	rmdir(own_spool);
	rmdir(folder);
}

/* A `@` in the text stands for the spool. */
static void
replace(FILE *file, const char *text, const char *spool)
{
	for (; *text != '\0'; text++) {
		if (*text == '@')
			fputs(spool, file);
		else
			fputc(*text, file);
	}
}

static void
write_file(const char *path, const char *text, const char *spool)
{
	CLEANUP(close_file) FILE *file = NULL;

	if (text == NULL)
		return;
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_ok(fchmod(fileno(file), 0600));
	replace(file, text, spool);
}

static bool
is_needed(char **argv, const char *system_text, const char *user_text,
    const char *spool)
{
	CLEANUP(settings_done) struct settings settings = { 0 };
	struct config_paths paths = {
		.system = system_path,
		.user = user_path,
	};
	struct stls_err err = { 0 };
	int argc = 0;

	write_file(system_path, system_text, spool);
	write_file(user_path, user_text, spool);
	while (argv[argc] != NULL)
		argc++;
	ck_assert_int_eq(
	    settings_parse(&err, argc, argv, &paths, &settings), 0);
	return submit_client_is_needed(&settings);
}

#define URL "url = smtps://localhost\n"
#define SPOOL "spool = @\n"

static const struct {
	const char *system, *user;
	const char *argv[ARGV_MAX];
	bool needed;
} cases[] = {
	{ NULL, NULL, { "sendmail", "a@b" }, false },
	{ URL, NULL, { "sendmail", "a@b" }, false },
	{ URL SPOOL, NULL, { "sendmail", "a@b" }, true },
	/* Whoever names another server means it, and nothing is stored. */
	{ URL SPOOL, URL, { "sendmail", "a@b" }, false },
	{ URL SPOOL, NULL, { "sendmail", "--url", "smtps://x", "a@b" }, false },
	/* A mistake of the user's own is not mended by somebody else. */
	{ NULL, URL SPOOL, { "sendmail", "a@b" }, false },
	{ URL SPOOL, NULL, { "sendmail", "--probe" }, false },
	{ URL SPOOL, NULL, { "sendmail", "--dry-run", "a@b" }, false },
	{ NULL, NULL, { "sendmail", "--submit-socket", "/x", "a@b" }, true },
	{ "submit-socket = /x\n", NULL, { "sendmail", "a@b" }, true },
	{ URL "submit-socket = /x\n", NULL, { "sendmail", "a@b" }, false },
};

START_TEST(a_message_is_handed_over_where_it_has_to_be)
{
	char *argv[ARGV_MAX + 1] = { NULL };
	size_t i;

	/* All of root's belongs to another one but for root himself. */
	const char *spool = getuid() == 0 ? own_spool : "/";

	ck_assert(getuid() != 0 || chown(own_spool, 65534, 65534) == 0);
	for (i = 0; cases[_i].argv[i] != NULL; i++)
		argv[i] = (char *)cases[_i].argv[i];
	ck_assert_int_eq(
	    is_needed(argv, cases[_i].system, cases[_i].user, spool),
	    cases[_i].needed);
}
END_TEST

START_TEST(a_spool_of_our_own_is_ours_to_use)
{
	char *argv[] = { (char *)"sendmail", (char *)"a@b", NULL };

	ck_assert(!is_needed(argv, URL SPOOL, NULL, own_spool));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("submit-client");
	TCase *tc = tcase_create("submit-client");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, a_message_is_handed_over_where_it_has_to_be, 0, COUNT(cases));
	tcase_add_test(tc, a_spool_of_our_own_is_ours_to_use);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
