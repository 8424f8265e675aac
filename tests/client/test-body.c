/* SPDX-License-Identifier: MIT */
/* The content on the wire. */
#include <string.h>

#include "client/envelope.h"
#include "client/slow-source.h"

static const struct content {
	const char *text;
	size_t len;
	const char *wire; /* up to the final dot */
	bool is_canonical;
} contents[] = {
#define CONTENT(t, w, c)                                                       \
	{                                                                      \
		t, sizeof(t) - 1, w, c                                         \
	}
	CONTENT("a\r\n", "a\r\n", true),
	CONTENT("a", "a\r\n", true),
	CONTENT("", "", true),
	CONTENT("\r\n", "\r\n", true),
	CONTENT("a\r\nb\r\n", "a\r\nb\r\n", true),
	CONTENT("a\nb\n", "a\r\nb\r\n", false),
	CONTENT("a\nb", "a\r\nb\r\n", false),
	CONTENT("a\rb\r", "a\r\nb\r\n", false),
	CONTENT("a\r\rb", "a\r\n\r\nb\r\n", false),
	CONTENT("a\n\nb", "a\r\n\r\nb\r\n", false),
	CONTENT("a\r\r\nb", "a\r\n\r\nb\r\n", false),
	CONTENT("a\n\rb", "a\r\n\r\nb\r\n", false),
	CONTENT("\n", "\r\n", false),
	CONTENT("\r", "\r\n", false),
	/* Dots */
	CONTENT(".", "..\r\n", true),
	CONTENT(".\r\n", "..\r\n", true),
	CONTENT("..\r\n", "...\r\n", true),
	CONTENT(".a\r\nb.\r\n.c", "..a\r\nb.\r\n..c\r\n", true),
	CONTENT("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n", true),
	CONTENT("a.b\r\n", "a.b\r\n", true),
	/* What ends a message for one server and not for another. */
	CONTENT("a\n.\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\n.\r\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r\n.\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r.\rb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r\n.\rb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r.\r\nb", "a\r\n..\r\nb\r\n", false),
	CONTENT("a\r\r\n.\r\r\nb", "a\r\n\r\n..\r\n\r\nb\r\n", false),
	CONTENT("a\n.\nMAIL FROM:<eve@example.org>\nRCPT TO:<x>\nDATA\n.\n",
	    "a\r\n..\r\nMAIL FROM:<eve@example.org>\r\nRCPT TO:<x>\r\nDATA\r\n"
	    "..\r\n",
	    false),
};

/* One message arrives, each of its lines ends in CRLF, its dots are stuffed. */
START_TEST(content_arrives_as_it_must)
{
	const struct content *row = &contents[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), accepting);
	talk_set_content(&talk, row->text, row->len);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, row->wire);
	talk_end(&talk);
}
END_TEST

START_TEST(content_in_pieces_arrives_as_it_must)
{
	const struct content *row = &contents[PAIR_ROW(_i)];
	struct slow_source source = {
		.text = row->text, .len = row->len, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(&talk, PAIR_MODE(_i), accepting);
	slow_source_set(&talk, &source);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, row->wire);
	talk_end(&talk);
}
END_TEST

START_TEST(content_that_is_not_canonical_is_rejected_if_wanted)
{
	const struct content *row = &contents[PAIR_ROW(_i)];
	struct slow_source source = {
		.text = row->text, .len = row->len, .fails_at = SIZE_MAX
	};
	struct talk talk;

	talk_begin(
	    &talk, PAIR_MODE(_i), row->is_canonical ? accepting : cut_off);
	slow_source_set(&talk, &source);
	ck_assert_ok(smtptls_message_set_line_endings(
	    talk.message, SMTPTLS_LINE_ENDINGS_REJECT));
	if (!row->is_canonical) {
		assert_cut_off(&talk, SMTPTLS_E_SOURCE, NULL);
		return;
	}
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, row->wire);
	talk_end(&talk);
}
END_TEST

static const char content_with_nul[] = "Subject: test\r\n\r\na\0b\r\n";

START_TEST(nul_is_refused)
{
	struct slow_source source = { .text = content_with_nul,
		.len = sizeof(content_with_nul) - 1,
		.fails_at = SIZE_MAX };
	struct talk talk;

	talk_begin(&talk, _i, cut_off);
	slow_source_set(&talk, &source);
	assert_cut_off(&talk, SMTPTLS_E_SOURCE, "NUL at octet 19");
}
END_TEST

static const struct {
	const char *text;
	size_t len;
	const char *sentence;
} unfit[] = {
	{ content_with_nul, sizeof(content_with_nul) - 1,
	    "the content has a NUL at octet 19" },
	{ "a\r\nb\n", 5,
	    "the content has a line ending that is not CRLF at octet 5" },
};

/* What is known before is refused before, and the connection is as it was. */
START_TEST(content_in_memory_that_cannot_be_sent_is_not_begun)
{
	struct talk talk;

	talk_begin(&talk, MODE(_i), accepting);
	ck_assert_ok(talk_connect(&talk));
	talk_set_content(&talk, unfit[ROW(_i)].text, unfit[ROW(_i)].len);
	ck_assert_ok(smtptls_message_set_line_endings(
	    talk.message, SMTPTLS_LINE_ENDINGS_REJECT));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_SOURCE);
	ck_assert_str_eq(
	    smtptls_message_error(talk.message), unfit[ROW(_i)].sentence);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0),
	    SMTPTLS_OUTCOME_NOT_TRIED);

	ck_assert_ok(smtptls_message_set_body_mem(
	    talk.message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	talk_assert_content(&talk, 0, TALK_CONTENT);
	talk_end(&talk);
}
END_TEST

START_TEST(large_content_arrives_unchanged)
{
	static char text[3000000], wire[3100000];
	size_t len = 0, wire_len = 0;
	struct talk talk;
	unsigned int i;

	/* Lines of all lengths up to 998, some of them with a dot in front. */
	for (i = 0; len + 1000 < sizeof(text); i++) {
		if (i % 7 == 0) {
			text[len++] = '.';
			wire[wire_len++] = '.';
			wire[wire_len++] = '.';
		}
		memset(text + len, 'a' + (int)(i % 26), i % 997);
		memset(wire + wire_len, 'a' + (int)(i % 26), i % 997);
		len += i % 997;
		wire_len += i % 997;
		text[len++] = '\n';
		wire[wire_len++] = '\r';
		wire[wire_len++] = '\n';
	}
	talk_begin(&talk, _i, accepting);
	talk_set_content(&talk, text, len);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	ck_assert_uint_eq(server_content(talk.server, 0)->len, wire_len);
	ck_assert_int_eq(
	    memcmp(server_content(talk.server, 0)->data, wire, wire_len), 0);
	talk_end(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("body");
	TCase *tc = talk_case(suite, "body");

	add_rows_in_modes(tc, content_arrives_as_it_must, contents);
	add_rows_in_pairs(tc, content_in_pieces_arrives_as_it_must, contents);
	add_rows_in_pairs(
	    tc, content_that_is_not_canonical_is_rejected_if_wanted, contents);
	add_in_modes(tc, nul_is_refused);
	add_rows_in_modes(
	    tc, content_in_memory_that_cannot_be_sent_is_not_begun, unfit);
	add_in_modes(tc, large_content_arrives_unchanged);
	return talk_run(suite);
}
