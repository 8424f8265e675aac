/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/utf8.h"

static const char *const valid[] = { "", "abc", "\xc2\x80", "\xdf\xbf",
	"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80",
	"\xf4\x8f\xbf\xbf" };
static const char *const invalid[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xc2",
	"\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
	"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
	"a\xc3z" };

START_TEST(valid_utf8_is_accepted)
{
	ck_assert(stls_utf8_is_valid(valid[_i], strlen(valid[_i])));
}
END_TEST

START_TEST(invalid_utf8_is_refused)
{
	ck_assert(!stls_utf8_is_valid(invalid[_i], strlen(invalid[_i])));
}
END_TEST

/* Each octet at each place, in words and behind them. */
START_TEST(printable_ascii_ends_where_something_else_is)
{
	char text[21];
	size_t len, at;
	int c;

	memset(text, 'a', sizeof(text));
	for (len = 0; len <= sizeof(text); len++)
		ck_assert_uint_eq(stls_ascii_printable(text, len), len);
	for (c = 0; c < 256; c++) {
		for (at = 0; at < sizeof(text); at++) {
			text[at] = (char)c;
			ck_assert_uint_eq(
			    stls_ascii_printable(text, sizeof(text)),
			    c >= ' ' && c <= '~' ? sizeof(text) : at);
			text[at] = at % 2 == 0 ? ' ' : '~';
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tc = tcase_create("utf8");

	tcase_add_loop_test(tc, valid_utf8_is_accepted, 0, COUNT(valid));
	tcase_add_loop_test(tc, invalid_utf8_is_refused, 0, COUNT(invalid));
	tcase_add_test(tc, printable_ascii_ends_where_something_else_is);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
