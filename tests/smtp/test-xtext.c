/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "smtp/xtext.h"

static const struct {
	const char *text;
	const char *xtext;
} pairs[] = {
	{ "", "" },
	{ "a", "a" },
	{ "QQ314159", "QQ314159" },
	{ "a b", "a+20b" },
	{ "a+b=c", "a+2Bb+3Dc" },
	{ "~!", "~!" },
	{ " ", "+20" },
	{ "a@example.org;<>\"\\", "a@example.org;<>\"\\" },
};

START_TEST(a_text_is_written_and_read_again)
{
	char out[64];

	ck_assert_int_eq(stls_xtext_encode(out, sizeof(out), pairs[_i].text),
	    (int)strlen(pairs[_i].xtext));
	ck_assert_str_eq(out, pairs[_i].xtext);
	ck_assert_int_eq(stls_xtext_decode(out, sizeof(out), pairs[_i].xtext),
	    (int)strlen(pairs[_i].text));
	ck_assert_str_eq(out, pairs[_i].text);
}
END_TEST

static const char *const no_texts[] = { "\t", "a\r\nb", "\x7f", "\xc3\xa4",
	"\x01" };

START_TEST(what_is_not_printable_ascii_is_no_xtext)
{
	char out[64];

	ck_assert_int_eq(stls_xtext_encode(out, sizeof(out), no_texts[_i]), -1);
}
END_TEST

static const char *const no_xtexts[] = { "a b", "a=b", "+", "+2", "+2b", "+4g",
	"+0D+0A", "+7F", "+C3", "\xc3\xa4", "\t" };

START_TEST(what_is_no_xtext_is_not_read)
{
	char out[64];

	ck_assert_int_eq(
	    stls_xtext_decode(out, sizeof(out), no_xtexts[_i]), -1);
}
END_TEST

START_TEST(nothing_is_written_behind_the_end)
{
	char out[4];

	ck_assert_int_eq(stls_xtext_encode(out, 4, "abc"), 3);
	ck_assert_int_eq(stls_xtext_encode(out, 4, "abcd"), -1);
	ck_assert_int_eq(stls_xtext_encode(out, 4, "+"), 3);
	ck_assert_int_eq(stls_xtext_encode(out, 4, "a+"), -1);
	ck_assert_int_eq(stls_xtext_encode(out, 0, ""), -1);
	ck_assert_int_eq(stls_xtext_decode(out, 4, "abc"), 3);
	ck_assert_int_eq(stls_xtext_decode(out, 4, "abcd"), -1);
	ck_assert_int_eq(stls_xtext_decode(out, 0, ""), -1);
	ck_assert_int_eq(stls_xtext_encode_utf8(out, 4, "abc"), 3);
	ck_assert_int_eq(stls_xtext_encode_utf8(out, 4, "abcd"), -1);
	ck_assert_int_eq(stls_xtext_encode_utf8(out, 4, " "), -1);
	ck_assert_int_eq(stls_xtext_encode_utf8(out, 0, ""), -1);
}
END_TEST

static const struct {
	const char *text;
	const char *xtext; /* NULL: refused */
} utf8[] = {
	{ "", "" },
	{ "a@example.org", "a@example.org" },
	{ "\xc3\xa4@example.org", "\\x{E4}@example.org" },
	{ "\xe2\x82\xac", "\\x{20AC}" },
	{ "\xf0\x9f\x93\xa7", "\\x{1F4E7}" },
	{ "a b+c=d\\e", "a\\x{20}b\\x{2B}c\\x{3D}d\\x{5C}e" },
	{ "\xc3", NULL },
	{ "a\nb", NULL },
	{ "\xc2\x85", NULL },
	{ "\xe2\x80\xa8", NULL },
};

START_TEST(what_is_not_ascii_is_written_by_its_number)
{
	const char *wanted = utf8[_i].xtext;
	char out[64];

	ck_assert_int_eq(
	    stls_xtext_encode_utf8(out, sizeof(out), utf8[_i].text),
	    wanted != NULL ? (int)strlen(wanted) : -1);
	if (wanted != NULL)
		ck_assert_str_eq(out, wanted);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("xtext");
	TCase *tc = tcase_create("xtext");

	tcase_add_loop_test(
	    tc, a_text_is_written_and_read_again, 0, COUNT(pairs));
	tcase_add_loop_test(
	    tc, what_is_not_printable_ascii_is_no_xtext, 0, COUNT(no_texts));
	tcase_add_loop_test(
	    tc, what_is_no_xtext_is_not_read, 0, COUNT(no_xtexts));
	tcase_add_test(tc, nothing_is_written_behind_the_end);
	tcase_add_loop_test(
	    tc, what_is_not_ascii_is_written_by_its_number, 0, COUNT(utf8));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
