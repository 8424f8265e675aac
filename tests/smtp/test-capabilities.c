/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "smtp/capabilities.h"

static struct stls_capabilities capabilities;

static void
setup(void)
{
	memset(&capabilities, 0, sizeof(capabilities));
}

static void
teardown(void)
{
	stls_capabilities_done(&capabilities);
}

static struct stls_reply
reply_of(const char *text)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;

	ck_assert_ok(
	    stls_reply_parse(&err, &parser, text, strlen(text), &reply));
	return reply;
}

static void
parse(const char *text)
{
	struct stls_reply reply = reply_of(text);

	ck_assert_ok(stls_capabilities_parse(&capabilities, &reply));
}

static const struct {
	const char *reply;
	const char *keyword;
	const char *params; /* NULL: not offered */
} offers[] = {
	{ "250-a\r\n250 STARTTLS\r\n", "STARTTLS", "" },
	{ "250-a\r\n250 starttls\r\n", "STARTTLS", "" },
	{ "250-a\r\n250 StartTls\r\n", "starttls", "" },
	{ "250-a\r\n250 STARTTLS \r\n", "STARTTLS", "" },
	{ "250-a\r\n250 STARTTLS REQUIRED\r\n", "STARTTLS", "REQUIRED" },
	{ "250-a\r\n250-b\r\n250 STARTTLS\r\n", "STARTTLS", "" },
	{ "250-a\r\n250 8bitmime\r\n", "8BITMIME", "" },
	{ "250-a\r\n250 Size 10\r\n", "SIZE", "10" },
	{ "250-a\r\n250 AUTH PLAIN LOGIN\r\n", "AUTH", "PLAIN LOGIN" },
	{ "250-a\r\n250 AUTH=PLAIN LOGIN\r\n", "AUTH", "PLAIN LOGIN" },
	{ "250-a\r\n250 auth=LOGIN\r\n", "auth", "LOGIN" },
	/* The older form counts where there is no other. */
	{ "250-a\r\n250-AUTH=LOGIN\r\n250 AUTH PLAIN\r\n", "AUTH", "PLAIN" },
	{ "250-a\r\n250-AUTH PLAIN\r\n250 AUTH=LOGIN\r\n", "AUTH", "PLAIN" },

	{ "250 a\r\n", "STARTTLS", NULL },
	/* The first line is a greeting, whatever it says. */
	{ "250 STARTTLS\r\n", "STARTTLS", NULL },
	{ "250-STARTTLS\r\n250 SIZE\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 XTARTTLS\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 STARTTLSX\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 STARTTL\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250  STARTTLS\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 \tSTARTTLS\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 STARTTLS\t\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 STARTTLS=yes\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 SIZE=10\r\n", "SIZE", NULL },
	{ "250-a\r\n250 X STARTTLS\r\n", "STARTTLS", NULL },
	{ "250-a\r\n250 \r\n", "STARTTLS", NULL },
	{ "250-a\r\n250\r\n", "STARTTLS", NULL },
	/* What is escaped is not taken for what it looks like. */
	{ "250-a\r\n250 AUTH PLAIN\x1b\r\n", "AUTH", "PLAIN\\x1b" },
	{ "250-a\r\n250 STARTTLS\xff\r\n", "STARTTLS", NULL },
};

START_TEST(a_keyword_is_found_as_it_was_offered)
{
	const char *params;

	parse(offers[_i].reply);
	params = stls_capabilities_find(&capabilities, offers[_i].keyword);
	if (offers[_i].params == NULL)
		ck_assert_ptr_null(params);
	else
		ck_assert_pstr_eq(params, offers[_i].params);
}
END_TEST

static const struct {
	const char *reply;
	uint64_t size;
} sizes[] = {
	{ "250 a\r\n", 0 },
	{ "250-a\r\n250 SIZE\r\n", 0 },
	{ "250-a\r\n250 SIZE \r\n", 0 },
	{ "250-a\r\n250 SIZE 0\r\n", 0 },
	{ "250-a\r\n250 SIZE 1\r\n", 1 },
	{ "250-a\r\n250 SIZE 10485760\r\n", 10485760 },
	{ "250-a\r\n250 SIZE 0010\r\n", 10 },
	{ "250-a\r\n250 SIZE 18446744073709551609\r\n",
	    UINT64_C(18446744073709551609) },
	/* Beyond any message: no limit, and never a small number. */
	{ "250-a\r\n250 SIZE 18446744073709551610\r\n", 0 },
	{ "250-a\r\n250 SIZE 18446744073709551616\r\n", 0 },
	{ "250-a\r\n250 SIZE 99999999999999999999999999\r\n", 0 },
	{ "250-a\r\n250 SIZE -1\r\n", 0 },
	{ "250-a\r\n250 SIZE +1\r\n", 0 },
	{ "250-a\r\n250 SIZE 10k\r\n", 0 },
	{ "250-a\r\n250 SIZE 0x10\r\n", 0 },
	{ "250-a\r\n250 SIZE ten\r\n", 0 },
};

START_TEST(the_largest_message_is_what_the_server_says)
{
	parse(sizes[_i].reply);
	ck_assert_uint_eq(capabilities.size_max, sizes[_i].size);
}
END_TEST

START_TEST(another_reply_replaces_what_was_offered)
{
	parse("250-a\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n");
	ck_assert_uint_eq(capabilities.count, 2);
	parse("250-a\r\n250 SIZE 5\r\n");
	ck_assert_uint_eq(capabilities.count, 1);
	ck_assert_ptr_null(stls_capabilities_find(&capabilities, "STARTTLS"));
	ck_assert_ptr_null(stls_capabilities_find(&capabilities, "AUTH"));
	ck_assert_uint_eq(capabilities.size_max, 5);

	stls_capabilities_done(&capabilities);
	ck_assert_uint_eq(capabilities.count, 0);
	ck_assert_uint_eq(capabilities.size_max, 0);
	stls_capabilities_done(&capabilities);
}
END_TEST

START_TEST(as_many_lines_as_a_reply_may_have_are_kept)
{
	char text[STLS_REPLY_LINES_MAX * 16 + 1] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < STLS_REPLY_LINES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "250%cX-%d\r\n", i + 1 < STLS_REPLY_LINES_MAX ? '-' : ' ',
		    i);
	parse(text);
	ck_assert_uint_eq(capabilities.count, STLS_REPLY_LINES_MAX - 1);
	ck_assert_str_eq(capabilities.lines[0], "X-1");
	ck_assert_pstr_eq(stls_capabilities_find(&capabilities, "X-255"), "");
}
END_TEST

START_TEST(the_longest_line_is_kept_whole)
{
	static char text[STLS_REPLY_LINE_MAX + 64];
	size_t used, line;

	/* Octets that are no UTF-8 grow the most. */
	memset(text, 0xff, sizeof(text));
	memcpy(text, "250-a\r\n250 AUTH ", 16);
	used = 7 + STLS_REPLY_LINE_MAX;
	memcpy(text + used - 2, "\r\n", 3);
	parse(text);
	line = STLS_REPLY_LINE_MAX - 2 - strlen("250 AUTH ");
	ck_assert_uint_eq(
	    strlen(stls_capabilities_find(&capabilities, "AUTH")), 4 * line);
}
END_TEST

START_TEST(lack_of_memory_offers_nothing)
{
	struct stls_reply reply = reply_of(
	    "250-a\r\n250-STARTTLS\r\n250 SIZE 5\r\n");
	unsigned long n;
	unsigned int refused = 0;
	int r, failed;

	for (n = 1, failed = 1; failed; n++) {
		parse("250-a\r\n250 AUTH PLAIN\r\n");
		stls_alloc_fail_at(n);
		r = stls_capabilities_parse(&capabilities, &reply);
		failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		/* To make it smaller may fail, and is no failure. */
		ck_assert(r == SMTPTLS_OK || (failed && r == SMTPTLS_E_NOMEM));
		ck_assert_uint_eq(capabilities.count, r < 0 ? 0 : 2);
		ck_assert_ptr_null(
		    stls_capabilities_find(&capabilities, "AUTH"));
		refused += r < 0;
	}
	ck_assert_uint_gt(refused, 2);
}
END_TEST

static const struct {
	const char *limits;
	uint64_t mails, rcpts;
} limits[] = {
	{ "LIMITS", 0, 0 },
	{ "LIMITS RCPTMAX=20 MAILMAX=5", 5, 20 },
	{ "limits mailmax=5", 5, 0 },
	{ "LIMITS  RCPTDOMAINMAX=1  RCPTMAX=3", 0, 3 },
	{ "LIMITS RCPTMAX=x MAILMAX=", 0, 0 },
	{ "LIMITS RCPTMAX=3x MAILMAX=99999999999999999999", 0, 0 },
	{ "LIMITS RCPTMAX", 0, 0 },
	{ "XLIMITS RCPTMAX=3", 0, 0 },
};

START_TEST(limits_are_those_that_are_named)
{
	char text[128];

	snprintf(text, sizeof(text), "250-a\r\n250 %s\r\n", limits[_i].limits);
	parse(text);
	ck_assert_uint_eq(capabilities.mails_max, limits[_i].mails);
	ck_assert_uint_eq(capabilities.rcpts_max, limits[_i].rcpts);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("capabilities");
	TCase *tc = tcase_create("capabilities");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, a_keyword_is_found_as_it_was_offered, 0, COUNT(offers));
	tcase_add_loop_test(
	    tc, the_largest_message_is_what_the_server_says, 0, COUNT(sizes));
	tcase_add_test(tc, another_reply_replaces_what_was_offered);
	tcase_add_test(tc, as_many_lines_as_a_reply_may_have_are_kept);
	tcase_add_test(tc, the_longest_line_is_kept_whole);
	tcase_add_test(tc, lack_of_memory_offers_nothing);
	tcase_add_loop_test(
	    tc, limits_are_those_that_are_named, 0, COUNT(limits));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
