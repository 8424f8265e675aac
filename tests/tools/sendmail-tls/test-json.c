/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "probe/json.h"

static const struct {
	const char *value;
	const char *written;
} strings[] = {
	{ NULL, "null" },
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "\n\t\x1b\x7f", "\"\\u000a\\u0009\\u001b\\u007f\"" },
	{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
	{ "\xf0\x9f\x93\xa7", "\"\xf0\x9f\x93\xa7\"" },
	/* C1 and the line separator, which terminals and parsers mistake */
	{ "\xc2\x9b\xe2\x80\xa8", "\"\\u009b\\u2028\"" },
	/* no UTF-8: a byte alone, an overlong slash, a surrogate */
	{ "a\xff"
	  "b",
	    "\"a\xef\xbf\xbd"
	    "b\"" },
	{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xc3", "\"\xef\xbf\xbd\"" },
};

/* Give the text of a file that a test wrote. */
static void
check_text(FILE *file, const char *expected)
{
	char text[512];
	size_t len;

	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	ck_assert_str_eq(text, expected);
	fclose(file);
}

START_TEST(every_string_becomes_a_valid_one)
{
	struct json json = { .file = tmpfile() };

	ck_assert_ptr_nonnull(json.file);
	json_string(&json, NULL, strings[_i].value);
	check_text(json.file, strings[_i].written);
}
END_TEST

START_TEST(commas_stand_between_members_only)
{
	struct json json = { .file = tmpfile() };

	ck_assert_ptr_nonnull(json.file);
	json_begin_object(&json, NULL);
	json_number(&json, "n", -5);
	json_begin_array(&json, "list");
	json_begin_object(&json, NULL);
	json_end_object(&json);
	json_string(&json, NULL, "x");
	json_end_array(&json);
	json_begin_array(&json, "empty");
	json_end_array(&json);
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_end_object(&json);
	check_text(json.file,
	    "{\"n\":-5,\"list\":[{},\"x\"],\"empty\":[],\"yes\":true,"
	    "\"no\":false}");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_loop_test(
	    tc, every_string_becomes_a_valid_one, 0, (int)COUNT(strings));
	tcase_add_test(tc, commas_stand_between_members_only);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
