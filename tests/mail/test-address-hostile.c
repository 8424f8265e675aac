/* SPDX-License-Identifier: MIT */
/* Address fields that are long, or come by lot. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "mail/address.h"

/* A parser that goes back would not end here in the time of a test. */
static const char *const hostile[] = { "(", "()", "\"", "\"\",", "<", ">", ",",
	":", ";", "@", "\\", "a:;,", "<@a,", "<a@", "a@x ", "[", ".", "a.",
	"\r\n ", "\xff", "" };

START_TEST(a_megabyte_of_anything_ends)
{
	size_t len = 1000000, unit = strlen(hostile[_i]), i;
	struct stls_address_list list = { .count = 0 };
	struct stls_err err;
	struct stls_buf out;
	char *text = malloc(len);

	ck_assert_ptr_nonnull(text);
	for (i = 0; i < len; i++)
		text[i] = hostile[_i][unit > 0 ? i % unit : 0];
	stls_address_list_parse_field(&err, text, len, "added.example", &list);
	stls_buf_init(&out, 20 * len);
	stls_address_field_qualify(&err, text, len, "added.example", &out);
	stls_buf_done(&out);
	free(text);
	stls_address_list_done(&list);
}
END_TEST

#define FIELD_CAP 64

static void
make_field(char text[FIELD_CAP])
{
	static const char *const parts[] = { "a", "b@x", "<", ">", "\"", "(",
		")", ",", ":", ";", "@", ".", " ", "\r\n ", "\\", "[",
		"192.0.2.1]", "\xc3\xbc", "\r", "\n", "A <", "\"q\"" };
	int n;

	text[0] = '\0';
	for (n = rand() % 6; n > 0; n--)
		strcat(text, parts[rand() % (int)COUNT(parts)]);
}

START_TEST(what_is_found_in_random_fields_parses_again)
{
	struct stls_address_list list;
	struct stls_address again;
	struct stls_err err;
	size_t i, found = 0;
	char text[FIELD_CAP];
	int round;

	srand(3);
	for (round = 0; round < 20000; round++) {
		make_field(text);
		memset(&list, 0, sizeof(list));
		stls_address_list_parse_field(
		    &err, text, strlen(text), "added.example", &list);
		for (i = 0; i < list.count; i++) {
			ck_assert_ptr_null(
			    strpbrk(list.items[i].mailbox, "\r\n\t"));
			ck_assert_ok(
			    stls_address_parse(&err, list.items[i].mailbox,
				strlen(list.items[i].mailbox), false, &again));
			ck_assert(stls_address_is_same(&again, &list.items[i]));
			stls_address_done(&again);
			found++;
		}
		stls_address_list_done(&list);
	}
	ck_assert_uint_gt(found, 2000);
}
END_TEST

/* Without what was inserted a field is what it was, or it is refused. */
static void
check_qualified(const char *text, const struct stls_buf *out)
{
	static const char inserted[] = "@added.example";
	const char *at = (const char *)stls_buf_data(out);
	size_t left = stls_buf_len(out), len = sizeof(inserted) - 1;

	while (left > 0) {
		if (left >= len && memcmp(at, inserted, len) == 0) {
			at += len;
			left -= len;
			continue;
		}
		ck_assert_int_eq(*at, *text);
		at++;
		text++;
		left--;
	}
	ck_assert_int_eq(*text, '\0');
}

START_TEST(random_fields_are_read_alike_before_and_after_they_get_domains)
{
	struct stls_address_list before, after;
	struct stls_err err;
	struct stls_buf out;
	size_t i, found = 0;
	char text[FIELD_CAP];
	int round, r;

	srand(5);
	for (round = 0; round < 20000; round++) {
		make_field(text);
		memset(&before, 0, sizeof(before));
		memset(&after, 0, sizeof(after));
		stls_buf_init(&out, 1000);
		r = stls_address_list_parse_field(
		    &err, text, strlen(text), "added.example", &before);
		ck_assert_int_eq(stls_address_field_qualify(&err, text,
				     strlen(text), "added.example", &out),
		    r);
		if (r == SMTPTLS_OK) {
			check_qualified(text, &out);
			ck_assert_ok(stls_address_list_parse_field(&err,
			    (const char *)stls_buf_data(&out),
			    stls_buf_len(&out), NULL, &after));
			ck_assert_uint_eq(after.count, before.count);
			for (i = 0; i < after.count; i++)
				ck_assert_str_eq(after.items[i].mailbox,
				    before.items[i].mailbox);
			found += stls_buf_len(&out) > strlen(text);
		}
		stls_buf_done(&out);
		stls_address_list_done(&before);
		stls_address_list_done(&after);
	}
	ck_assert_uint_gt(found, 1000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address-hostile");
	TCase *tc = tcase_create("hostile");

	tcase_add_loop_test(tc, a_megabyte_of_anything_ends, 0, COUNT(hostile));
	tcase_add_test(tc, what_is_found_in_random_fields_parses_again);
	tcase_add_test(
	    tc, random_fields_are_read_alike_before_and_after_they_get_domains);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
