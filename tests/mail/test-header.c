/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "mail/header.h"

/* The fields as `name|value` lines, and what is left behind them. */
static const struct {
	const char *text, *fields, *rest;
} headers[] = {
	{ "", "", "" },
	{ "\n", "", "\n" },
	{ "\r\nA: b\r\n", "", "\r\nA: b\r\n" },
	{ "A: b\n", "A| b\n", "" },
	{ "A: b\r\n", "A| b\n", "" },
	{ "A: b", "A| b\n", "" },
	{ "A:b\r", "A|b\n", "" },
	{ "A:", "A|\n", "" },
	{ "A:\n", "A|\n", "" },
	{ "A: b\nC: d\r\n\r\nE: f\n", "A| b\nC| d\n", "\r\nE: f\n" },
	{ "A: b\r\nC: d\n\nE: f\n", "A| b\nC| d\n", "\nE: f\n" },
	{ "A: b\n\tc\r\n d\nE: f\n", "A| b\n\tc\r\n d\nE| f\n", "" },
	{ "A: b\n \n\nx", "A| b\n \n", "\nx" },
	{ "A :b\nC \t : d\n", "A|b\nC| d\n", "" },
	{ "A: b: c\n", "A| b: c\n", "" },
	{ "A: b\rC: d\nE: f\n", "A| b\rC: d\nE| f\n", "" },
	{ "A: b\r\r\nC: d\n", "A| b\r\nC| d\n", "" },
	{ "!#$%~: x\n", "!#$%~| x\n", "" },
	{ "A: b\ntext\nC: d\n", "A| b\n", "text\nC: d\n" },
	{ "A: b\n: d\n", "A| b\n", ": d\n" },
	{ "A: b\nC d: e\n", "A| b\n", "C d: e\n" },
	{ "A: b\nC\n : d\n", "A| b\n", "C\n : d\n" },
	{ "A: b\n\rC: d\n", "A| b\n", "\rC: d\n" },
	{ "A: b\nC\r: d\n", "A| b\n", "C\r: d\n" },
	{ "A: b\nC\xc3\xa4: d\n", "A| b\n", "C\xc3\xa4: d\n" },
	{ "A: b\nC\x7f: d\n", "A| b\n", "C\x7f: d\n" },
	{ " A: b\n", "", " A: b\n" },
	{ "From a@x Mon Nov 23 12:00:00 2026\nA: b\n", "",
	    "From a@x Mon Nov 23 12:00:00 2026\nA: b\n" },
	{ "A: \xff\xfe\n", "A| \xff\xfe\n", "" },
};

START_TEST(fields_come_one_after_another_up_to_what_is_none)
{
	const char *text = headers[_i].text;
	size_t len = strlen(text), offset = 0, before = 0;
	struct stls_header_field field;
	char fields[200] = "";

	while (stls_header_next(text, len, &offset, &field)) {
		ck_assert_ptr_eq(field.whole, text + before);
		ck_assert_uint_eq(field.whole_len, offset - before);
		strncat(fields, field.name, field.name_len);
		strcat(fields, "|");
		strncat(fields, field.value, field.value_len);
		strcat(fields, "\n");
		before = offset;
	}
	ck_assert_str_eq(fields, headers[_i].fields);
	ck_assert_str_eq(text + offset, headers[_i].rest);
}
END_TEST

START_TEST(a_nul_is_part_of_a_value_but_not_of_a_name)
{
	struct stls_header_field field;
	size_t offset = 0;

	ck_assert(stls_header_next("A: b\0c\n", 7, &offset, &field));
	ck_assert_uint_eq(field.value_len, 4);
	ck_assert_uint_eq(offset, 7);
	offset = 0;
	ck_assert(!stls_header_next("A\0: b\n", 6, &offset, &field));
	ck_assert_uint_eq(offset, 0);
}
END_TEST

START_TEST(a_name_is_the_same_in_any_case)
{
	struct stls_header_field field;
	size_t offset = 0;

	ck_assert(stls_header_next("mEsSaGe-iD : x\n", 15, &offset, &field));
	ck_assert(stls_header_field_is(&field, "Message-ID"));
	ck_assert(!stls_header_field_is(&field, "Message-I"));
	ck_assert(!stls_header_field_is(&field, "Message-ID2"));
	ck_assert(!stls_header_field_is(&field, ""));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("header");
	TCase *tc = tcase_create("header");

	tcase_add_loop_test(tc,
	    fields_come_one_after_another_up_to_what_is_none, 0,
	    COUNT(headers));
	tcase_add_test(tc, a_nul_is_part_of_a_value_but_not_of_a_name);
	tcase_add_test(tc, a_name_is_the_same_in_any_case);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
