/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/message.h>

#include "base/alloc.h"

/* More than are compared one by one, and more than one table holds. */
#define MANY 3000

static const char *
name(int n)
{
	static char text[64];

	snprintf(text, sizeof(text), "<r%d@Example.ORG>", n);
	return text;
}

START_TEST(each_recipient_is_there_once_however_many_there_are)
{
	struct smtptls_message *message = NULL;
	char wanted[64];
	int i, n;

	ck_assert_ok(smtptls_message_new(&message));
	for (i = 0; i < MANY; i++) {
		ck_assert_ok(smtptls_message_add_recipient(message, name(i)));
		/* Again: this one, the first one, and one in between. */
		for (n = 0; n < 3; n++)
			ck_assert_ok(smtptls_message_add_recipient(
			    message, name(i / 2 * n)));
		ck_assert_uint_eq(
		    smtptls_message_recipients(message), (size_t)i + 1);
	}
	for (i = 0; i < MANY; i++) {
		snprintf(wanted, sizeof(wanted), "r%d@example.org", i);
		ck_assert_str_eq(
		    smtptls_message_recipient(message, (size_t)i), wanted);
	}
	smtptls_message_free(message);
}
END_TEST

START_TEST(a_recipient_there_is_no_memory_for_spoils_the_message)
{
	struct smtptls_message *message;
	unsigned long n;
	int i, r, failed;

	for (n = 1, failed = 1; failed; n++) {
		ck_assert_ok(smtptls_message_new(&message));
		stls_alloc_fail_at(n);
		r = smtptls_message_set_sender(message, "a@b");
		for (i = 0; i < MANY && r == SMTPTLS_OK; i++)
			r = smtptls_message_add_recipient(message, name(i));
		failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_int_eq(r, failed ? SMTPTLS_E_NOMEM : SMTPTLS_OK);
		if (failed)
			ck_assert_int_eq(
			    smtptls_message_add_recipient(message, "a@b"),
			    SMTPTLS_E_NOMEM);
		else
			ck_assert_uint_eq(
			    smtptls_message_recipients(message), MANY);
		smtptls_message_free(message);
	}
	ck_assert_uint_gt(n, 20);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message");
	TCase *tc = tcase_create("message");

	tcase_add_test(tc, each_recipient_is_there_once_however_many_there_are);
	tcase_add_test(
	    tc, a_recipient_there_is_no_memory_for_spoils_the_message);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
