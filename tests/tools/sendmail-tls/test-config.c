/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/config.h"
#include "settings/settings.h"
#include "settings/table.h"

#define NOBODY 65534

static char folder[] = "/tmp/test-config-XXXXXX";
static char system_path[64], user_path[64], only_path[64];

static const struct config_paths paths = {
	.system = system_path,
	.user = user_path,
	.home = "/home/alice",
};

static void
make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(system_path, sizeof(system_path), "%s/system", folder);
	snprintf(user_path, sizeof(user_path), "%s/user", folder);
	snprintf(only_path, sizeof(only_path), "%s/only", folder);
}

static void
remove_folder(void)
{
	unlink(system_path);
	unlink(user_path);
	unlink(only_path);
	rmdir(folder);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Understand a command line of at most four words, and the files. */
static int
parse(struct stls_err *err, struct settings *settings, const char *a,
    const char *b, const char *c, const char *d)
{
	static char words[5][128];
	static char *argv[6];
	const char *const given[] = { "sendmail", a, b, c, d };
	int argc;

	for (argc = 0; argc < 5 && given[argc] != NULL; argc++) {
		snprintf(words[argc], sizeof(words[argc]), "%s", given[argc]);
		argv[argc] = words[argc];
	}
	argv[argc] = NULL;
	memset(err, 0, sizeof(*err));
	return settings_parse(err, argc, argv, &paths, settings);
}

START_TEST(without_files_there_is_nothing_to_say)
{
	struct settings settings;
	struct stls_err err;

	ck_assert_ok(parse(&err, &settings, NULL, NULL, NULL, NULL));
	ck_assert_ptr_null(settings.url);
	ck_assert_uint_eq(settings.config->file_count, 0);
	ck_assert(!settings_need_helper(&settings));
	ck_assert_int_eq(settings_no_server(&err, &settings), EX_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, user_path));
	ck_assert_ptr_nonnull(strstr(err.text, system_path));
	settings_done(&settings);
}
END_TEST

START_TEST(the_user_counts_more_than_the_system)
{
	struct settings settings;
	struct stls_err err;

	write_file(system_path,
	    "domain = system.example\nehlo = system.example\n"
	    "[work]\ndomain = work.example\ntimeout = 10\n",
	    0644);
	write_file(
	    user_path, "domain = user.example\n[work]\ntimeout = 20\n", 0644);
	ck_assert_ok(parse(&err, &settings, NULL, NULL, NULL, NULL));
	ck_assert_str_eq(settings.domain, "user.example");
	ck_assert_str_eq(settings.ehlo_name, "system.example");
	settings_done(&settings);

	ck_assert_ok(parse(&err, &settings, "-a", "work", NULL, NULL));
	ck_assert_str_eq(settings.domain, "work.example");
	ck_assert_int_eq(settings.timeout_s, 20);
	ck_assert_str_eq(settings.account, "work");
	settings_done(&settings);

	ck_assert_ok(
	    parse(&err, &settings, "-a", "work", "--domain", "cmd.example"));
	ck_assert_str_eq(settings.domain, "cmd.example");
	settings_done(&settings);
}
END_TEST

START_TEST(a_file_that_is_named_is_the_only_one)
{
	struct settings settings;
	struct stls_err err;

	write_file(system_path, "ehlo = system.example\n", 0644);
	write_file(user_path, "bogus\n", 0644);
	write_file(only_path, "domain = only.example\n", 0644);
	ck_assert_ok(parse(&err, &settings, "-C", only_path, NULL, NULL));
	ck_assert_str_eq(settings.domain, "only.example");
	ck_assert_ptr_null(settings.ehlo_name);
	settings_done(&settings);
}
END_TEST

#define SYSTEM_SERVER                                                          \
	"url = smtps://system.example\nuser = machine\npassword-file = /pw\n"  \
	"cafile = /ca\ntls-min = 1.3\ndomain = system.example\n"

START_TEST(a_server_gets_nothing_that_was_said_about_another_one)
{
	struct settings settings;
	struct stls_err err;

	/* By the file of the user. */
	write_file(system_path, SYSTEM_SERVER, 0644);
	write_file(user_path, "url = smtps://user.example\n", 0644);
	ck_assert_ok(parse(&err, &settings, NULL, NULL, NULL, NULL));
	ck_assert_str_eq(settings.url, "smtps://user.example");
	ck_assert_ptr_null(settings.user);
	ck_assert_ptr_null(settings.cafile);
	ck_assert_int_eq(settings.password.source, PASSWORD_PROMPT);
	/* What is about the user's own side stays, and what is strict. */
	ck_assert_str_eq(settings.domain, "system.example");
	ck_assert_int_eq(settings.tls_min, SMTPTLS_TLS_1_3);
	settings_done(&settings);

	/* By the command line. */
	write_file(user_path, "", 0644);
	ck_assert_ok(
	    parse(&err, &settings, "--url", "smtps://x.example", NULL, NULL));
	ck_assert_ptr_null(settings.user);
	ck_assert_ptr_null(settings.cafile);
	settings_done(&settings);

	/* By an account, of whichever file. */
	write_file(
	    user_path, "[work]\nurl = smtps://work.example\nuser = u\n", 0644);
	ck_assert_ok(parse(&err, &settings, "-a", "work", NULL, NULL));
	ck_assert_str_eq(settings.url, "smtps://work.example");
	ck_assert_str_eq(settings.user, "u");
	ck_assert_ptr_null(settings.cafile);
	ck_assert_int_eq(settings.password.source, PASSWORD_PROMPT);
	settings_done(&settings);

	/* By the user, where an account of the system's file names none. */
	write_file(system_path,
	    SYSTEM_SERVER "[work]\nuser = w\npassword-file = /pw\n"
			  "insecure-no-verify = yes\nfrom = w@work.example\n",
	    0644);
	write_file(user_path, "url = smtps://user.example\n", 0644);
	ck_assert_ok(parse(&err, &settings, "-a", "work", NULL, NULL));
	ck_assert_str_eq(settings.url, "smtps://user.example");
	ck_assert_ptr_null(settings.user);
	ck_assert_ptr_null(settings.cafile);
	ck_assert_int_eq(settings.password.source, PASSWORD_PROMPT);
	ck_assert(!settings.insecure_no_verify);
	ck_assert_str_eq(settings.from, "w@work.example");
	settings_done(&settings);

	/* And where it does name one, it is not added to by the user's. */
	write_file(system_path,
	    SYSTEM_SERVER "[work]\nurl = smtps://work.example\n", 0644);
	write_file(user_path, "url = smtps://user.example\nuser = u\n", 0644);
	ck_assert_ok(parse(&err, &settings, "-a", "work", NULL, NULL));
	ck_assert_str_eq(settings.url, "smtps://work.example");
	ck_assert_str_eq(settings.user, "machine");
	settings_done(&settings);
}
END_TEST

START_TEST(a_server_gets_what_is_said_about_it)
{
	struct settings settings;
	struct stls_err err;

	write_file(system_path, SYSTEM_SERVER "[work]\nuser = u\n", 0644);
	write_file(user_path, "password-command = x\n", 0644);
	ck_assert_ok(parse(&err, &settings, NULL, NULL, NULL, NULL));
	ck_assert_str_eq(settings.url, "smtps://system.example");
	ck_assert_str_eq(settings.user, "machine");
	ck_assert_int_eq(settings.password.source, PASSWORD_COMMAND);
	settings_done(&settings);

	/* Who names the account as well wants what it says. */
	ck_assert_ok(
	    parse(&err, &settings, "-a", "work", "--url", "smtps://x.example"));
	ck_assert_str_eq(settings.url, "smtps://x.example");
	ck_assert_str_eq(settings.user, "u");
	ck_assert_str_eq(settings.cafile, "/ca");
	settings_done(&settings);
}
END_TEST

START_TEST(a_home_directory_is_that_of_the_password_database)
{
	struct settings settings;
	struct stls_err err;

	ck_assert_int_eq(setenv("HOME", "/wrong", 1), 0);
	write_file(user_path, "cafile = ~/ca.pem\ncert = pkcs11:x\n", 0600);
	ck_assert_ok(parse(&err, &settings, NULL, NULL, NULL, NULL));
	ck_assert_str_eq(settings.cafile, "/home/alice/ca.pem");
	ck_assert_str_eq(settings.cert, "pkcs11:x");
	settings_done(&settings);
}
END_TEST

/* Root can read everything, and somebody else's file is the same case. */
static void
put_out_of_reach(const char *path)
{
	if (getuid() == 0)
		ck_assert_int_eq(chown(path, NOBODY, NOBODY), 0);
	else
		ck_assert_int_eq(chmod(path, 0), 0);
}

START_TEST(a_system_file_out_of_reach_is_left_to_the_helper)
{
	struct settings settings;
	struct stls_err err;

	write_file(system_path, SYSTEM_SERVER, 0600);
	put_out_of_reach(system_path);
	ck_assert_ok(parse(&err, &settings, NULL, NULL, NULL, NULL));
	ck_assert(settings_need_helper(&settings));
	ck_assert_ptr_null(settings.domain);
	ck_assert_int_eq(settings_no_server(&err, &settings), EX_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, system_path));
	settings_done(&settings);
}
END_TEST

START_TEST(who_has_a_server_needs_no_helper)
{
	struct settings settings;
	struct stls_err err;

	write_file(system_path, SYSTEM_SERVER, 0600);
	put_out_of_reach(system_path);
	ck_assert_ok(
	    parse(&err, &settings, "--url", "smtps://x.example", NULL, NULL));
	ck_assert(!settings_need_helper(&settings));
	settings_done(&settings);

	write_file(user_path, "url = smtps://user.example\n", 0600);
	ck_assert_ok(parse(&err, &settings, NULL, NULL, NULL, NULL));
	ck_assert(!settings_need_helper(&settings));
	settings_done(&settings);
}
END_TEST

START_TEST(a_user_file_out_of_reach_is_an_error)
{
	struct settings settings;
	struct stls_err err;

	write_file(user_path, "", 0600);
	put_out_of_reach(user_path);
	ck_assert_int_eq(
	    parse(&err, &settings, NULL, NULL, NULL, NULL), EX_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, user_path));
	settings_done(&settings);
}
END_TEST

static const char whole[] =
    "account = b\nurl = smtps://x\nuser = u\npassword = secret\n"
    "cafile = ~/ca\n[a]\nsenders = a@x, *@y\nuser = v\n[b]\nlog = syslog\n"
    "from = A <a@x>\nenvelope-from = b@x\n";

START_TEST(memory_that_runs_out_is_told_and_nothing_is_lost)
{
	struct settings settings;
	struct stls_err err;
	unsigned long n;
	int r;

	write_file(user_path, whole, 0600);
	for (n = 1;; n++) {
		stls_alloc_fail_at(n);
		r = parse(&err, &settings, "-f", "a@y", NULL, NULL);
		settings_done(&settings);
		if (!stls_alloc_has_failed())
			break;
		ck_assert_int_eq(r, EX_OSERR);
	}
	stls_alloc_fail_at(0);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_gt(n, 20);
}
END_TEST

/* Whatever stands in a file: an answer, and a sentence with its line. */
START_TEST(every_cut_of_a_file_is_understood_or_refused)
{
	struct config config;
	struct stls_err err;
	bool has_secret;
	size_t len, i;
	char text[sizeof(whole)];
	int r;

	for (len = 0; len < sizeof(whole); len += test_step()) {
		for (i = 0; i < 3; i++) {
			memcpy(text, whole, sizeof(text));
			if (i > 0 && len < sizeof(whole) - 1)
				text[len] = "]\x80"[i - 1];
			memset(&config, 0, sizeof(config));
			config.vocabulary = &settings_options;
			memset(&err, 0, sizeof(err));
			r = config_parse(&err, &config, CONFIG_USER, "file",
			    text, i > 0 ? sizeof(text) - 1 : len, &has_secret);
			ck_assert(r == 0 || r == EX_CONFIG);
			if (r != 0)
				ck_assert_msg(
				    strncmp(err.text, "file:", 5) == 0, "%s",
				    err.text);
			config_done(&config);
		}
	}
}
END_TEST

START_TEST(a_secret_is_known_as_one)
{
	static const char text[] = "[x]\npassword = y\n";
	struct config config = { .vocabulary = &settings_options };
	struct stls_err err = { 0 };
	bool has_secret = false;

	ck_assert_ok(config_parse(&err, &config, CONFIG_USER, "file", text,
	    sizeof(text) - 1, &has_secret));
	ck_assert(has_secret);
	ck_assert_uint_eq(config.count, 1);
	ck_assert_uint_eq(config.entries[0].line, 2);
	ck_assert_str_eq(config.entries[0].account, "x");
	config_done(&config);
}
END_TEST

/* Another user may say what is about a message, and nothing else. */
START_TEST(what_is_handed_over_is_not_about_the_server)
{
	const struct option_spec *spec;
	size_t i;

	for (i = 0; i < settings_options.count; i++) {
		spec = &settings_options.specs[i];
		if ((spec->places & OPTION_HANDED_OVER) == 0)
			continue;
		ck_assert_uint_eq(
		    spec->kinds & (OPTION_ABOUT_SERVER | OPTION_SECRET), 0);
		ck_assert(spec->name == NULL ||
		    strstr(spec->name, "insecure") == NULL);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, without_files_there_is_nothing_to_say);
	tcase_add_test(tc, the_user_counts_more_than_the_system);
	tcase_add_test(tc, a_file_that_is_named_is_the_only_one);
	tcase_add_test(
	    tc, a_server_gets_nothing_that_was_said_about_another_one);
	tcase_add_test(tc, a_server_gets_what_is_said_about_it);
	tcase_add_test(tc, a_home_directory_is_that_of_the_password_database);
	tcase_add_test(tc, a_system_file_out_of_reach_is_left_to_the_helper);
	tcase_add_test(tc, who_has_a_server_needs_no_helper);
	tcase_add_test(tc, a_user_file_out_of_reach_is_an_error);
	tcase_add_test(tc, memory_that_runs_out_is_told_and_nothing_is_lost);
	tcase_add_test(tc, every_cut_of_a_file_is_understood_or_refused);
	tcase_add_test(tc, a_secret_is_known_as_one);
	tcase_add_test(tc, what_is_handed_over_is_not_about_the_server);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
