/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "mail/address.h"

static void
add(struct stls_address_list *list, const char *text)
{
	struct stls_address a;
	struct stls_err err;

	ck_assert_ok(stls_address_parse(&err, text, strlen(text), true, &a));
	ck_assert_ok(stls_address_list_add(&err, list, &a));
	ck_assert_ptr_null(a.local);
}

START_TEST(the_same_mailbox_is_kept_once_and_the_order_stays)
{
	struct stls_address_list list = { .count = 0 };

	add(&list, "b@x");
	add(&list, "a@x");
	add(&list, "<a@X.>");
	add(&list, "A@x");
	add(&list, "\"b\"@x");
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.items[0].mailbox, "b@x");
	ck_assert_str_eq(list.items[1].mailbox, "a@x");
	ck_assert_str_eq(list.items[2].mailbox, "A@x");
	stls_address_list_done(&list);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(doubles_are_found_among_many)
{
	struct stls_address_list list = { .count = 0 };
	char text[32];
	int i;

	for (i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "user%d@example.org", i % 1000);
		add(&list, text);
	}
	ck_assert_uint_eq(list.count, 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "user%d@example.org", i);
		ck_assert_str_eq(list.items[i].mailbox, text);
	}
	stls_address_list_done(&list);
}
END_TEST

START_TEST(more_than_the_limit_is_refused_but_not_doubles)
{
	struct stls_address_list list = { .count = 0 };
	struct stls_address a;
	struct stls_err err;
	char text[32];
	int i;

	for (i = 0; i < STLS_ADDRESS_COUNT_MAX; i++) {
		snprintf(text, sizeof(text), "%d@x", i);
		add(&list, text);
	}
	add(&list, "7@x");
	ck_assert_ok(stls_address_parse(&err, "one-more@x", 10, false, &a));
	ck_assert_int_eq(
	    stls_address_list_add(&err, &list, &a), SMTPTLS_E_LIMIT);
	ck_assert_str_eq(err.text, "more than 16384 recipients");
	ck_assert_ptr_null(a.local);
	ck_assert_uint_eq(list.count, STLS_ADDRESS_COUNT_MAX);
	stls_address_list_done(&list);
}
END_TEST

START_TEST(lack_of_memory_leaves_the_list_as_it_was)
{
	struct stls_address_list list = { .count = 0 };
	struct stls_address a;
	struct stls_err err;
	unsigned long n;
	size_t before;
	char text[8];
	int i, r;

	for (n = 1; n <= 2; n++) {
		for (i = 0; i < 100; i++) {
			snprintf(text, sizeof(text), "%lu-%d@x", n, i);
			ck_assert_ok(stls_address_parse(
			    &err, text, strlen(text), false, &a));
			before = list.count;
			stls_alloc_fail_at(n);
			r = stls_address_list_add(&err, &list, &a);
			ck_assert_int_eq(
			    r, stls_alloc_has_failed() ? SMTPTLS_E_NOMEM : 0);
			ck_assert_ptr_null(a.local);
			ck_assert_uint_eq(list.count, before + (r == 0));
			stls_alloc_fail_at(0);
			if (r < 0)
				add(&list, text);
			ck_assert_str_eq(list.items[before].mailbox, text);
		}
	}
	ck_assert_uint_eq(list.count, 200);
	stls_address_list_done(&list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address-list");
	TCase *tc = tcase_create("list");

	tcase_add_test(tc, the_same_mailbox_is_kept_once_and_the_order_stays);
	tcase_add_test(tc, doubles_are_found_among_many);
	tcase_add_test(tc, more_than_the_limit_is_refused_but_not_doubles);
	tcase_add_test(tc, lack_of_memory_leaves_the_list_as_it_was);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
