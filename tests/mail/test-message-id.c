/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "mail/message-id.h"

START_TEST(an_identifier_is_time_random_and_host)
{
	char id[STLS_MESSAGE_ID_LEN_MAX + 1];
	struct stls_err err;

	ck_assert_ok(
	    stls_message_id_make(&err, 1795435200, "MX.Example.org", id));
	ck_assert_int_eq(strncmp(id, "<1795435200.", 12), 0);
	ck_assert_uint_eq(strspn(id + 12, "0123456789abcdef"), 24);
	ck_assert_str_eq(id + 36, "@mx.example.org>");
	ck_assert_ok(stls_message_id_make(&err, 1, "[192.0.2.1]", id));
	ck_assert_str_eq(strchr(id, '@'), "@[192.0.2.1]>");
	ck_assert_ok(
	    stls_message_id_make(&err, (time_t)INT64_MIN, "localhost", id));
	ck_assert_str_eq(strchr(id, '@'), "@localhost>");
}
END_TEST

START_TEST(two_of_the_same_second_differ)
{
	char a[STLS_MESSAGE_ID_LEN_MAX + 1], b[STLS_MESSAGE_ID_LEN_MAX + 1];
	struct stls_err err;

	ck_assert_ok(stls_message_id_make(&err, 1, "example.org", a));
	ck_assert_ok(stls_message_id_make(&err, 1, "example.org", b));
	ck_assert_str_ne(a, b);
}
END_TEST

static const char *const no_hosts[] = { NULL, "", "a b", "x>\r\nBcc: a@x",
	"192.0.2.1", "my_host!", "[x]" };

START_TEST(a_host_that_is_none_is_refused)
{
	char id[STLS_MESSAGE_ID_LEN_MAX + 1] = "unchanged";
	struct stls_err err;

	ck_assert_int_eq(
	    stls_message_id_make(&err, 1, no_hosts[_i], id), SMTPTLS_E_INVALID);
	ck_assert_str_eq(id, "unchanged");
}
END_TEST

START_TEST(lack_of_memory_is_told)
{
	char id[STLS_MESSAGE_ID_LEN_MAX + 1] = "unchanged";
	struct stls_err err;
	unsigned long n;

	for (n = 1; n <= 1; n++) {
		stls_alloc_fail_at(n);
		ck_assert_int_eq(
		    stls_message_id_make(&err, 1, "example.org", id),
		    SMTPTLS_E_NOMEM);
	}
	stls_alloc_fail_at(0);
	ck_assert_str_eq(id, "unchanged");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message-id");
	TCase *tc = tcase_create("message-id");

	tcase_add_test(tc, an_identifier_is_time_random_and_host);
	tcase_add_test(tc, two_of_the_same_second_differ);
	tcase_add_loop_test(
	    tc, a_host_that_is_none_is_refused, 0, COUNT(no_hosts));
	tcase_add_test(tc, lack_of_memory_is_told);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
