/* SPDX-License-Identifier: MIT */
/*
 * The content as it leaves, against what it should be, told octet by octet: so
 * long that the vectors of smtp/octets.c do the work. This program is built
 * for each kind of machine.
 */
#include "test.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "smtp/data.h"
#include "smtp/octets.h"

/* More than two of the largest blocks, and what is left behind them. */
#define LEN_MAX 200
#define RANDOM_COUNT 4000
/* All pieces of so many letters stand at all places of a long line. */
#define PIECE_LEN 3

static const char letters[] = { '\r', '\n', '.', 'a', '\t', '\0', (char)0x80 };
#define LETTERS sizeof(letters)

/* Check's own assertions talk to its parent each time: not a million times. */
#define must(holds)                                                            \
	do {                                                                   \
		if (!(holds))                                                  \
			ck_abort_msg("not so: %s", #holds);                    \
	} while (0)

static const struct stls_data modes[] = {
	{ .is_chunk = false },
	{ .is_chunk = true },
	{ .refuse_8bit = true },
	{ .reject_line_endings = true },
	{ .is_chunk = true, .refuse_8bit = true, .reject_line_endings = true },
};
#define MODES COUNT(modes)

struct expected {
	char sentence[128]; /* empty: it succeeds */
	unsigned char wire[2 * LEN_MAX + 16];
	size_t len;
	struct stls_data_facts facts;
};

static uint32_t random_state = 20260201;
static struct stls_buf out;

static void
setup(void)
{
	stls_buf_init(&out, 1 << 16);
}

static void
teardown(void)
{
	stls_buf_done(&out);
}

static uint32_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static bool
is_ending(char c)
{
	return c == '\r' || c == '\n';
}

/* The first reason is the one that is told. */
static void
give_reason(struct expected *e, const char *reason, size_t octet)
{
	if (e->sentence[0] == '\0')
		snprintf(e->sentence, sizeof(e->sentence),
		    "the content has a %s at octet %zu", reason, octet);
}

static void
judge(struct expected *e, const struct stls_data *mode, const char *text,
    size_t len, size_t i)
{
	bool is_pair = i + 1 < len && text[i] == '\r' && text[i + 1] == '\n';

	if (text[i] == '\0') {
		give_reason(e, "NUL", i + 1);
		if (e->facts.nul_at == 0)
			e->facts.nul_at = i + 1;
	}
	if ((text[i] & 0x80) != 0) {
		e->facts.has_8bit = true;
		if (mode->refuse_8bit && e->sentence[0] == '\0')
			strcpy(e->sentence,
			    "the content is 8-bit and the server does not "
			    "offer 8BITMIME");
	}
	if (is_ending(text[i]) && !is_pair) {
		if (e->facts.bad_line_ending_at == 0)
			e->facts.bad_line_ending_at = i + 1;
		if (mode->reject_line_endings)
			give_reason(e, "line ending that is not CRLF", i + 1);
	}
}

static void
put(struct expected *e, const char *s, size_t len)
{
	memcpy(e->wire + e->len, s, len);
	e->len += len;
}

static void
expect(struct expected *e, const struct stls_data *mode, const char *text,
    size_t len)
{
	bool line_start = true;
	size_t i, dots = 0;

	e->sentence[0] = '\0';
	e->len = 0;
	e->facts = (struct stls_data_facts){ 0 };
	for (i = 0; i < len; i++) {
		judge(e, mode, text, len, i);
		if (is_ending(text[i])) {
			put(e, "\r\n", 2);
			if (text[i] == '\r' && i + 1 < len &&
			    text[i + 1] == '\n')
				i++;
			line_start = true;
			continue;
		}
		if (line_start && text[i] == '.' && !mode->is_chunk) {
			put(e, ".", 1);
			dots++;
		}
		put(e, &text[i], 1);
		line_start = false;
	}
	if (!line_start)
		put(e, "\r\n", 2);
	e->facts.size = e->len - dots;
	if (!mode->is_chunk)
		put(e, ".\r\n", 3);
}

/* In two pieces, the second from split on. */
static void
check_write(const struct stls_data *mode, const struct expected *e,
    const char *text, size_t len, size_t split)
{
	struct stls_data data = *mode;
	size_t before = stls_buf_len(&out);
	struct stls_err err;
	int r;

	r = stls_data_write(&err, &data, text, split, &out);
	if (r == SMTPTLS_OK)
		r = stls_data_write(
		    &err, &data, text + split, len - split, &out);
	if (r == SMTPTLS_OK)
		r = stls_data_end(&err, &data, &out);
	must((r == SMTPTLS_OK) == (e->sentence[0] == '\0'));
	if (r < 0) {
		must(strcmp(err.text, e->sentence) == 0);
	} else {
		must(stls_buf_len(&out) == before + e->len);
		must(
		    memcmp(stls_buf_data(&out) + before, e->wire, e->len) == 0);
	}
	stls_buf_truncate(&out, before);
}

static void
check_look(const struct expected *e, const char *text, size_t len, size_t split)
{
	struct stls_data_look look = { 0 };

	stls_data_look(&look, text, split);
	stls_data_look(&look, text + split, len - split);
	stls_data_look_end(&look);
	must(look.facts.size == e->facts.size);
	must(look.facts.has_8bit == e->facts.has_8bit);
	must(look.facts.nul_at == e->facts.nul_at);
	must(look.facts.bad_line_ending_at == e->facts.bad_line_ending_at);
}

/* Of what a look finds, the first thing is the one that is told. */
static void
check_facts(const struct stls_data *mode, const struct expected *e)
{
	struct stls_err err;
	int r;

	if (mode->refuse_8bit && e->facts.has_8bit)
		return;
	r = stls_data_check(&err, &e->facts, mode->reject_line_endings);
	must(r == (e->sentence[0] == '\0' ? SMTPTLS_OK : SMTPTLS_E_SOURCE));
	must(r == SMTPTLS_OK || strcmp(err.text, e->sentence) == 0);
}

/* Everything ends where the text ends, so that reading on is found out. */
static void
check_text(const char *text, size_t len, size_t step)
{
	struct expected e;
	size_t mode, split;

	for (mode = 0; mode < MODES; mode++) {
		expect(&e, &modes[mode], text, len);
		check_facts(&modes[mode], &e);
		for (split = 0; split <= len; split += step) {
			check_write(&modes[mode], &e, text, len, split);
			if (mode == 0)
				check_look(&e, text, len, split);
		}
	}
}

/* What stands in long lines, and where, is left to chance. */
static void
fill(char *text, size_t len, unsigned int plain)
{
	size_t i;

	for (i = 0; i < len; i++) {
		text[i] = 'a';
		if (next_random() % 64 < plain)
			continue;
		/* The last two letters spoil everything: seldom. */
		text[i] = letters[next_random() %
		    (next_random() % 32 == 0 ? LETTERS : LETTERS - 2)];
		if (text[i] == '\r' && i + 1 < len && next_random() % 8 != 0)
			text[++i] = '\n';
	}
}

START_TEST(what_is_written_is_what_it_should_be)
{
	size_t round, rounds = test_rounds(RANDOM_COUNT), len, i;
	char *text;

	for (round = 0; round < rounds; round++) {
		len = next_random() % (LEN_MAX + 1);
		/* At any alignment, and to any. */
		i = next_random() % 64;
		text = malloc(i + len > 0 ? i + len : 1);
		must(text != NULL);
		fill(text + i, len, next_random() % 64);
		stls_buf_clear(&out);
		must(stls_buf_append(&out,
			 "0123456789012345678901234567890123456789"
			 "0123456789012345678901234567890123456789",
			 next_random() % 64) == SMTPTLS_OK);
		check_text(text + i, len, 1);
		free(text);
	}
}
END_TEST

/* The letter _i and all that may follow it, at each place of two blocks. */
START_TEST(a_special_octet_is_found_wherever_it_stands)
{
	size_t count = LETTERS * LETTERS, n, at, i, step = test_step();
	char text[LEN_MAX], piece[PIECE_LEN];

	for (n = 0; n < count; n++) {
		piece[0] = letters[_i];
		piece[1] = letters[n % LETTERS];
		piece[2] = letters[n / LETTERS];
		for (at = 0; at <= sizeof(text) - PIECE_LEN; at += step) {
			memset(text, 'x', sizeof(text));
			memcpy(text + at, piece, PIECE_LEN);
			i = at > 70 ? at - 70 : 0;
			check_text(text + i, sizeof(text) - i, LEN_MAX);
		}
	}
}
END_TEST

/* Else the loop would be right, and slow. */
START_TEST(what_needs_no_care_is_taken_nearly_to_its_end)
{
	static const char line[] = ".Subject:\ta line of .. some length\r\n";
	unsigned char in[1024], wire[2 * sizeof(in)], *end = wire;
	size_t i, n, lf = (size_t)_i % 2;
	bool dots = _i / 2 != 0;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)line[i % (sizeof(line) - 1)];
	for (i = 0; lf != 0 && i < sizeof(in); i++) {
		if (in[i] == '\r')
			in[i] = ' ';
	}
	n = stls_octets_lines(&end, in, sizeof(in), false, lf != 0, dots);
	ck_assert_uint_gt(n, sizeof(in) - STLS_OCTETS_LINES_MIN);
	in[500] = '\0';
	end = wire;
	n = stls_octets_lines(&end, in, sizeof(in), false, lf != 0, dots);
	ck_assert_uint_eq(n, 500);
}
END_TEST

/* So many that a vector's octet, which counts them, goes round. */
START_TEST(bad_line_endings_are_counted_without_end)
{
	static char text[100000];
	struct stls_data_look look = { 0 };

	memset(text, "\r\n"[_i], sizeof(text));
	stls_data_look(&look, text, sizeof(text));
	stls_data_look_end(&look);
	ck_assert_uint_eq(look.facts.size, 2 * sizeof(text));
	ck_assert_uint_eq(look.facts.bad_line_ending_at, 1);
	ck_assert_uint_eq(look.facts.nul_at, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("octets");
	TCase *tc = tcase_create("octets");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_written_is_what_it_should_be);
	tcase_add_loop_test(
	    tc, a_special_octet_is_found_wherever_it_stands, 0, LETTERS);
	tcase_add_loop_test(
	    tc, what_needs_no_care_is_taken_nearly_to_its_end, 0, 4);
	tcase_add_loop_test(tc, bad_line_endings_are_counted_without_end, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
