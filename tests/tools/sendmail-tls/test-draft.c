/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "message/draft.h"

#define FULL "From: f@x\r\nDate: d\r\nMessage-ID: <i@x>\r\n"

static const struct stls_submission submission = {
	.extract_recipients = true,
	.add_missing = true,
	.from = "alice@example.org",
	.host = "mx.example.org",
	.now = 1795435200,
};

static int
feed(struct stls_err *err, struct draft *draft, const char *text, size_t len,
    size_t piece)
{
	size_t n;
	int r = 0;

	for (; len > 0 && r == 0; text += n, len -= n) {
		n = len < piece ? len : piece;
		r = draft_add(err, draft, text, n);
	}
	return r == 0 ? draft_end(err, draft) : r;
}

static void
check_content(struct content *content, const char *expected)
{
	char buf[1000];
	size_t len;

	ck_assert_uint_le(content_size(content), sizeof(buf));
	ck_assert_ok(content_read(content, buf, sizeof(buf), &len));
	ck_assert_uint_eq(len, strlen(expected));
	ck_assert_mem_eq(buf, expected, len);
}

static const struct {
	const char *text, *content, *recipients;
} texts[] = {
	{ FULL "\nbody\n", FULL "\r\nbody\n", "" },
	{ FULL "To: a@x\nBcc: b@x,\n c@x\n\nBcc: d@x\n\0",
	    FULL "To: a@x\r\n\r\nBcc: d@x\n", "a@x b@x c@x" },
	{ FULL "no field\nTo: a@x\n\n", FULL "\r\nno field\nTo: a@x\n\n", "" },
	{ FULL, FULL "\r\n", "" },
	{ FULL "A: b", FULL "A: b\r\n\r\n", "" },
	{ "From x 12:00\n" FULL "\r\nbody\r\n", FULL "\r\nbody\r\n", "" },
};

START_TEST(a_draft_becomes_a_mail_however_it_comes)
{
	size_t len = strlen(texts[_i].text), piece, i;
	struct draft draft;
	struct mail mail;
	struct stls_err err = { 0 };
	char recipients[100];

	for (piece = 1; piece <= len; piece++) {
		memset(&mail, 0, sizeof(mail));
		draft_init(&draft, &mail, &submission, NULL);
		ck_assert_ok(feed(&err, &draft, texts[_i].text, len, piece));
		draft_done(&draft);
		check_content(&mail.content, texts[_i].content);
		recipients[0] = '\0';
		for (i = 0; i < mail.recipients.count; i++) {
			strcat(recipients, i > 0 ? " " : "");
			strcat(recipients, mail.recipients.items[i].mailbox);
		}
		ck_assert_str_eq(recipients, texts[_i].recipients);
		mail_done(&mail);
	}
}
END_TEST

#define TEXT(text) text, sizeof(text) - 1

static const struct {
	const char *text;
	size_t len;
	const char *sentence;
} bad[] = {
	{ TEXT("\0"), "line 1 of the message has a NUL in it" },
	{ TEXT("A: b\n\0"), "line 2 of the message has a NUL in it" },
	{ TEXT(FULL "\n\nb\r\nc\0\n"),
	    "line 7 of the message has a NUL in it" },
	{ TEXT("To: <a\n\nbody\n"), "To: " },
	{ TEXT("To: a\n\nbody\n"), "--domain" },
};

START_TEST(what_cannot_be_sent_is_told_however_it_comes)
{
	size_t piece;
	struct draft draft;
	struct mail mail = { 0 };
	struct stls_err err = { 0 };

	for (piece = 1; piece <= bad[_i].len; piece++) {
		draft_init(&draft, &mail, &submission, NULL);
		ck_assert_int_eq(
		    feed(&err, &draft, bad[_i].text, bad[_i].len, piece),
		    EX_DATAERR);
		ck_assert_ptr_nonnull(strstr(err.text, bad[_i].sentence));
		draft_done(&draft);
		mail_done(&mail);
	}
}
END_TEST

START_TEST(a_header_without_end_is_refused)
{
	struct draft draft;
	struct mail mail = { 0 };
	struct stls_err err = { 0 };
	int r = 0, lines = 0;

	draft_init(&draft, &mail, &submission, NULL);
	for (; r == 0 && lines < 1000000; lines++)
		r = draft_add(&err, &draft, "A: 34567890\n", 12);
	ck_assert_int_eq(r, EX_DATAERR);
	ck_assert_int_eq(lines, (int)(DRAFT_HEADER_MAX / 12) + 1);
	ck_assert_str_eq(
	    err.text, "the header of the message is longer than 1048576 bytes");
	draft_done(&draft);
	mail_done(&mail);
}
END_TEST

/* A header of short names must not become one of a hundred times the size. */
START_TEST(a_header_that_gets_too_long_by_its_domains_is_refused)
{
	struct stls_submission how = submission;
	struct draft draft;
	struct mail mail = { 0 };
	struct stls_err err = { 0 };
	int r, lines = 0;

	how.extract_recipients = false;
	how.header_domain = "a-long-name.of-a-machine.example.org";
	draft_init(&draft, &mail, &how, NULL);
	r = draft_add(&err, &draft, TEXT("To: a"));
	for (; r == 0 && lines < 200000; lines++)
		r = draft_add(&err, &draft, TEXT("\n ,a"));
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(draft_end(&err, &draft), EX_DATAERR);
	ck_assert_str_eq(err.text, "the header is too long");
	draft_done(&draft);
	mail_done(&mail);
}
END_TEST

START_TEST(only_the_recipients_may_be_wanted)
{
	struct draft draft;
	struct mail mail = { 0 };
	struct stls_err err = { 0 };

	draft_init(&draft, &mail, &submission, NULL);
	draft.drop_content = true;
	ck_assert_ok(feed(&err, &draft, TEXT("To: a@x\n\nbody\n"), 3));
	ck_assert_uint_eq(mail.recipients.count, 1);
	ck_assert_uint_eq(content_size(&mail.content), 0);
	draft_done(&draft);
	mail_done(&mail);
}
END_TEST

START_TEST(lack_of_memory_is_told)
{
	struct draft draft;
	struct mail mail = { 0 };
	struct stls_err err = { 0 };
	unsigned long n;
	int r;

	for (n = 1;; n++) {
		draft_init(&draft, &mail, &submission, NULL);
		stls_alloc_fail_at(n);
		r = feed(&err, &draft, TEXT("To: a@x\n\nbody\n"), 3);
		ck_assert_int_eq(r, stls_alloc_has_failed() ? EX_OSERR : 0);
		stls_alloc_fail_at(0);
		draft_done(&draft);
		mail_done(&mail);
		if (r == 0)
			break;
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("draft");
	TCase *tc = tcase_create("draft");

	tcase_add_loop_test(
	    tc, a_draft_becomes_a_mail_however_it_comes, 0, COUNT(texts));
	tcase_add_loop_test(
	    tc, what_cannot_be_sent_is_told_however_it_comes, 0, COUNT(bad));
	tcase_add_test(tc, a_header_without_end_is_refused);
	tcase_add_test(
	    tc, a_header_that_gets_too_long_by_its_domains_is_refused);
	tcase_add_test(tc, only_the_recipients_may_be_wanted);
	tcase_add_test(tc, lack_of_memory_is_told);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
