/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "smtp/data.h"

/* Every octet that the transformation treats in its own way, and two others. */
static const char alphabet[] = { '\r', '\n', '.', 'a', (char)0x80 };
#define LETTERS (sizeof(alphabet))

#define EXHAUSTIVE_LEN 7
/* Of one first letter: 5^0 + ... + 5^6. */
#define EXHAUSTIVE_COUNT 19531
#define RANDOM_LEN 48
#define RANDOM_COUNT 1500

/* A line end before the content, four octets for one of it, the dot. */
#define TEXT_CAP (4 * RANDOM_LEN + 64)

/* Check's own assertions talk to its parent each time: not a million times. */
#define must(holds)                                                            \
	do {                                                                   \
		if (!(holds))                                                  \
			ck_abort_msg("not so: %s", #holds);                    \
	} while (0)

static struct stls_buf first, second;

static void
setup(void)
{
	stls_buf_init(&first, 1 << 20);
	stls_buf_init(&second, 1 << 20);
}

static void
teardown(void)
{
	stls_buf_done(&first);
	stls_buf_done(&second);
}

/* Transform text in two chunks, the second from split on. */
static int
transform(struct stls_data data, const char *text, size_t len, size_t split,
    struct stls_buf *out, struct stls_err *err)
{
	int r;

	stls_buf_clear(out);
	r = stls_data_write(err, &data, text, split, out);
	if (r == SMTPTLS_OK)
		r = stls_data_write(err, &data, text + split, len - split, out);
	if (r == SMTPTLS_OK)
		r = stls_data_end(err, &data, out);
	return r;
}

/*
 * What a content means, told in another way than the library does it: lines
 * that end in CRLF, CR or LF, each of them written with CRLF.
 */
static size_t
normalise(char *out, const char *text, size_t len)
{
	size_t i = 0, used = 0;

	while (i < len) {
		while (i < len && text[i] != '\r' && text[i] != '\n')
			out[used++] = text[i++];
		if (i + 1 < len && text[i] == '\r' && text[i + 1] == '\n')
			i++;
		i++;
		out[used++] = '\r';
		out[used++] = '\n';
	}
	return used;
}

/* What a server makes of it (RFC 5321 section 4.5.2); the end is cut off. */
static size_t
unstuff(char *out, const unsigned char *wire, size_t len)
{
	bool line_start = true;
	size_t i, used = 0;

	must(len >= 3);
	for (i = 0; i < len - 3; i++) {
		if (!line_start || wire[i] != '.')
			out[used++] = (char)wire[i];
		line_start = wire[i] == '\n';
	}
	return used;
}

/* The end of data once, at the end, and no CR or LF that is not of a CRLF. */
static void
check_wire(const unsigned char *wire, size_t len)
{
	static const char end[] = "\r\n.\r\n";
	char whole[TEXT_CAP];
	const char *found;
	size_t i;

	/* The line end of the DATA command stands in front of it. */
	must(len + 2 <= sizeof(whole));
	memcpy(whole, "\r\n", 2);
	memcpy(whole + 2, wire, len);
	len += 2;
	found = memmem(whole, len, end, 5);
	must(found == whole + len - 5);
	for (i = 0; i < len; i++) {
		if (whole[i] == '\r')
			must(i + 1 < len && whole[i + 1] == '\n');
		if (whole[i] == '\n')
			must(i > 0 && whole[i - 1] == '\r');
	}
}

static void
check_look(const char *text, size_t len, size_t split, size_t size)
{
	struct stls_data_look look = { 0 };

	stls_data_look(&look, text, split);
	stls_data_look(&look, text + split, len - split);
	stls_data_look_end(&look);
	must(look.facts.size == size);
	must(look.facts.has_8bit == (memchr(text, 0x80, len) != NULL));
}

/* Whether every line ending of it is CRLF. */
static bool
is_canonical(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'))
			return false;
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			return false;
	}
	return true;
}

static bool
is_same(const struct stls_buf *a, const struct stls_buf *b)
{
	return stls_buf_len(a) == stls_buf_len(b) &&
	    memcmp(stls_buf_data(a), stls_buf_data(b), stls_buf_len(a)) == 0;
}

/* Everything that holds for any content. */
static void
check_content(const char *text, size_t len)
{
	static const struct stls_data reject = { .reject_line_endings = true };
	static const struct stls_data normal = { 0 };
	static const struct stls_data seven = { .refuse_8bit = true };
	char wanted[TEXT_CAP], got[TEXT_CAP];
	struct stls_err err, err_at_once;
	bool canonical = is_canonical(text, len);
	bool is_8bit = memchr(text, 0x80, len) != NULL;
	size_t wanted_len = normalise(wanted, text, len), split;

	must(transform(normal, text, len, len, &first, &err) == SMTPTLS_OK);
	check_wire(stls_buf_data(&first), stls_buf_len(&first));
	must(unstuff(got, stls_buf_data(&first), stls_buf_len(&first)) ==
	    wanted_len);
	must(memcmp(got, wanted, wanted_len) == 0);

	for (split = 0; split <= len; split++) {
		must(transform(normal, text, len, split, &second, &err) ==
		    SMTPTLS_OK);
		must(is_same(&second, &first));
		check_look(text, len, split, wanted_len);

		must(transform(reject, text, len, split, &second, &err) ==
		    (canonical ? SMTPTLS_OK : SMTPTLS_E_SOURCE));
		if (canonical)
			must(is_same(&second, &first));
		else if (split == 0)
			err_at_once = err;
		else
			must(strcmp(err.text, err_at_once.text) == 0);

		must(transform(seven, text, len, split, &second, &err) ==
		    (is_8bit ? SMTPTLS_E_UNSUPPORTED : SMTPTLS_OK));
	}
}

/* All contents up to a length that begin with the letter _i. */
START_TEST(every_short_content_arrives_as_it_means)
{
	size_t counters[EXHAUSTIVE_LEN] = { 0 }, len, i;
	size_t rounds = test_rounds(EXHAUSTIVE_COUNT), n = 0;
	char text[EXHAUSTIVE_LEN];

	for (len = 1; len <= EXHAUSTIVE_LEN && n < rounds; len++) {
		memset(counters, 0, sizeof(counters));
		counters[0] = (size_t)_i;
		do {
			for (i = 0; i < len; i++)
				text[i] = alphabet[counters[i]];
			check_content(text, len);
			n++;
			for (i = 1; i < len && ++counters[i] == LETTERS; i++)
				counters[i] = 0;
		} while (i < len && n < rounds);
	}
}
END_TEST

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

START_TEST(long_contents_arrive_as_they_mean)
{
	uint32_t random = 20260201;
	char text[RANDOM_LEN];
	size_t round, rounds = test_rounds(RANDOM_COUNT), len, i;

	for (round = 0; round < rounds; round++) {
		len = EXHAUSTIVE_LEN +
		    next_random(&random) % (RANDOM_LEN - EXHAUSTIVE_LEN + 1);
		for (i = 0; i < len; i++)
			text[i] = alphabet[next_random(&random) % LETTERS];
		check_content(text, len);
	}
}
END_TEST

START_TEST(an_empty_content_is_a_lone_dot)
{
	struct stls_data data = { 0 };
	struct stls_err err;

	check_look("", 0, 0, 0);
	ck_assert_ok(stls_data_end(&err, &data, &first));
	ck_assert_uint_eq(stls_buf_len(&first), 3);
	ck_assert_mem_eq(stls_buf_data(&first), ".\r\n", 3);
}
END_TEST

static const struct {
	const char *text;
	const char *wire;
} contents[] = {
	{ "a", "a\r\n.\r\n" },
	{ "a\n", "a\r\n.\r\n" },
	{ "a\r\n", "a\r\n.\r\n" },
	{ ".", "..\r\n.\r\n" },
	{ ".\r\n", "..\r\n.\r\n" },
	{ "..\r\n", "...\r\n.\r\n" },
	{ "a.\r\n", "a.\r\n.\r\n" },
	{ "\n", "\r\n.\r\n" },
	{ "\r", "\r\n.\r\n" },
	/* Ends of data that some servers take for one. */
	{ "a\n.\nb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r\n.\nb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r.\rb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r\n.\rb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r\r\n.\r\nb", "a\r\n\r\n..\r\nb\r\n.\r\n" },
	{ "a\n\r.\r\nb", "a\r\n\r\n..\r\nb\r\n.\r\n" },
};

START_TEST(a_content_becomes_this_on_the_wire)
{
	const char *text = contents[_i].text, *wire = contents[_i].wire;
	struct stls_data normal = { 0 };
	struct stls_err err;

	ck_assert_ok(transform(normal, text, strlen(text), 0, &first, &err));
	ck_assert_uint_eq(stls_buf_len(&first), strlen(wire));
	ck_assert_mem_eq(stls_buf_data(&first), wire, strlen(wire));
}
END_TEST

static const struct {
	const char *text;
	unsigned int octet;
} bad_endings[] = {
	{ "\nab", 1 },
	{ "ab\n", 3 },
	{ "ab\r\n\n", 5 },
	{ "a\rb", 2 },
	{ "ab\r", 3 },
	{ "a\r\r\n", 2 },
	{ "a\r\nb\rc\n", 5 },
};

START_TEST(a_line_ending_is_refused_with_its_place)
{
	const char *text = bad_endings[_i].text;
	struct stls_data reject = { .reject_line_endings = true };
	struct stls_err err;
	char wanted[128];
	size_t split;

	snprintf(wanted, sizeof(wanted),
	    "the content has a line ending that is not CRLF at octet %u",
	    bad_endings[_i].octet);
	for (split = 0; split <= strlen(text); split++) {
		ck_assert_int_eq(
		    transform(reject, text, strlen(text), split, &first, &err),
		    SMTPTLS_E_SOURCE);
		ck_assert_str_eq(err.text, wanted);
	}
}
END_TEST

START_TEST(a_nul_is_refused_wherever_it_stands)
{
	static const char text[] = "a\r\n.b";
	struct stls_data normal = { 0 };
	char with_nul[sizeof(text)], wanted[64];
	struct stls_err err;
	size_t at, split;

	for (at = 0; at < sizeof(text); at++) {
		memcpy(with_nul, text, at);
		with_nul[at] = '\0';
		memcpy(with_nul + at + 1, text + at, sizeof(text) - 1 - at);
		snprintf(wanted, sizeof(wanted),
		    "the content has a NUL at octet %zu", at + 1);
		for (split = 0; split <= sizeof(text); split++) {
			ck_assert_int_eq(transform(normal, with_nul,
					     sizeof(text), split, &first, &err),
			    SMTPTLS_E_SOURCE);
			ck_assert_str_eq(err.text, wanted);
		}
	}
}
END_TEST

START_TEST(the_largest_chunk_fits_the_room_that_was_promised)
{
	static char text[STLS_DATA_CHUNK_MAX];
	struct stls_data data = { 0 };
	struct stls_buf out;
	struct stls_err err;

	stls_buf_init(&out, STLS_DATA_GROWTH_MAX);
	memset(text, '\n', sizeof(text));
	ck_assert_ok(stls_data_write(&err, &data, text, sizeof(text), &out));
	ck_assert_uint_eq(stls_buf_len(&out), 2 * sizeof(text));
	stls_buf_done(&out);
}
END_TEST

START_TEST(lack_of_memory_appends_nothing)
{
	struct stls_data data = { 0 };
	struct stls_err err;
	int r;

	stls_alloc_fail_at(1);
	r = stls_data_write(&err, &data, "a", 1, &first);
	stls_alloc_fail_at(0);
	ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
	ck_assert_uint_eq(stls_buf_len(&first), 0);

	stls_alloc_fail_at(1);
	r = stls_data_end(&err, &data, &first);
	stls_alloc_fail_at(0);
	ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
	ck_assert_uint_eq(stls_buf_len(&first), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("data");
	TCase *tc = tcase_create("data");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, every_short_content_arrives_as_it_means, 0, LETTERS);
	tcase_add_test(tc, long_contents_arrive_as_they_mean);
	tcase_add_test(tc, an_empty_content_is_a_lone_dot);
	tcase_add_loop_test(
	    tc, a_content_becomes_this_on_the_wire, 0, COUNT(contents));
	tcase_add_loop_test(
	    tc, a_line_ending_is_refused_with_its_place, 0, COUNT(bad_endings));
	tcase_add_test(tc, a_nul_is_refused_wherever_it_stands);
	tcase_add_test(tc, the_largest_chunk_fits_the_room_that_was_promised);
	tcase_add_test(tc, lack_of_memory_appends_nothing);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
