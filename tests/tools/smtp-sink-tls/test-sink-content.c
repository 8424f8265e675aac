/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "conversation/content.h"

#define TEXT_MAX 64

/* Check tells its parent of every assertion: too slow for a million. */
#define must(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			ck_abort_msg(#condition);                              \
	} while (0)

/* Instead of a maildir. */
static char kept[4096];
static size_t kept_len;

void
sink_mail_write(struct sink_mail *mail, const void *data, size_t len)
{
	(void)mail;
	must(kept_len + len <= sizeof(kept));
	memcpy(kept + kept_len, data, len);
	kept_len += len;
}

static void
start(struct sink_content *content)
{
	kept_len = 0;
	sink_content_init(content, NULL, sizeof(kept));
}

/* What RFC 5321 section 4.5.2 says, one octet after the other. */
struct expected {
	char text[TEXT_MAX];
	size_t len;
	size_t used; /* 0: there is no end */
	bool has_bare_line_end;
};

static void
expect(struct expected *expected, const char *data, size_t len)
{
	size_t i;
	bool at_start;

	memset(expected, 0, sizeof(*expected));
	for (i = 0; i < len; i++) {
		at_start = i == 0 ||
		    (i >= 2 && data[i - 2] == '\r' && data[i - 1] == '\n');
		if (at_start && len - i >= 3 &&
		    memcmp(data + i, ".\r\n", 3) == 0) {
			expected->used = i + 3;
			break;
		}
		if (at_start && data[i] == '.')
			continue;
		expected->text[expected->len++] = data[i];
	}
	for (i = 0; i < expected->len; i++) {
		if (expected->text[i] == '\n' &&
		    (i == 0 || expected->text[i - 1] != '\r'))
			expected->has_bare_line_end = true;
		if (expected->text[i] == '\r' && i + 1 < expected->len &&
		    expected->text[i + 1] != '\n')
			expected->has_bare_line_end = true;
	}
}

/* Feed in pieces of this size; returns what was used, 0 without an end. */
static size_t
feed(struct sink_content *content, const char *data, size_t len, size_t piece)
{
	size_t pos = 0, have, n;
	bool ended = false;

	for (have = 0; have < len && !ended;) {
		have = have + piece < len ? have + piece : len;
		n = sink_content_data(content, data + pos, have - pos, &ended);
		must(n <= have - pos);
		must(ended || have - pos - n <= 2);
		pos += n;
	}
	return ended ? pos : 0;
}

static void
compare(const char *data, size_t len)
{
	struct sink_content content;
	struct expected expected;
	size_t piece;

	expect(&expected, data, len);
	for (piece = 1; piece <= len; piece++) {
		start(&content);
		must(feed(&content, data, len, piece) == expected.used);
		if (expected.used == 0)
			continue;
		must(kept_len == expected.len);
		must(memcmp(kept, expected.text, kept_len) == 0);
		must(content.len == expected.len);
		must(content.has_bare_line_end == expected.has_bare_line_end);
	}
}

START_TEST(every_short_text_is_unstuffed_at_every_cut)
{
	static const char alphabet[] = ".\r\na";
	static const char end[] = "\r\n.\r\n";
	char text[TEXT_MAX];
	size_t len = (size_t)_i, i;
	unsigned int n, all = 1u << (2 * len);

	for (n = 0; n < all; n++) {
		for (i = 0; i < len; i++)
			text[i] = alphabet[n >> (2 * i) & 3];
		memcpy(text + len, end, sizeof(end) - 1);
		compare(text, len + sizeof(end) - 1);
	}
}
END_TEST

static const struct {
	const char *text;
	bool bare, nul, eightbit;
	size_t len; /* 0: strlen */
} looks[] = {
	{ "plain\r\n", false, false, false, 0 },
	{ "", false, false, false, 0 },
	{ "no end", false, false, false, 0 },
	{ "lf\nalone\r\n", true, false, false, 0 },
	{ "\n", true, false, false, 0 },
	{ "cr\ralone\r\n", true, false, false, 0 },
	{ "cr\r\r\n", true, false, false, 0 },
	{ "na\xc3\xafve, in the middle\r\n", false, false, true, 0 },
	{ "\xff", false, false, true, 0 },
	{ "nul\0\r\n", false, true, false, 6 },
};

START_TEST(what_is_odd_in_a_chunk_is_noted_at_every_cut)
{
	size_t len = looks[_i].len > 0 ? looks[_i].len : strlen(looks[_i].text);
	struct sink_content content;
	size_t cut;

	for (cut = 0; cut <= len; cut++) {
		start(&content);
		sink_content_chunk(&content, looks[_i].text, cut);
		sink_content_chunk(&content, looks[_i].text + cut, len - cut);
		ck_assert_uint_eq(kept_len, len);
		ck_assert_mem_eq(kept, looks[_i].text, len);
		ck_assert_int_eq(content.has_bare_line_end, looks[_i].bare);
		ck_assert_int_eq(content.has_nul, looks[_i].nul);
		ck_assert_int_eq(content.has_eightbit, looks[_i].eightbit);
	}
}
END_TEST

START_TEST(a_line_above_1000_octets_is_noted_and_one_of_1000_is_not)
{
	char line[1001];
	struct sink_content content;

	memset(line, 'x', sizeof(line));
	memcpy(line + 998, "\r\n", 2);
	start(&content);
	sink_content_chunk(&content, line, 500);
	sink_content_chunk(&content, line + 500, 500);
	ck_assert(!content.has_long_line);

	memcpy(line + 998, "x\r\n", 3);
	start(&content);
	sink_content_chunk(&content, line, 500);
	sink_content_chunk(&content, line + 500, 501);
	ck_assert(content.has_long_line);
}
END_TEST

START_TEST(content_above_the_maximum_is_not_kept)
{
	struct sink_content content;

	kept_len = 0;
	sink_content_init(&content, NULL, 10);
	sink_content_chunk(&content, "12345678", 8);
	ck_assert(!content.is_too_long);
	sink_content_chunk(&content, "9ab", 3);
	ck_assert(content.is_too_long);
	ck_assert_uint_eq(kept_len, 8);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sink-content");
	TCase *tc = tcase_create("content");

	tcase_add_loop_test(
	    tc, every_short_text_is_unstuffed_at_every_cut, 0, 7);
	tcase_add_loop_test(tc, what_is_odd_in_a_chunk_is_noted_at_every_cut, 0,
	    (int)COUNT(looks));
	tcase_add_test(
	    tc, a_line_above_1000_octets_is_noted_and_one_of_1000_is_not);
	tcase_add_test(tc, content_above_the_maximum_is_not_kept);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
