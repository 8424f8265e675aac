/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "credentials/netrc.h"
#include "message/aliases.h"

static const char text[] = "# comment\n"
			   "one: a@x , b@y\n"
			   "\n"
			   "two:\tc@x,\n"
			   "  # in between\n"
			   " \"d e\"@y\r\n"
			   "\"three\": \"|cat, x\"\n"
			   "none:\n"
			   "default: z@z";

static const struct {
	const char *name;
	unsigned int line;
	const char *values; /* with bars between them */
} found[] = {
	{ "one", 2, "a@x|b@y" },
	{ "ONE", 2, "a@x|b@y" },
	{ "two", 4, "c@x|\"d e\"@y" },
	{ "three", 7, "|cat, x" },
	{ "none", 8, "" },
	{ "other", 9, "z@z" },
};

START_TEST(names_are_found_with_their_values)
{
	CLEANUP(aliases_done) struct aliases aliases = { 0 };
	struct stls_err err = { 0 };
	const struct alias *alias;
	char value[64], all[128] = "";
	const char *rest;

	ck_assert_ok(
	    aliases_parse(&err, "file", text, sizeof(text) - 1, &aliases));
	ck_assert_ok(aliases_find(&err, &aliases, found[_i].name, &alias));
	ck_assert_ptr_nonnull(alias);
	ck_assert_uint_eq(alias->line, found[_i].line);
	rest = alias->values;
	while (aliases_next_value(&rest, value, sizeof(value)) > 0) {
		if (all[0] != '\0')
			strcat(all, "|");
		strcat(all, value);
	}
	ck_assert_str_eq(all, found[_i].values);
}
END_TEST

START_TEST(a_value_that_does_not_fit_is_refused)
{
	const char *rest = "abcdefgh, i";
	char value[8];

	ck_assert_int_lt(aliases_next_value(&rest, value, sizeof(value)), 0);
	rest = "\"no end, a";
	ck_assert_int_lt(aliases_next_value(&rest, value, 8), 0);
}
END_TEST

START_TEST(every_cut_of_aliases_is_understood_or_refused)
{
	struct aliases aliases;
	struct stls_err err;
	size_t len;
	int r;

	for (len = 0; len <= sizeof(text); len++) {
		memset(&aliases, 0, sizeof(aliases));
		memset(&err, 0, sizeof(err));
		r = aliases_parse(&err, "file", text, len, &aliases);
		ck_assert(r == 0 || r == EX_CONFIG);
		if (r != 0)
			ck_assert(strncmp(err.text, "file:", 5) == 0);
		aliases_done(&aliases);
	}
}
END_TEST

START_TEST(memory_of_aliases_that_runs_out_is_told)
{
	struct aliases aliases;
	struct stls_err err;
	unsigned long n;
	int r;

	for (n = 1;; n++) {
		memset(&aliases, 0, sizeof(aliases));
		memset(&err, 0, sizeof(err));
		stls_alloc_fail_at(n);
		r = aliases_parse(
		    &err, "file", text, sizeof(text) - 1, &aliases);
		aliases_done(&aliases);
		if (!stls_alloc_has_failed())
			break;
		ck_assert_int_eq(r, EX_OSERR);
	}
	stls_alloc_fail_at(0);
	ck_assert_uint_gt(n, 5);
}
END_TEST

static const char netrc[] = "machine a.example login x password 1\n"
			    "macdef m\nmachine a.example\n password 9\n\n"
			    "machine A.example login y account z password "
			    "\"2 \\\" 3\" # no comment\n";

/* The last line has a word too much, so only what is before it is found. */
static const struct {
	const char *host;
	const char *user;
	const char *password; /* NULL: refused */
	const char *sentence;
} logins[] = {
	{ "a.example", NULL, "1", NULL },
	{ "A.EXAMPLE", "x", "1", NULL },
	{ "a.example", "y", NULL, "netrc:6: a word is neither" },
	{ "b.example", NULL, NULL, "netrc:6: a word is neither" },
};

START_TEST(a_netrc_is_read_as_far_as_it_is_needed)
{
	CLEANUP(stls_secret_done) struct stls_secret user = { 0 };
	CLEANUP(stls_secret_done) struct stls_secret password = { 0 };
	struct stls_err err = { 0 };
	int r;

	r = netrc_find(&err, "netrc", netrc, sizeof(netrc) - 1, logins[_i].host,
	    logins[_i].user, &user, &password);
	if (logins[_i].password == NULL) {
		ck_assert_int_eq(r, EX_CONFIG);
		ck_assert_msg(strstr(err.text, logins[_i].sentence) != NULL,
		    "%s", err.text);
		ck_assert_ptr_null(password.data);
		return;
	}
	ck_assert_ok(r);
	ck_assert_str_eq(user.data, "x");
	ck_assert_str_eq(password.data, logins[_i].password);
}
END_TEST

START_TEST(every_cut_of_a_netrc_is_understood_or_refused)
{
	struct stls_secret user = { 0 }, password = { 0 };
	struct stls_err err = { 0 };
	size_t len;
	int r;

	for (len = 0; len <= sizeof(netrc); len++) {
		r = netrc_find(&err, "netrc", netrc, len, "a.example", "y",
		    &user, &password);
		ck_assert(r == 0 || r == EX_CONFIG);
		stls_secret_done(&user);
		stls_secret_done(&password);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("aliases");
	TCase *tc = tcase_create("aliases");

	tcase_add_loop_test(
	    tc, names_are_found_with_their_values, 0, COUNT(found));
	tcase_add_test(tc, a_value_that_does_not_fit_is_refused);
	tcase_add_test(tc, every_cut_of_aliases_is_understood_or_refused);
	tcase_add_test(tc, memory_of_aliases_that_runs_out_is_told);
	tcase_add_loop_test(
	    tc, a_netrc_is_read_as_far_as_it_is_needed, 0, COUNT(logins));
	tcase_add_test(tc, every_cut_of_a_netrc_is_understood_or_refused);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
