/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/err.h"

START_TEST(control_characters_never_reach_a_sentence)
{
	struct stls_err err;

	ck_assert_int_eq(stls_err_set(&err, SMTPTLS_E_PROTOCOL, "a%sb",
			     "\x1b[2J\r\n\x7f\xff\xc2\x85\xe2\x80\xa8\xc3\xa9"),
	    SMTPTLS_E_PROTOCOL);
	ck_assert_str_eq(err.text,
	    "a\\x1b[2J\\x0d\\x0a\\x7f\\xff\\xc2\\x85\\xe2\\x80\\xa8\xc3\xa9"
	    "b");
}
END_TEST

START_TEST(nothing_turns_the_direction_of_a_sentence)
{
	static const char *const turning[] = { "\u202a", "\u202b", "\u202c",
		"\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069" };
	/* Neighbours of those, and letters that go from right to left. */
	static const char *const others[] = { "\u2027", "\u202f", "\u2065",
		"\u206a", "\u05d0", "\u200f" };
	struct stls_err err;
	size_t i;

	for (i = 0; i < COUNT(turning); i++) {
		stls_err_set(&err, SMTPTLS_E_IO, "a%sb", turning[i]);
		ck_assert_uint_eq(strlen(err.text), 2 + 3 * 4);
		ck_assert_str_eq(err.text + 13, "b");
	}
	stls_err_set(&err, SMTPTLS_E_IO, "%s", turning[4]);
	ck_assert_str_eq(err.text, "\\xe2\\x80\\xae");
	for (i = 0; i < COUNT(others); i++) {
		stls_err_set(&err, SMTPTLS_E_IO, "%s", others[i]);
		ck_assert_str_eq(err.text, others[i]);
	}
}
END_TEST

START_TEST(a_sentence_that_is_too_long_ends_in_dots)
{
	struct stls_err err;
	char big[2000], controls[300];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	stls_err_set(&err, SMTPTLS_E_IO, "%s", big);
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
	ck_assert_str_eq(err.text + strlen(err.text) - 4, "x...");

	memset(controls, '\x01', sizeof(controls) - 1);
	controls[sizeof(controls) - 1] = '\0';
	stls_err_set(&err, SMTPTLS_E_IO, "%s", controls);
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
	ck_assert_str_eq(err.text + strlen(err.text) - 7, "\\x01...");
}
END_TEST

START_TEST(a_prefix_keeps_code_and_sentence)
{
	struct stls_err err;

	stls_err_set(&err, SMTPTLS_E_TLS, "it broke");
	ck_assert_int_eq(stls_err_prefix(&err, "line %d", 3), SMTPTLS_E_TLS);
	ck_assert_str_eq(err.text, "line 3: it broke");
}
END_TEST

START_TEST(every_status_has_its_words)
{
	int status;

	for (status = SMTPTLS_E_FORKED; status <= SMTPTLS_AGAIN; status++)
		ck_assert_str_ne(smtptls_strerror(status), "unknown status");
	ck_assert_str_eq(
	    smtptls_strerror(SMTPTLS_E_FORKED - 1), "unknown status");
	ck_assert_str_eq(smtptls_strerror(2), "unknown status");
	ck_assert_str_eq(smtptls_strerror(SMTPTLS_E_FORKED),
	    "object belongs to the parent process");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("err");
	TCase *tc = tcase_create("err");

	tcase_add_test(tc, control_characters_never_reach_a_sentence);
	tcase_add_test(tc, nothing_turns_the_direction_of_a_sentence);
	tcase_add_test(tc, a_sentence_that_is_too_long_ends_in_dots);
	tcase_add_test(tc, a_prefix_keeps_code_and_sentence);
	tcase_add_test(tc, every_status_has_its_words);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
