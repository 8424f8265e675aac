/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "smtp/reply.h"

/* A text with a NUL in it has to bring its length. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *data;
	size_t len;
	int code;
	const char *enhanced;
	const char *text;
} valid[] = {
	{ TEXT("220\r\n"), 220, "", "" },
	{ TEXT("220 \r\n"), 220, "", "" },
	{ TEXT("220 mail.example.org ESMTP\r\n"), 220, "",
	    "mail.example.org ESMTP" },
	{ TEXT("200 a\r\n"), 200, "", "a" },
	{ TEXT("571 a\r\n"), 571, "", "a" },
	{ TEXT("599 a\r\n"), 599, "", "a" },
	{ TEXT("250-a\r\n250 b\r\n"), 250, "", "a b" },
	{ TEXT("250-a\r\n250\r\n"), 250, "", "a" },
	{ TEXT("250-\r\n250-\r\n250 b\r\n"), 250, "", "b" },
	{ TEXT("334 \r\n"), 334, "", "" },
	{ TEXT("250 2.1.0 ok\r\n"), 250, "2.1.0", "ok" },
	{ TEXT("250 2.1.0\r\n"), 250, "2.1.0", "" },
	{ TEXT("250 2.123.456  ok\r\n"), 250, "2.123.456", "ok" },
	{ TEXT("550-5.7.1 no\r\n550 5.7.1 never\r\n"), 550, "5.7.1",
	    "no never" },
	{ TEXT("450 4.2.0 later\r\n"), 450, "4.2.0", "later" },
	/* A class that contradicts the code is none (RFC 3463 section 2). */
	{ TEXT("550 4.1.1 a\r\n"), 550, "", "4.1.1 a" },
	{ TEXT("550 2.0.0 a\r\n"), 550, "", "2.0.0 a" },
	{ TEXT("354 3.0.0 a\r\n"), 354, "", "3.0.0 a" },
	{ TEXT("250 2.1 a\r\n"), 250, "", "2.1 a" },
	{ TEXT("250 2.1.\r\n"), 250, "", "2.1." },
	{ TEXT("250 2..1 a\r\n"), 250, "", "2..1 a" },
	{ TEXT("250 2.1.1234 a\r\n"), 250, "", "2.1.1234 a" },
	{ TEXT("250 2.1234.1 a\r\n"), 250, "", "2.1234.1 a" },
	{ TEXT("250 2.1.1.1 a\r\n"), 250, "", "2.1.1.1 a" },
	{ TEXT("250 2.1.1a\r\n"), 250, "", "2.1.1a" },
	{ TEXT("250  2.1.1 a\r\n"), 250, "", "2.1.1 a" },
	/* Nothing of a server's reaches a terminal as it is. */
	{ TEXT("250 a\x1b[31mb\r\n"), 250, "", "a\\x1b[31mb" },
	{ TEXT("250 a\tb\a\x7f\r\n"), 250, "", "a\\x09b\\x07\\x7f" },
	{ TEXT("250 \xc3\xa4\r\n"), 250, "", "\xc3\xa4" },
	{ TEXT("250 \xe4\r\n"), 250, "", "\\xe4" },
	{ TEXT("250 \xc2\x9b"
	       "31m\r\n"),
	    250, "", "\\xc2\\x9b31m" },
	{ TEXT("250 \xe2\x80\xa8\r\n"), 250, "", "\\xe2\\x80\\xa8" },
};

/* Feed data byte by byte; *used is how many it took to come to a result. */
static int
parse_by_bytes(struct stls_err *err, const char *data, size_t len,
    struct stls_reply *reply, size_t *used)
{
	struct stls_reply_parser parser = { 0 };
	int r = SMTPTLS_AGAIN;

	for (*used = 0; *used < len && r == SMTPTLS_AGAIN;)
		r = stls_reply_parse(err, &parser, data, ++*used, reply);
	return r;
}

START_TEST(a_reply_is_understood)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply = { 0 }, slow = { 0 };
	struct stls_err err;
	char text[256], slow_text[256];
	size_t used, cap;

	ck_assert_ok(stls_reply_parse(
	    &err, &parser, valid[_i].data, valid[_i].len, &reply));
	ck_assert_int_eq(reply.code, valid[_i].code);
	ck_assert_uint_eq(reply.len, valid[_i].len);
	ck_assert_str_eq(reply.enhanced, valid[_i].enhanced);
	ck_assert_str_eq(
	    stls_reply_text(&reply, text, sizeof(text)), valid[_i].text);

	ck_assert_ok(
	    parse_by_bytes(&err, valid[_i].data, valid[_i].len, &slow, &used));
	ck_assert_uint_eq(used, valid[_i].len);
	ck_assert_int_eq(slow.code, reply.code);
	ck_assert_str_eq(slow.enhanced, reply.enhanced);
	ck_assert_uint_eq(slow.len, reply.len);
	/* What came in one piece may have a quick way, at any length. */
	for (cap = 1; cap < 40; cap++)
		ck_assert_str_eq(stls_reply_text(&slow, slow_text, cap),
		    stls_reply_text(&reply, text, cap));
}
END_TEST

static const struct {
	const char *data;
	size_t len;
	const char *sentence;
} invalid[] = {
	{ TEXT("\r\n"), "not an SMTP reply: \"\"" },
	{ TEXT("25\r\n"), "not an SMTP reply: \"25\"" },
	{ TEXT("250x\r\n"), "not an SMTP reply: \"250x\"" },
	{ TEXT("250_a\r\n"), "not an SMTP reply: \"250_a\"" },
	{ TEXT("2500 a\r\n"), "not an SMTP reply: \"2500 a\"" },
	{ TEXT("25x a\r\n"), "not an SMTP reply: \"25x a\"" },
	{ TEXT("2 0 a\r\n"), "not an SMTP reply: \"2 0 a\"" },
	{ TEXT(" 250 a\r\n"), "not an SMTP reply: \" 250 a\"" },
	{ TEXT("000 a\r\n"), "not an SMTP reply: \"000 a\"" },
	/* No command of SMTP has a preliminary reply (RFC 5321 4.2.1). */
	{ TEXT("150 a\r\n"), "not an SMTP reply: \"150 a\"" },
	{ TEXT("600 a\r\n"), "not an SMTP reply: \"600 a\"" },
	{ TEXT("-250 a\r\n"), "not an SMTP reply: \"-250 a\"" },
	{ TEXT("+OK\r\n"), "not an SMTP reply: \"+OK\"" },
	{ TEXT("\x1b[2J\r\n"), "not an SMTP reply: \"\\x1b[2J\"" },
	{ TEXT("\xd9\xa2\xd9\xa5\xd9\xa0\r\n"),
	    "not an SMTP reply: \"\xd9\xa2\xd9\xa5\xd9\xa0\"" },
	{ TEXT("250-a\r\n251 b\r\n"),
	    "a reply begins with 250 and goes on "
	    "with 251" },
	{ TEXT("550-a\r\n250 b\r\n"),
	    "a reply begins with 550 and goes on "
	    "with 250" },
	{ TEXT("250-a\r\nb\r\n"), "not an SMTP reply: \"b\"" },
	{ TEXT("250-a\r\n\r\n"), "not an SMTP reply: \"\"" },
	{ TEXT("250 a\n"), "a reply line ends with a bare LF" },
	{ TEXT("\n"), "a reply line ends with a bare LF" },
	{ TEXT("250-a\n250 b\r\n"), "a reply line ends with a bare LF" },
	{ TEXT("250 a\rb\r\n"), "a reply line has a NUL or a bare CR in it" },
	{ TEXT("250 a\r\r\n"), "a reply line has a NUL or a bare CR in it" },
	{ TEXT("\r250 a\r\n"), "a reply line has a NUL or a bare CR in it" },
	{ TEXT("250 a\0b\r\n"), "a reply line has a NUL or a bare CR in it" },
	{ TEXT("250-a\r\n250\0 b\r\n"),
	    "a reply line has a NUL or a bare CR in it" },
};

START_TEST(what_is_no_reply_is_refused)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply = { 0 };
	struct stls_err err;
	size_t used;

	ck_assert_int_eq(stls_reply_parse(&err, &parser, invalid[_i].data,
			     invalid[_i].len, &reply),
	    SMTPTLS_E_PROTOCOL);
	ck_assert_str_eq(err.text, invalid[_i].sentence);
	ck_assert_int_eq(reply.code, 0);

	ck_assert_int_eq(parse_by_bytes(&err, invalid[_i].data, invalid[_i].len,
			     &reply, &used),
	    SMTPTLS_E_PROTOCOL);
	ck_assert_str_eq(err.text, invalid[_i].sentence);
	ck_assert_int_eq(reply.code, 0);
}
END_TEST

START_TEST(what_is_behind_a_reply_is_left_alone)
{
	static const char data[] = "250-a\r\n250 b\r\n550 c\r\n\0\n";
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;

	ck_assert_ok(
	    stls_reply_parse(&err, &parser, data, sizeof(data), &reply));
	ck_assert_uint_eq(reply.len, 14);
	ck_assert_ok(stls_reply_parse(
	    &err, &parser, data + 14, sizeof(data) - 14, &reply));
	ck_assert_int_eq(reply.code, 550);
	ck_assert_uint_eq(reply.len, 7);
}
END_TEST

START_TEST(the_texts_of_the_lines_are_given_one_by_one)
{
	static const char data[] = "250-a b\r\n250-\r\n250\r\n";
	static const char *const wanted[] = { "a b", "", "" };
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;
	size_t offset = 0, len, i;
	const char *text;

	ck_assert_ok(
	    stls_reply_parse(&err, &parser, data, sizeof(data) - 1, &reply));
	for (i = 0; i < 3; i++) {
		ck_assert(stls_reply_next_line(&reply, &offset, &text, &len));
		ck_assert_uint_eq(len, strlen(wanted[i]));
		ck_assert_mem_eq(text, wanted[i], len);
	}
	ck_assert(!stls_reply_next_line(&reply, &offset, &text, &len));
}
END_TEST

/* A reply that is put together for a limit. */
static char big[STLS_REPLY_BYTES_MAX + STLS_REPLY_LINE_MAX];
static size_t big_len;

static void
setup(void)
{
	big_len = 0;
}

/* Append a line of size octets with its CRLF. */
static void
add_line(const char *start, size_t size)
{
	ck_assert_uint_le(big_len + size, sizeof(big));
	memset(big + big_len, 'x', size);
	memcpy(big + big_len, start, strlen(start));
	memcpy(big + big_len + size - 2, "\r\n", 2);
	big_len += size;
}

static void
check_big(int wanted, const char *sentence)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;
	size_t used;

	ck_assert_int_eq(
	    stls_reply_parse(&err, &parser, big, big_len, &reply), wanted);
	if (wanted < 0)
		ck_assert_str_eq(err.text, sentence);
	ck_assert_int_eq(
	    parse_by_bytes(&err, big, big_len, &reply, &used), wanted);
	if (wanted < 0)
		ck_assert_str_eq(err.text, sentence);
}

START_TEST(a_line_may_have_its_limit_and_not_an_octet_more)
{
	static const char sentence[] =
	    "a reply line is longer than 8192 octets";

	add_line("250 ", STLS_REPLY_LINE_MAX);
	check_big(SMTPTLS_OK, NULL);
	big_len = 0;
	add_line("250 ", STLS_REPLY_LINE_MAX + 1);
	check_big(SMTPTLS_E_LIMIT, sentence);

	/* One that never ends is noticed without its end. */
	memset(big, '2', sizeof(big));
	big_len = STLS_REPLY_LINE_MAX;
	check_big(SMTPTLS_AGAIN, NULL);
	big_len++;
	check_big(SMTPTLS_E_LIMIT, sentence);
}
END_TEST

START_TEST(a_reply_may_have_its_limit_of_lines_and_not_one_more)
{
	int i;

	for (i = 1; i < STLS_REPLY_LINES_MAX; i++)
		add_line("250-", 7);
	add_line("250 ", 7);
	check_big(SMTPTLS_OK, NULL);

	big_len -= 7;
	add_line("250-", 7);
	check_big(SMTPTLS_AGAIN, NULL);
	add_line("250 ", 7);
	check_big(SMTPTLS_E_LIMIT, "a reply has more than 256 lines");
}
END_TEST

START_TEST(a_reply_may_have_its_limit_of_octets_and_not_one_more)
{
	int i;

	for (i = 0; i < 7; i++)
		add_line("250-", STLS_REPLY_LINE_MAX);
	add_line("250-", STLS_REPLY_LINE_MAX - 10);
	add_line("250 ", 10);
	ck_assert_uint_eq(big_len, STLS_REPLY_BYTES_MAX);
	check_big(SMTPTLS_OK, NULL);

	big_len -= 10;
	add_line("250 ", 11);
	check_big(SMTPTLS_E_LIMIT, "a reply is longer than 65536 octets");
}
END_TEST

/*
 * The input in front of parser.scanned is replaced by line ends, which the
 * parser would trip over if it looked there again before the line is whole.
 */
START_TEST(a_reply_that_drips_is_searched_once)
{
	static char seen[sizeof(big)];
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;
	size_t i;
	int r = SMTPTLS_AGAIN;

	add_line("250-", 3000);
	add_line("250-", 6);
	add_line("250 ", 3000);
	for (i = 1; i <= big_len && r == SMTPTLS_AGAIN; i++) {
		memcpy(seen, big, i);
		if (big[i - 1] != '\n')
			memset(seen, '\n', parser.scanned);
		else if (i < big_len)
			memset(seen, '\n', parser.line_start);
		r = stls_reply_parse(&err, &parser, seen, i, &reply);
		if (r == SMTPTLS_AGAIN)
			ck_assert_uint_eq(parser.scanned, i);
	}
	ck_assert_ok(r);
	ck_assert_uint_eq(reply.len, big_len);
}
END_TEST

START_TEST(the_text_is_cut_at_a_character)
{
	static const char data[] = "550-5.1.1 one\x1b\xc3\xa4two\r\n550-5.1.1 "
				   "\a\r\n550 5.1.1 three\r\n";
	static const char whole[] = "one\\x1b\xc3\xa4two \\x07 three";
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;
	char text[64];
	size_t cap, len;

	ck_assert_ok(
	    stls_reply_parse(&err, &parser, data, sizeof(data) - 1, &reply));
	ck_assert_str_eq(stls_reply_text(&reply, text, sizeof(text)), whole);
	for (cap = 1; cap < sizeof(text); cap++) {
		memset(text, '~', sizeof(text));
		stls_reply_text(&reply, text, cap);
		ck_assert_ptr_nonnull(memchr(text, '\0', cap));
		len = strlen(text);
		/* What is left is the start, without half a character. */
		ck_assert_mem_eq(text, whole, len);
		ck_assert(len == 0 || text[len - 1] != ' ');
		ck_assert(len != 8);
		ck_assert(len <= 3 || len >= 7);
		ck_assert_int_eq(text[cap], '~');
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply");
	TCase *tc = tcase_create("reply");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, a_reply_is_understood, 0, COUNT(valid));
	tcase_add_loop_test(tc, what_is_no_reply_is_refused, 0, COUNT(invalid));
	tcase_add_test(tc, what_is_behind_a_reply_is_left_alone);
	tcase_add_test(tc, the_texts_of_the_lines_are_given_one_by_one);
	tcase_add_test(tc, a_line_may_have_its_limit_and_not_an_octet_more);
	tcase_add_test(
	    tc, a_reply_may_have_its_limit_of_lines_and_not_one_more);
	tcase_add_test(
	    tc, a_reply_may_have_its_limit_of_octets_and_not_one_more);
	tcase_add_test(tc, a_reply_that_drips_is_searched_once);
	tcase_add_test(tc, the_text_is_cut_at_a_character);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
