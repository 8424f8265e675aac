/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sysexits.h>

#include "probe/srv.h"

/* An answer of the DNS as it is on the wire. */
struct wire {
	unsigned char data[8192];
	size_t len;
};

static void
put(struct wire *wire, const void *data, size_t len)
{
	ck_assert_uint_le(wire->len + len, sizeof(wire->data));
	memcpy(wire->data + wire->len, data, len);
	wire->len += len;
}

static void
put_16(struct wire *wire, unsigned int value)
{
	unsigned char data[2] = { (unsigned char)(value >> 8),
		(unsigned char)value };

	put(wire, data, 2);
}

/* A name in text, with a dot at its end. */
static void
put_name(struct wire *wire, const char *name)
{
	unsigned char len;

	while (*name != '\0') {
		len = (unsigned char)strcspn(name, ".");
		put(wire, &len, 1);
		put(wire, name, len);
		name += len + 1;
	}
	put(wire, "", 1);
}

static void
begin(struct wire *wire, unsigned int answers)
{
	memset(wire, 0, sizeof(*wire));
	put_16(wire, 1);
	put_16(wire, 0x8180);
	put_16(wire, 1);
	put_16(wire, answers);
	put_16(wire, 0);
	put_16(wire, 0);
	put_name(wire, "_submissions._tcp.example.org.");
	put_16(wire, 33);
	put_16(wire, 1);
}

/* A record of which the data says that it is `len` octets. */
static void
put_raw(struct wire *wire, unsigned int type, unsigned int len,
    const void *data, size_t data_len)
{
	put(wire, "\xc0\x0c", 2);
	put_16(wire, type);
	put_16(wire, 1);
	put(wire, "\0\0\x0e\x10", 4);
	put_16(wire, len);
	put(wire, data, data_len);
}

static void
put_srv(struct wire *wire, unsigned int priority, unsigned int weight,
    unsigned int port, const char *target)
{
	struct wire data = { .len = 0 };

	put_16(&data, priority);
	put_16(&data, weight);
	put_16(&data, port);
	put_name(&data, target);
	put_raw(wire, 33, (unsigned int)data.len, data.data, data.len);
}

static int
parse(const struct wire *wire, struct srv_list *list)
{
	/* In a block of its very size, where a look behind it is seen. */
	unsigned char *copy = malloc(wire->len > 0 ? wire->len : 1);
	struct stls_err err = { 0 };
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, wire->data, wire->len);
	r = srv_parse(&err, copy, wire->len, true, list);
	free(copy);
	ck_assert_int_eq(r, err.code);
	return r;
}

START_TEST(records_come_in_the_order_in_which_to_try_them)
{
	struct srv_list list = { .count = 0 };
	struct wire wire;

	begin(&wire, 5);
	put_raw(&wire, 5, 2, "\xc0\x0c", 2); /* an alias */
	put_srv(&wire, 20, 0, 465, "c.example.org.");
	put_srv(&wire, 10, 1, 465, "b.example.org.");
	put_srv(&wire, 10, 9, 587, "A.Example.ORG.");
	put_raw(&wire, 1, 4, "\x7f\0\0\1", 4);
	ck_assert_ok(parse(&wire, &list));
	srv_sort(&list);
	ck_assert_uint_eq(list.count, 3);
	ck_assert(!list.is_denied);
	ck_assert_str_eq(list.records[0].target, "a.example.org");
	ck_assert_uint_eq(list.records[0].port, 587);
	ck_assert_uint_eq(list.records[0].weight, 9);
	ck_assert(list.records[0].implicit_tls);
	ck_assert_str_eq(list.records[1].target, "b.example.org");
	ck_assert_str_eq(list.records[2].target, "c.example.org");
	ck_assert_uint_eq(list.records[2].priority, 20);
}
END_TEST

START_TEST(tls_from_the_first_byte_comes_first_within_a_priority)
{
	struct srv_list list = { .count = 3,
		.records = {
		    { .target = "c", .priority = 1, .weight = 9 },
		    { .target = "b", .priority = 1, .implicit_tls = true },
		    { .target = "a", .priority = 0 },
		} };

	srv_sort(&list);
	ck_assert_str_eq(list.records[0].target, "a");
	ck_assert_str_eq(list.records[1].target, "b");
	ck_assert_str_eq(list.records[2].target, "c");
}
END_TEST

START_TEST(a_dot_is_a_service_that_is_not_offered)
{
	struct srv_list list = { .count = 0 };
	struct wire wire;

	begin(&wire, 1);
	put_srv(&wire, 0, 0, 0, "");
	ck_assert_ok(parse(&wire, &list));
	ck_assert_uint_eq(list.count, 0);
	ck_assert(list.is_denied);
}
END_TEST

START_TEST(no_more_records_are_kept_than_there_is_place)
{
	struct srv_list list = { .count = 0 };
	struct wire wire;
	int i;

	begin(&wire, 100);
	for (i = 0; i < 100; i++)
		put_srv(&wire, 0, 0, 465, "a.example.org.");
	ck_assert_ok(parse(&wire, &list));
	ck_assert_uint_eq(list.count, SRV_MAX);
}
END_TEST

#define HEAD "\0\1\0\1\1\xd1"

/* Data of a record that says one thing and is another. */
static const struct {
	unsigned int len;
	const char *data;
	size_t data_len;
} hostile[] = {
	{ 0, "", 0 },
	{ 6, HEAD, 6 },
	/* lengths that lead out of the message, or are not those of the name */
	{ 9, HEAD "\1a", 8 },
	{ 60000, HEAD "\1a", 9 },
	{ 8, HEAD "\1a", 9 },
	{ 12, HEAD "\1a\0xxx", 12 },
	{ 9, HEAD "\77a", 9 },
	/* compression: to itself, forward, out of the message, two in a ring */
	{ 8, HEAD "\xc0\x65", 8 },
	{ 8, HEAD "\xc0\x70", 8 },
	{ 8, HEAD "\xff\xff", 8 },
	{ 10, HEAD "\xc0\x67\xc0\x65", 10 },
	/* kinds of labels that there are not */
	{ 9,
	    HEAD "\x41"
		 "a",
	    9 },
	{ 9,
	    HEAD "\x81"
		 "a",
	    9 },
	/* names that are none */
	{ 9, HEAD "\1 ", 9 },
	{ 9, HEAD "\1\n", 9 },
	{ 11, HEAD "\3a\0b", 11 },
	{ 11, HEAD "\3a.b", 11 },
	{ 16,
	    HEAD "\3"
		 "127"
		 "\1"
		 "0"
		 "\1"
		 "0"
		 "\1"
		 "1",
	    16 },
	/* no port */
	{ 9,
	    "\0\1\0\1\0\0"
	    "\1a",
	    9 },
};

START_TEST(a_hostile_record_is_refused_and_nothing_of_it_is_kept)
{
	struct srv_list list = { .count = 0 };
	struct wire wire;

	begin(&wire, 2);
	put_srv(&wire, 0, 0, 465, "good.example.org.");
	put_raw(
	    &wire, 33, hostile[_i].len, hostile[_i].data, hostile[_i].data_len);
	ck_assert_int_eq(parse(&wire, &list), EX_PROTOCOL);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(an_answer_that_is_cut_off_anywhere_is_refused)
{
	struct srv_list list = { .count = 0 };
	struct wire wire;
	size_t whole;

	begin(&wire, 2);
	put_srv(&wire, 0, 0, 465, "a.example.org.");
	put_srv(&wire, 0, 0, 465, "b.example.org.");
	whole = wire.len;
	for (wire.len = 0; wire.len < whole; wire.len++)
		ck_assert_int_eq(parse(&wire, &list), EX_PROTOCOL);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_ok(parse(&wire, &list));
}
END_TEST

/* The sanitizers look; whatever is taken is a host all the same. */
START_TEST(any_octet_may_be_any_other)
{
	struct srv_list list;
	struct wire wire, changed;
	size_t i, k;
	unsigned int bit;

	begin(&wire, 2);
	put_srv(&wire, 0, 0, 465, "a.example.org.");
	put_srv(&wire, 0, 0, 465, "b.example.org.");
	for (i = 0; i < wire.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			changed = wire;
			changed.data[i] ^= (unsigned char)(1U << bit);
			memset(&list, 0, sizeof(list));
			if (parse(&changed, &list) != 0)
				continue;
			for (k = 0; k < list.count; k++)
				ck_assert_uint_eq(
				    strspn(list.records[k].target,
					"abcdefghijklmnopqrstuvwxyz0123456789"
					".-_"),
				    strlen(list.records[k].target));
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("srv");
	TCase *tc = tcase_create("srv");

	tcase_add_test(tc, records_come_in_the_order_in_which_to_try_them);
	tcase_add_test(
	    tc, tls_from_the_first_byte_comes_first_within_a_priority);
	tcase_add_test(tc, a_dot_is_a_service_that_is_not_offered);
	tcase_add_test(tc, no_more_records_are_kept_than_there_is_place);
	tcase_add_loop_test(tc,
	    a_hostile_record_is_refused_and_nothing_of_it_is_kept, 0,
	    (int)COUNT(hostile));
	tcase_add_test(tc, an_answer_that_is_cut_off_anywhere_is_refused);
	tcase_add_test(tc, any_octet_may_be_any_other);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
