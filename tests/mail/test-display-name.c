/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/utf8.h"
#include "mail/display-name.h"

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10

static const struct {
	const char *name, *value;
} names[] = {
	{ NULL, "a@example.org" },
	{ "", "a@example.org" },
	{ "   ", "a@example.org" },
	{ "Alice", "Alice <a@example.org>" },
	{ " Alice  Clark ", "Alice  Clark <a@example.org>" },
	{ "Cron-Daemon!", "Cron-Daemon! <a@example.org>" },
	{ "Alice B. Clark", "\"Alice B. Clark\" <a@example.org>" },
	{ "Clark, Alice", "\"Clark, Alice\" <a@example.org>" },
	{ "b@evil.example", "\"b@evil.example\" <a@example.org>" },
	{ "<b@evil.example>", "\"<b@evil.example>\" <a@example.org>" },
	{ "(Alice)", "\"(Alice)\" <a@example.org>" },
	{ "A \"B\" C", "\"A \\\"B\\\" C\" <a@example.org>" },
	{ "A \\ C", "\"A \\\\ C\" <a@example.org>" },
	/* Quoted already: not twice. */
	{ "\"Reminder Service\"", "\"Reminder Service\" <a@example.org>" },
	{ "\"A \\\"B\\\" C\"", "\"A \\\"B\\\" C\" <a@example.org>" },
	{ "\"\"", "\"\" <a@example.org>" },
	/* Only looks like it. */
	{ "\"", "\"\\\"\" <a@example.org>" },
	{ "\"A\" B", "\"\\\"A\\\" B\" <a@example.org>" },
	{ "\"A\" <b@x>, \"C\"",
	    "\"\\\"A\\\" <b@x>, \\\"C\\\"\" <a@example.org>" },
	{ "\"A\\\"", "\"\\\"A\\\\\\\"\" <a@example.org>" },
	{ "=?UTF-8?Q?J=C3=BCrgen?=",
	    "=?UTF-8?Q?J=C3=BCrgen?= <a@example.org>" },
	{ "J\xc3\xbcrgen", "=?UTF-8?B?SsO8cmdlbg==?=\r\n <a@example.org>" },
	{ "\"J\xc3\xbcrgen\"", "=?UTF-8?B?SsO8cmdlbg==?=\r\n <a@example.org>" },
	{ "\"J\xc3\xbcrgen \\\"Q\\\"\"",
	    "=?UTF-8?B?SsO8cmdlbiAiUSI=?=\r\n <a@example.org>" },
	{ A50 " " A10, A50 " " A10 "\r\n <a@example.org>" },
};

START_TEST(a_name_is_written_as_it_has_to_be)
{
	struct stls_buf buf;
	struct stls_err err;

	stls_buf_init(&buf, 1000);
	ck_assert_ok(stls_display_name_append(
	    &err, &buf, names[_i].name, "a@example.org"));
	ck_assert_ok(stls_buf_append(&buf, "", 1));
	ck_assert_str_eq((const char *)stls_buf_data(&buf), names[_i].value);
	stls_buf_done(&buf);
}
END_TEST

static const struct {
	const char *name, *text;
} refused[] = {
	{ "A\r\nBcc: b@x",
	    "full name \"A\\x0d\\x0aBcc: b@x\" has a control character" },
	{ "A\nB", "full name \"A\\x0aB\" has a control character" },
	{ "A\rB", "full name \"A\\x0dB\" has a control character" },
	{ "\"A\\\r\\\nB\"",
	    "full name \"\"A\\\\x0d\\\\x0aB\"\" has a control character" },
	{ "A\tB", "full name \"A\\x09B\" has a control character" },
	{ "A\xc2\x85"
	  "B",
	    "full name \"A\\xc2\\x85B\" has a control character" },
	{ "A\xe2\x80\xa8"
	  "B",
	    "full name \"A\\xe2\\x80\\xa8B\" has a control character" },
	{ "J\xfcrgen", "full name \"J\\xfcrgen\" is not valid UTF-8" },
	{ A50 A50 A50 A50 A50 "1234567",
	    "full name is longer than 256 octets" },
};

START_TEST(what_is_no_name_is_refused)
{
	struct stls_buf buf;
	struct stls_err err;

	stls_buf_init(&buf, 1000);
	ck_assert_int_eq(
	    stls_display_name_append(&err, &buf, refused[_i].name, "a@x"),
	    SMTPTLS_E_INVALID);
	ck_assert_str_eq(err.text, refused[_i].text);
	ck_assert_uint_eq(stls_buf_len(&buf), 0);
	stls_buf_done(&buf);
}
END_TEST

/* Put what encoded words say behind what is in `out`. */
static void
decode(char *out, const char *value)
{
	char text[100];
	size_t len, n;

	while (strncmp(value, "=?UTF-8?B?", 10) == 0) {
		value += 10;
		len = strcspn(value, "?");
		/* What fits behind the longest name of a field. */
		ck_assert_uint_le(10 + len + 2, 76 - 13);
		ck_assert_ok(stls_base64_decode(text, value, len, &n));
		ck_assert(stls_utf8_is_valid(text, n));
		strncat(out, text, n);
		value += len;
		ck_assert_int_eq(strncmp(value, "?=\r\n ", 5), 0);
		value += 5;
	}
	ck_assert_str_eq(value, "<a@x>");
}

/* RFC 2047: words of 75 characters, whole characters, lines of 76. */
START_TEST(a_long_name_is_split_between_characters)
{
	static const char *const characters[] = { "\xc3\xbc", "\xe7\x98\x8a",
		"\xf0\x9f\x98\x80", "\xc3\xbcz", "a\xf0\x9f\x98\x80" };
	char name[257] = "", decoded[257] = "", *line;
	struct stls_buf buf;
	struct stls_err err;

	while (strlen(name) + strlen(characters[_i]) < sizeof(name))
		strcat(name, characters[_i]);
	stls_buf_init(&buf, 2000);
	ck_assert_ok(stls_display_name_append(&err, &buf, name, "a@x"));
	ck_assert_ok(stls_buf_append(&buf, "", 1));
	decode(decoded, (const char *)stls_buf_data(&buf));
	ck_assert_str_eq(decoded, name);

	line = strtok((char *)buf.data, "\r\n");
	ck_assert_uint_le(strlen("Resent-From: ") + strlen(line), 76);
	while ((line = strtok(NULL, "\r\n")) != NULL)
		ck_assert_uint_le(strlen(line), 76);
	stls_buf_done(&buf);
}
END_TEST

START_TEST(lack_of_place_and_of_memory_is_told)
{
	struct stls_buf buf;
	struct stls_err err;

	stls_buf_init(&buf, 8);
	ck_assert_int_eq(stls_display_name_append(&err, &buf, "Alice", "a@x"),
	    SMTPTLS_E_LIMIT);
	ck_assert_str_eq(err.text, "the header is too long");
	stls_buf_done(&buf);

	stls_buf_init(&buf, 1000);
	stls_alloc_fail_at(1);
	ck_assert_int_eq(stls_display_name_append(&err, &buf, "Alice", "a@x"),
	    SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	stls_buf_done(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("display-name");
	TCase *tc = tcase_create("display-name");

	tcase_add_loop_test(
	    tc, a_name_is_written_as_it_has_to_be, 0, COUNT(names));
	tcase_add_loop_test(tc, what_is_no_name_is_refused, 0, COUNT(refused));
	tcase_add_loop_test(tc, a_long_name_is_split_between_characters, 0, 5);
	tcase_add_test(tc, lack_of_place_and_of_memory_is_told);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
