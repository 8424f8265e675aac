/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "mail/header-end.h"
#include "mail/submission.h"

/* A text, and how much of it tells where its header ends. */
static const struct {
	const char *text;
	size_t enough; /* 0: there is never enough but at the end */
} texts[] = {
	{ "", 0 },
	{ "A: b\n\nbody\n", 6 },
	{ "A: b\r\n\r\nbody\r\n", 8 },
	{ "A: b\n c\n\tD: e\n \nF: g\n\nbody", 22 },
	{ "A: b\nno field: x\n", 9 },
	{ "A: b\nword\nC: d\n", 10 },
	{ "A: b\nword", 0 },
	{ "words of a body", 7 },
	{ " blanks in front", 1 },
	{ ": no name", 0 },
	{ ": no name\n", 10 },
	{ "\nbody", 1 },
	{ "\r\nbody", 2 },
	{ "\rbody", 0 },
	{ "A : b\n\n", 7 },
	{ "From a@b Mon Nov 23 12:00:00 2026\nA: b\n\nbody", 40 },
	{ "From a@b Mon Nov 23 12:00:00 2026\n A: b\n", 35 },
	{ "From me to you\nA: b\n\n", 21 },
	{ "From me to you\nwords here", 22 },
	{ "From me to you\nFrom me\nA: b\n\n", 29 },
	{ ">From me to you\nA: b\n\n", 22 },
	{ "From \nA: b\n\n", 12 },
	{ "From : a@b\nA: b\n\n", 17 },
	{ "From : a@b\nwords here", 18 },
	{ "Return-Path: <x>\nFrom x 12:00:00\nReturn-Path: y\nA: b\n\n", 54 },
	{ "A: b\nFrom x 12:00:00\nC: d\n\n", 11 },
	{ "A: b\n\xc3\xa4: d\n\n", 6 },
};

/* The length at which the end is told, SIZE_MAX for never. */
static size_t
enough_of(const char *text, size_t len, size_t piece)
{
	struct stls_header_end end = { 0 };
	size_t n;

	for (n = 0;; n += piece) {
		if (n > len)
			n = len;
		if (stls_header_end_is_there(&end, text, n))
			return n;
		if (n == len)
			return SIZE_MAX;
	}
}

START_TEST(the_end_of_a_header_is_found_as_soon_as_it_is_there)
{
	const char *text = texts[_i].text;
	size_t enough = enough_of(text, strlen(text), 1);

	ck_assert_uint_eq(
	    enough, texts[_i].enough > 0 ? texts[_i].enough : SIZE_MAX);
}
END_TEST

static const struct stls_submission submission = {
	.extract_recipients = true,
	.domain = "added.example",
};

/* Prepared from a part, it is what it is prepared from the whole. */
static void
check_same(const char *text, size_t part, size_t len)
{
	struct stls_address_list lists[2] = { { 0 }, { 0 } };
	struct stls_buf headers[2];
	struct stls_err err = { 0 };
	size_t offsets[2] = { 0, 0 };
	int i, r[2];

	for (i = 0; i < 2; i++) {
		stls_buf_init(&headers[i], 100000);
		r[i] = stls_submission_prepare(&err, &submission, text,
		    i == 0 ? part : len, &headers[i], &offsets[i], &lists[i]);
	}
	ck_assert_int_eq(r[0], r[1]);
	ck_assert_uint_eq(offsets[0], offsets[1]);
	ck_assert_uint_eq(lists[0].count, lists[1].count);
	ck_assert_uint_eq(stls_buf_len(&headers[0]), stls_buf_len(&headers[1]));
	ck_assert_mem_eq(stls_buf_data(&headers[0]), stls_buf_data(&headers[1]),
	    stls_buf_len(&headers[0]));
	for (i = 0; i < 2; i++) {
		stls_buf_done(&headers[i]);
		stls_address_list_done(&lists[i]);
	}
}

/* What such texts are made of. */
static const char *const pieces[] = {
	"A: b",
	"To: a@example.org",
	"Bcc: b@example.org",
	"Return-Path: <x>",
	"From ",
	">From ",
	"From x 12:00:00",
	"From",
	":",
	" ",
	"\t",
	"\n",
	"\n",
	"\r\n",
	"\r",
	"word",
	"words here",
	"\xc3\xa4",
	"From : a",
	" b@example.org",
	",",
	"Resent-To: c@example.org",
};

START_TEST(what_follows_changes_nothing)
{
	unsigned int seed = (unsigned int)_i * 7919 + 1;
	char text[600];
	size_t len, n, enough, piece;
	size_t round, rounds = test_rounds(2000);

	for (round = 0; round < rounds; round++) {
		for (len = 0; len < 200; len += n) {
			seed = seed * 1103515245 + 12345;
			if ((seed >> 16) % 12 == 0)
				break;
			n = strlen(pieces[(seed >> 8) % COUNT(pieces)]);
			memcpy(
			    text + len, pieces[(seed >> 8) % COUNT(pieces)], n);
		}
		for (piece = 1; piece < 30; piece += 7) {
			enough = enough_of(text, len, piece);
			if (enough != SIZE_MAX)
				check_same(text, enough, len);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("header-end");
	TCase *tc = tcase_create("header-end");

	tcase_add_loop_test(tc,
	    the_end_of_a_header_is_found_as_soon_as_it_is_there, 0,
	    COUNT(texts));
	tcase_add_loop_test(tc, what_follows_changes_nothing, 0, 10);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
