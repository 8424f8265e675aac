/* SPDX-License-Identifier: MIT */
/* What is long, much, or garbage. */
#include <stdint.h>
#include <string.h>

#include "sink-talk.h"

/* `line_len` octets with the CRLF, filled up in the middle. */
static void
feed_line(const char *start, char fill, const char *end, size_t line_len)
{
	static char line[20000];
	size_t start_len = strlen(start), end_len = strlen(end);

	ck_assert_uint_le(start_len + end_len, line_len);
	memcpy(line, start, start_len);
	memset(line + start_len, fill, line_len - start_len - end_len);
	memcpy(line + line_len - end_len, end, end_len);
	out_len = 0;
	feed_cut(line, line_len, line_len / 2);
}

static const struct {
	const char *start;
	char fill;
	const char *end;
	size_t line_len;
	const char *codes;
} lines[] = {
	{ "NOOP ", 'x', "\r\n", 512, "250" },
	{ "NOOP ", 'x', "\r\n", 513, "500" },
	{ "NOOP ", 'x', "\r\n", 12288, "500" },
	{ "NOOP ", 'x', "\r\n", 19999, "500" },
	{ "AUTH PLAIN ", 'A', "\r\n", 12287, "501" },
	{ "AUTH PLAIN ", 'A', "\r\n", 12289, "500" },
	{ "MAIL FROM:<", 'x', "@example.org>\r\n", 11 + 64 + 15, "250" },
	{ "MAIL FROM:<", 'x', "@example.org>\r\n", 11 + 65 + 15, "501" },
	{ "MAIL FROM:<a@", 'x', ">\r\n", 11 + 254 + 3, "250" },
	{ "MAIL FROM:<a@", 'x', ">\r\n", 11 + 255 + 3, "501" },
	{ "MAIL FROM:<a@b> ENVID=", 'x', "\r\n", 22 + 100 + 2, "250" },
	{ "MAIL FROM:<a@b> ENVID=", 'x', "\r\n", 22 + 101 + 2, "501" },
	{ "MAIL FROM:<a@b> AUTH=", 'x', "\r\n", 21 + 500 + 2, "250" },
	{ "MAIL FROM:<a@b> AUTH=", 'x', "\r\n", 2000, "500" },
};

START_TEST(line_up_to_its_limit_is_taken_and_beyond_it_refused)
{
	begin(LOGIN, SINK_EXTENSIONS_ALL);
	feed(HI);
	smtp.is_authenticated = lines[_i].start[0] != 'A';
	feed_line(
	    lines[_i].start, lines[_i].fill, lines[_i].end, lines[_i].line_len);
	ck_assert_str_eq(codes(), lines[_i].codes);
	out_len = 0;
	feed("QUIT\r\n");
	ck_assert_str_eq(codes(), "221");
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(recipients_beyond_the_limit_wait_for_the_next_message)
{
	int i;

	begin(0, SINK_EXTENSIONS_ALL);
	feed(HI FROM);
	for (i = 0; i < SINK_RECIPIENTS_MAX; i++) {
		out_len = 0;
		feed(TO);
		ck_assert_str_eq(codes(), "250");
	}
	out_len = 0;
	feed(TO);
	ck_assert_str_eq(codes(), "452");
	feed_cut("DATA\r\n.\r\n", 9, 6);
	ck_assert_uint_eq(stats.recipients, SINK_RECIPIENTS_MAX);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(who_makes_too_many_errors_is_sent_away)
{
	int i;

	begin(0, SINK_EXTENSIONS_ALL);
	for (i = 0; i < 99; i++)
		feed("X\r\n");
	ck_assert(!sink_smtp_is_closing(&smtp));
	out_len = 0;
	feed("X\r\n");
	ck_assert_str_eq(codes(), "500 421");
	ck_assert(sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(who_guesses_passwords_is_sent_away)
{
	static const char guess[] = "AUTH PLAIN AGFsaWNlAHg=\r\n";
	int i;

	begin(LOGIN, SINK_EXTENSIONS_ALL);
	feed(HI);
	for (i = 0; i < 4; i++)
		feed(guess);
	ck_assert_str_eq(codes(), "250 535 535 535 535");
	feed(guess);
	ck_assert_str_eq(codes(), "250 535 535 535 535 421");
	ck_assert_uint_eq(stats.authentication_failures, 5);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(replies_do_not_pile_up_while_they_cannot_leave)
{
	static char input[60000];
	size_t i, used;

	for (i = 0; i < sizeof(input); i += 6)
		memcpy(input + i, "HELP\r\n", 6);
	begin(0, SINK_EXTENSIONS_ALL);
	used = sink_smtp_feed(&smtp, input, sizeof(input));
	ck_assert_uint_lt(used, sizeof(input));
	ck_assert_uint_ge(stls_buf_len(&smtp.out), SINK_OUT_HIGH);
	ck_assert_uint_eq(sink_smtp_feed(&smtp, input, sizeof(input)), 0);
	ck_assert(!sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(whoever_is_in_the_middle_of_content_gets_no_421)
{
	begin(0, SINK_EXTENSIONS_ALL);
	feed(HI);
	feed(FROM TO "DATA\r\n");
	out_len = 0;
	feed("x\r\n");
	sink_smtp_abort(&smtp, "4.3.2", "the end");
	collect();
	ck_assert_uint_eq(out_len, 0);
	ck_assert(sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(no_message_is_begun_when_the_server_is_about_to_end)
{
	begin(0, SINK_EXTENSIONS_ALL);
	policy.is_finishing = true;
	feed(HI FROM);
	ck_assert_str_eq(codes(), "250 421");
	ck_assert(sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/*
 * Words a parser may trip over, in any order, with any octet between them:
 * nothing but whole reply lines may come out, and the sanitizers watch.
 */
static void
feed_garbage(uint32_t seed)
{
	static const char *const words[] = { HI, FROM, TO, "DATA\r\n",
		"BDAT 7\r\n", "BDAT 3 LAST\r\n", ".\r\n", "\r\n", "\n", "\r",
		"<", ">", "\"", "\\", "@", "[", "MAIL FROM:", "RCPT TO:", " ",
		" SIZE=", " ORCPT=rfc822;", " NOTIFY=", " ENVID=+", "=", ",",
		"AUTH PLAIN ", "AUTH LOGIN\r\n", PLAIN, "RSET\r\n", "\xc3\xa4",
		"\xf0\x9f", "*\r\n", "STARTTLS\r\n" };
	uint32_t state = seed;
	char input[2048];
	size_t len = 0, n;
	const char *word;

	while (len < sizeof(input) - 64) {
		word = words[next_random(&state) % COUNT(words)];
		n = strlen(word);
		memcpy(input + len, word, n);
		len += n;
		if (next_random(&state) % 8 == 0)
			input[len++] = (char)next_random(&state);
	}
	begin(seed % 2 == 0 ? LOGIN : CLEAR, SINK_EXTENSIONS_ALL);
	smtp.is_authenticated = seed % 4 == 0;
	feed_cut(input, len, next_random(&state) % len);
	sink_smtp_done(&smtp);
}

START_TEST(garbage_gets_whole_replies)
{
	uint32_t seed;

	for (seed = 0; seed < 200; seed++) {
		feed_garbage(seed);
		codes();
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sink-limits");
	TCase *tc = tcase_create("limits");

	tcase_add_loop_test(tc,
	    line_up_to_its_limit_is_taken_and_beyond_it_refused, 0,
	    COUNT(lines));
	tcase_add_test(
	    tc, recipients_beyond_the_limit_wait_for_the_next_message);
	tcase_add_test(tc, who_makes_too_many_errors_is_sent_away);
	tcase_add_test(tc, who_guesses_passwords_is_sent_away);
	tcase_add_test(tc, replies_do_not_pile_up_while_they_cannot_leave);
	tcase_add_test(tc, whoever_is_in_the_middle_of_content_gets_no_421);
	tcase_add_test(tc, no_message_is_begun_when_the_server_is_about_to_end);
	tcase_add_test(tc, garbage_gets_whole_replies);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
