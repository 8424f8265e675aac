/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "mail/header.h"
#include "mail/submission.h"

#define DATE "Mon, 23 Nov 2026 12:00:00 +0000"
#define ADDED "From: alice@example.org\r\nDate: " DATE "\r\nMessage-ID: ID\r\n"
/* What a complete message has, in short. */
#define FULL "From: f@x\r\nDate: d\r\nMessage-ID: <i@x>\r\n"

static const struct stls_submission submission = {
	.add_missing = true,
	.from = "alice@example.org",
	.domain = "added.example",
	.host = "mx.example.org",
	.now = 1795435200,
};

/* What became of a text. */
struct outcome {
	int r;
	struct stls_err err;
	struct stls_buf header;
	size_t body_offset;
	struct stls_address_list recipients;
};

static void
prepare(struct outcome *outcome, const struct stls_submission *how,
    const char *text, size_t len)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->body_offset = 12345;
	stls_buf_init(&outcome->header, 100000);
	outcome->r = stls_submission_prepare(&outcome->err, how, text, len,
	    &outcome->header, &outcome->body_offset, &outcome->recipients);
}

static void
done(struct outcome *outcome)
{
	stls_buf_done(&outcome->header);
	stls_address_list_done(&outcome->recipients);
}

/* The header as a string, with ID for what nobody can foretell. */
static void
show_header(const struct outcome *outcome, char *out, size_t cap)
{
	size_t len = stls_buf_len(&outcome->header);
	char *id, *end;

	ck_assert_uint_lt(len, cap);
	memcpy(out, stls_buf_data(&outcome->header), len);
	out[len] = '\0';
	while ((id = strstr(out, "<1795435200.")) != NULL) {
		end = strchr(id, '>');
		ck_assert_ptr_nonnull(end);
		ck_assert_int_eq(strncmp(end - 15, "@mx.example.org>", 16), 0);
		memcpy(id, "ID", 2);
		memmove(id + 2, end + 1, strlen(end + 1) + 1);
	}
}

static void
show_recipients(const struct outcome *outcome, char *out, size_t cap)
{
	size_t i;

	out[0] = '\0';
	for (i = 0; i < outcome->recipients.count; i++) {
		ck_assert_uint_lt(strlen(out) + 300, cap);
		strcat(out, i > 0 ? " " : "");
		strcat(out, outcome->recipients.items[i].mailbox);
	}
}

static const struct {
	const char *text, *header, *body;
} texts[] = {
	/* What is missing is added behind what is there. */
	{ FULL "\r\nbody\r\n", FULL "\r\n", "body\r\n" },
	{ "Subject: s\n\nbody\n", "Subject: s\r\n" ADDED "\r\n", "body\n" },
	{ "from: F\nDATE: d\nMESSAGE-id :i\nSubject: s\n\nbody\n",
	    "from: F\r\nDATE: d\r\nMESSAGE-id :i\r\nSubject: s\r\n\r\n",
	    "body\n" },
	{ "From: F <f@x>\n\nbody",
	    "From: F <f@x>\r\nDate: " DATE "\r\nMessage-ID: ID\r\n\r\n",
	    "body" },
	{ "Date: d\n\n",
	    "Date: d\r\nFrom: alice@example.org\r\nMessage-ID: ID\r\n\r\n",
	    "" },
	{ "Received: r\nSubject: s\n\n",
	    "Received: r\r\nSubject: s\r\n" ADDED "\r\n", "" },
	/* Where the header ends. */
	{ "", ADDED "\r\n", "" },
	{ "hello\n", ADDED "\r\n", "hello\n" },
	{ "hello", ADDED "\r\n", "hello" },
	{ "\nhello\n", ADDED "\r\n", "hello\n" },
	{ "\r\n\r\nhello\n", ADDED "\r\n", "\r\nhello\n" },
	{ "\nBcc: b@x\n", ADDED "\r\n", "Bcc: b@x\n" },
	{ FULL "hello world\n", FULL "\r\n", "hello world\n" },
	{ FULL "hello\nSubject: s\n\n", FULL "\r\n", "hello\nSubject: s\n\n" },
	{ FULL, FULL "\r\n", "" },
	{ FULL "Subject: s", FULL "Subject: s\r\n\r\n", "" },
	{ FULL "Subject: s\r", FULL "Subject: s\r\n\r\n", "" },
	{ " hello\n", ADDED "\r\n", " hello\n" },
	{ ".\n", ADDED "\r\n", ".\n" },
	/* Line ends. */
	{ FULL "A: b\nC: d\r\nE: f\n\r\nbody\nbody\r\n",
	    FULL "A: b\r\nC: d\r\nE: f\r\n\r\n", "body\nbody\r\n" },
	{ FULL "A: b\n\tc\r\n d\n\nbody", FULL "A: b\r\n\tc\r\n d\r\n\r\n",
	    "body" },
	{ FULL "A: b\r\r\nC: d\r\r\r\n\n", FULL "A: b\r\nC: d\r\n\r\n", "" },
	{ FULL "A: b\rC: d\n\n", FULL "A: b C: d\r\n\r\n", "" },
	{ FULL "A: b\rBcc: d@x\n\n", FULL "A: b Bcc: d@x\r\n\r\n", "" },
	{ FULL "A: b\n \r\r\n\n", FULL "A: b\r\n \r\n\r\n", "" },
	/* All other octets stay. */
	{ FULL "A : \xff\xc3\xbc\x01\t\x7f  \n\n",
	    FULL "A : \xff\xc3\xbc\x01\t\x7f  \r\n\r\n", "" },
	{ FULL "To: no address at all\n\n",
	    FULL "To: no address at all\r\n\r\n", "" },
	/* Bcc never leaves. */
	{ FULL "Bcc: b@x\n\n", FULL "\r\n", "" },
	{ "Bcc: b@x\n" FULL "\n", FULL "\r\n", "" },
	{ FULL "bCC : b@x\n\n", FULL "\r\n", "" },
	{ FULL "BCC\t:b@x\n\n", FULL "\r\n", "" },
	{ FULL "Bcc:\n\n", FULL "\r\n", "" },
	{ FULL "Bcc: b@x,\n c@x,\r\n\td@x\nA: b\n\n", FULL "A: b\r\n\r\n", "" },
	{ FULL "Bcc: b@x\nBcc: c@x\n d@x\nBcc: e@x\n\n", FULL "\r\n", "" },
	{ FULL "Bcc: b@x\n \n c@x\n\n", FULL "\r\n", "" },
	{ FULL "Bcc: b@x", FULL "\r\n", "" },
	{ FULL "Bcc: b@x\ntext\n", FULL "\r\n", "text\n" },
	{ FULL "Bcc: not ; an <address\n\n", FULL "\r\n", "" },
	{ FULL "X-Bcc: b@x\nBccc: c@x\nBc: d@x\n\n",
	    FULL "X-Bcc: b@x\r\nBccc: c@x\r\nBc: d@x\r\n\r\n", "" },
	{ FULL "\nBcc: b@x\n", FULL "\r\n", "Bcc: b@x\n" },
	/* What stores put in front. */
	{ "From a@x Mon Nov 23 12:00:00 2026\n" FULL "\nbody", FULL "\r\n",
	    "body" },
	{ ">From a@x Mon Nov 23 12:00:00 2026\r\n" FULL "\nbody", FULL "\r\n",
	    "body" },
	{ "From a@x\n" FULL "\nbody", FULL "\r\n", "body" },
	{ "From a@x 12:00\n\nbody", ADDED "\r\n", "body" },
	{ "From a@x 12:00\nbody", ADDED "\r\n", "body" },
	{ "Return-Path: <a@x>\n" FULL "\nbody", FULL "\r\n", "body" },
	{ "From a@x\nReturn-path : <a@x>\n (c)\n>From b@x\n" FULL "\nbody",
	    FULL "\r\n", "body" },
	{ "Return-Path: <a@x>\nFrom a@x 12:00\nReturn-Path: <b@x>\n" FULL
	  "\nbody",
	    FULL "\r\n", "body" },
	{ FULL "Return-Path: <a@x>\n\nbody", FULL "Return-Path: <a@x>\r\n\r\n",
	    "body" },
	/* A text that only begins so. */
	{ "From : f@x\nDate: d\nMessage-ID: <i@x>\n\nbody",
	    "From : f@x\r\nDate: d\r\nMessage-ID: <i@x>\r\n\r\n", "body" },
	{ "From here to eternity\nand back\n", ADDED "\r\n",
	    "From here to eternity\nand back\n" },
	{ "From here to eternity", ADDED "\r\n", "From here to eternity" },
	{ FULL "From a@x 12:00\n", FULL "\r\n", "From a@x 12:00\n" },
	{ "From\n", ADDED "\r\n", "From\n" },
	/* The newest Resent- block is completed where it stands. */
	{ "Resent-To: r@x\n" FULL "\n",
	    "Resent-To: r@x\r\nResent-From: alice@example.org\r\n"
	    "Resent-Date: " DATE "\r\nResent-Message-ID: ID\r\n" FULL "\r\n",
	    "" },
	{ "Received: r\nresent-from: f\nRESENT-DATE: d\n"
	  "Resent-Message-Id: i\n" FULL "\n",
	    "Received: r\r\nresent-from: f\r\nRESENT-DATE: d\r\n"
	    "Resent-Message-Id: i\r\n" FULL "\r\n",
	    "" },
	{ "Resent-From: f\nResent-To: r@x\nReceived: r\n"
	  "Resent-Date: d\nResent-Message-ID: i\n" FULL "\n",
	    "Resent-From: f\r\nResent-To: r@x\r\nResent-Date: " DATE
	    "\r\nResent-Message-ID: ID\r\nReceived: r\r\n"
	    "Resent-Date: d\r\nResent-Message-ID: i\r\n" FULL "\r\n",
	    "" },
	{ "Resent-From: f\nResent-To: r@x\nResent-From: g\n"
	  "Resent-Date: d\nResent-Message-ID: i\n" FULL "\n",
	    "Resent-From: f\r\nResent-To: r@x\r\nResent-Date: " DATE
	    "\r\nResent-Message-ID: ID\r\nResent-From: g\r\n"
	    "Resent-Date: d\r\nResent-Message-ID: i\r\n" FULL "\r\n",
	    "" },
	{ FULL "Resent-From: f\nResent-Date: d\nResent-Bcc: b@x,\n c@x\n\n",
	    FULL "Resent-From: f\r\nResent-Date: d\r\n"
		 "Resent-Message-ID: ID\r\n\r\n",
	    "" },
	{ FULL "resent-BCC : b@x\nA: b\nResent-Bcc: c@x\n\n",
	    FULL "Resent-From: alice@example.org\r\nResent-Date: " DATE
		 "\r\nResent-Message-ID: ID\r\nA: b\r\n\r\n",
	    "" },
};

START_TEST(a_text_becomes_a_message)
{
	const char *text = texts[_i].text;
	struct outcome outcome;
	char header[2000];

	prepare(&outcome, &submission, text, strlen(text));
	ck_assert_msg(outcome.r == SMTPTLS_OK, "%s", outcome.err.text);
	show_header(&outcome, header, sizeof(header));
	ck_assert_str_eq(header, texts[_i].header);
	ck_assert_str_eq(text + outcome.body_offset, texts[_i].body);
	ck_assert_uint_eq(outcome.recipients.count, 0);
	done(&outcome);
}
END_TEST

START_TEST(a_relay_adds_nothing_but_removes_bcc)
{
	static const char text[] = "Resent-To: r@x\nSubject: s\nBcc: b@x\nbody";
	struct stls_submission relay = { .now = 1 };
	struct outcome outcome;
	char header[2000];

	prepare(&outcome, &relay, text, sizeof(text) - 1);
	ck_assert_ok(outcome.r);
	show_header(&outcome, header, sizeof(header));
	ck_assert_str_eq(header, "Resent-To: r@x\r\nSubject: s\r\n\r\n");
	ck_assert_str_eq(text + outcome.body_offset, "body");
	done(&outcome);
}
END_TEST

START_TEST(a_missing_from_gets_the_full_name)
{
	static const char text[] = "Resent-To: a@x\nDate: d\nMessage-ID: i\n";
	struct stls_submission how = submission;
	struct outcome outcome;
	char header[2000];

	how.full_name = "\"Reminder Service\"";
	prepare(&outcome, &how, text, sizeof(text) - 1);
	ck_assert_ok(outcome.r);
	show_header(&outcome, header, sizeof(header));
	ck_assert_str_eq(header,
	    "Resent-To: a@x\r\n"
	    "Resent-From: \"Reminder Service\" <alice@example.org>\r\n"
	    "Resent-Date: " DATE "\r\nResent-Message-ID: ID\r\n"
	    "Date: d\r\nMessage-ID: i\r\n"
	    "From: \"Reminder Service\" <alice@example.org>\r\n\r\n");
	done(&outcome);
}
END_TEST

/* What has no other Date and Message-ID gets none of them here. */
#define REST "Date: d\r\nMessage-ID: <i@x>\r\n"

static const struct {
	const char *text, *header;
} names[] = {
	{ "From: root\nSender: a\nReply-To: b\nTo: c\nCc: d, E <e>\nBcc: f\n",
	    "From: root@host.example\r\nSender: a@host.example\r\n"
	    "Reply-To: b@host.example\r\nTo: c@host.example\r\n"
	    "Cc: d@host.example, E <e@host.example>\r\n" },
	{ "Resent-From: root\nResent-Sender: a\nResent-Reply-To: b\n"
	  "Resent-To: c\nResent-Cc: d\nResent-Bcc: e\nResent-Date: d\n"
	  "Resent-Message-ID: i\nResent-To: f\nFrom: g\n",
	    "Resent-From: root@host.example\r\n"
	    "Resent-Sender: a@host.example\r\n"
	    "Resent-Reply-To: b@host.example\r\n"
	    "Resent-To: c@host.example\r\nResent-Cc: d@host.example\r\n"
	    "Resent-Date: d\r\nResent-Message-ID: i\r\n"
	    "Resent-To: f@host.example\r\nFrom: g@host.example\r\n" },
	{ "FROM\t: root\nto:root\nTo:\n root\n",
	    "FROM\t: root@host.example\r\nto:root@host.example\r\n"
	    "To:\r\n root@host.example\r\n" },
	{ "From: root (Cron Daemon)\nTo: a,\n\tb (c\r\n d)\r\n",
	    "From: root@host.example (Cron Daemon)\r\n"
	    "To: a@host.example,\r\n\tb@host.example (c\r\n d)\r\n" },
	/* Several of one kind, and what cannot be parsed among them. */
	{ "From: root\nTo: root@\nTo: Cron Daemon\nTo: a\n",
	    "From: root@host.example\r\nTo: root@\r\nTo: Cron Daemon\r\n"
	    "To: a@host.example\r\n" },
	{ "From: root\nTo: a\rBcc: b\n",
	    "From: root@host.example\r\nTo: a Bcc: b\r\n" },
	{ "From: a@x\nTo: b@Y, \"root\" <c@z>\n",
	    "From: a@x\r\nTo: b@Y, \"root\" <c@z>\r\n" },
	/* Other fields have no addresses of ours. */
	{ "From: a@x\nReturn-Path: root\nErrors-To: root\nX-To: root\n"
	  "Disposition-Notification-To: root\nSubject: root\nComments: root\n",
	    "From: a@x\r\nReturn-Path: root\r\nErrors-To: root\r\n"
	    "X-To: root\r\nDisposition-Notification-To: root\r\n"
	    "Subject: root\r\nComments: root\r\n" },
};

START_TEST(bare_names_in_the_header_get_a_domain)
{
	struct stls_submission how = submission;
	struct outcome outcome;
	char text[2000], header[2000], wanted[2000];

	how.header_domain = "host.example";
	snprintf(text, sizeof(text), "%s" REST "\nbody", names[_i].text);
	snprintf(wanted, sizeof(wanted), "%s" REST "\r\n", names[_i].header);
	prepare(&outcome, &how, text, strlen(text));
	ck_assert_msg(outcome.r == SMTPTLS_OK, "%s", outcome.err.text);
	show_header(&outcome, header, sizeof(header));
	ck_assert_str_eq(header, wanted);
	ck_assert_str_eq(text + outcome.body_offset, "body");
	done(&outcome);
}
END_TEST

START_TEST(bare_names_stay_where_nothing_is_added)
{
	static const char text[] = "From: root\r\nTo: a\r\n" REST "\r\n";
	struct stls_submission how = submission;
	struct outcome outcome;
	char header[2000];
	int i;

	for (i = 0; i < 2; i++) {
		how.add_missing = i == 0;
		how.header_domain = i == 0 ? NULL : "host.example";
		prepare(&outcome, &how, text, sizeof(text) - 1);
		ck_assert_ok(outcome.r);
		show_header(&outcome, header, sizeof(header));
		ck_assert_str_eq(header, text);
		done(&outcome);
	}
}
END_TEST

START_TEST(recipients_and_header_have_each_a_domain)
{
	static const char text[] = "To: root, A <a>\nBcc: b\nFrom: c\n" REST;
	struct stls_submission how = submission;
	struct outcome outcome;
	char shown[2000];

	how.extract_recipients = true;
	how.header_domain = "host.example";
	prepare(&outcome, &how, text, sizeof(text) - 1);
	ck_assert_ok(outcome.r);
	show_recipients(&outcome, shown, sizeof(shown));
	ck_assert_str_eq(
	    shown, "root@added.example a@added.example b@added.example");
	show_header(&outcome, shown, sizeof(shown));
	ck_assert_str_eq(shown,
	    "To: root@host.example, A <a@host.example>\r\n"
	    "From: c@host.example\r\n" REST "\r\n");
	done(&outcome);
}
END_TEST

START_TEST(a_from_that_is_kept_aside_keeps_its_name)
{
	static const char text[] = "From: root\nSender: a\n" REST;
	struct stls_submission how = submission;
	struct outcome outcome;
	char header[2000];

	how.header_domain = "host.example";
	how.replace_from = how.keep_original_from = true;
	prepare(&outcome, &how, text, sizeof(text) - 1);
	ck_assert_ok(outcome.r);
	show_header(&outcome, header, sizeof(header));
	ck_assert_str_eq(header,
	    "X-Original-From: root\r\nSender: a@host.example\r\n" REST
	    "From: alice@example.org\r\n\r\n");
	done(&outcome);
}
END_TEST

static const struct {
	const char *text, *recipients;
} extracts[] = {
	{ "", "" },
	{ "hello\nTo: a@x\n", "" },
	{ "\nTo: a@x\n", "" },
	{ "To: a@x\n\nCc: b@x\n", "a@x" },
	{ "To: a@x, A <a@X>\nCc: b@x\n c@x\nBcc: d@x\n", NULL },
	{ "To: a@x, A <a@X>\nCc: b@x,\n c@x\nBcc: d@x\n", "a@x b@x c@x d@x" },
	{ "Bcc: d@x\nto : a@x\nTo: b@x\nTO: a@x\n", "d@x a@x b@x" },
	{ "bcc\t: a@x\nBcc: b@x,\n\tc@x\n", "a@x b@x c@x" },
	{ "To: undisclosed-recipients:;\nBcc: b@x\n", "b@x" },
	{ "To: root\nCc: Group: alice, b@x;\n",
	    "root@added.example alice@added.example b@x" },
	{ "From: f@x\nSender: s@x\nReply-To: r@x\nTo:\nX-To: x@x\n", "" },
	{ "From a@x\nReturn-Path: <r@x>\nTo: a@x\n", "a@x" },
	/* Resent: the newest block alone. */
	{ "To: a@x\nResent-To: r@x\nCc: b@x\n", "r@x" },
	{ "Resent-To: r@x\nResent-Cc: s@x\nResent-Bcc : t@x,\n u@x\nTo: a@x\n",
	    "r@x s@x t@x u@x" },
	{ "Resent-To: r@x\nReceived: r\nResent-To: s@x\nTo: a@x\n", "r@x" },
	{ "Resent-From: f@x\nResent-To: r@x\nResent-From: g@x\n"
	  "Resent-To: s@x\n",
	    "r@x" },
	{ "Resent-From: f@x\nTo: a@x\n", "" },
	{ "To: a@x\nResent-Sender: f@x\n", "" },
};

START_TEST(recipients_are_read_from_the_header)
{
	struct stls_submission how = submission;
	struct outcome outcome;
	char recipients[1000];

	how.extract_recipients = true;
	prepare(&outcome, &how, extracts[_i].text, strlen(extracts[_i].text));
	if (extracts[_i].recipients == NULL) {
		ck_assert_int_eq(outcome.r, SMTPTLS_E_INVALID);
		ck_assert_str_eq(
		    outcome.err.text, "Cc: a comma is missing before \"c@x\"");
	} else {
		ck_assert_msg(outcome.r == SMTPTLS_OK, "%s", outcome.err.text);
		show_recipients(&outcome, recipients, sizeof(recipients));
		ck_assert_str_eq(recipients, extracts[_i].recipients);
	}
	done(&outcome);
}
END_TEST

START_TEST(they_are_added_to_those_that_are_there)
{
	static const char text[] = "To: b@x, a@x\n";
	struct stls_submission how = submission;
	struct stls_address address;
	struct outcome outcome;
	char recipients[1000];

	how.extract_recipients = true;
	prepare(&outcome, &submission, "", 0);
	ck_assert_ok(
	    stls_address_parse(&outcome.err, "a@X", 3, false, &address));
	ck_assert_ok(
	    stls_address_list_add(&outcome.err, &outcome.recipients, &address));
	ck_assert_ok(
	    stls_submission_prepare(&outcome.err, &how, text, sizeof(text) - 1,
		&outcome.header, &outcome.body_offset, &outcome.recipients));
	show_recipients(&outcome, recipients, sizeof(recipients));
	ck_assert_str_eq(recipients, "a@x b@x");
	done(&outcome);
}
END_TEST

static const struct {
	struct stls_submission how;
	const char *text;
	size_t len;
	int code;
	const char *why;
} refused[] = {
	{ { .extract_recipients = true }, "To: root\n", 9, SMTPTLS_E_INVALID,
	    "To: address \"root\" has no domain, and there is none to add" },
	{ { .extract_recipients = true }, "bcc : a b@x\n", 12,
	    SMTPTLS_E_INVALID,
	    "bcc: address \"a b@x\" has a blank in its local part" },
	{ { .now = 0 }, "Subject: a\0b\n", 13, SMTPTLS_E_INVALID,
	    "the field Subject of the header has a NUL" },
	{ { .now = 0 }, "Bcc: a\0b\n\n", 10, SMTPTLS_E_INVALID,
	    "the field Bcc of the header has a NUL" },
	{ { .now = 0 }, "A: b\n \0\n\n", 9, SMTPTLS_E_INVALID,
	    "the field A of the header has a NUL" },
	{ { .add_missing = true, .host = "x" }, "a\n", 2, SMTPTLS_E_INVALID,
	    "the message has no From, and there is no address for one" },
	{ { .add_missing = true, .host = "x", .from = "" }, "a\n", 2,
	    SMTPTLS_E_INVALID, "address is empty" },
	{ { .add_missing = true, .host = "x", .from = "a@x\r\nBcc: b@x" },
	    "a\n", 2, SMTPTLS_E_INVALID,
	    "address \"a@x\\x0d\\x0aBcc: b@x\" has a control character" },
	{ { .add_missing = true,
	      .host = "x",
	      .from = "a@x",
	      .full_name = "A\r\nBcc: b@x" },
	    "a\n", 2, SMTPTLS_E_INVALID,
	    "full name \"A\\x0d\\x0aBcc: b@x\" has a control character" },
	{ { .add_missing = true, .from = "a@x" }, "a\n", 2, SMTPTLS_E_INVALID,
	    "there is no host name for a Message-ID" },
	{ { .add_missing = true, .from = "a@x", .host = "x>\r\nBcc: b@x" },
	    "a\n", 2, SMTPTLS_E_INVALID, "address \"0." },
};

START_TEST(what_cannot_be_sent_is_refused_and_leaves_the_header_alone)
{
	struct outcome outcome;

	prepare(&outcome, &submission, "", 0);
	stls_buf_clear(&outcome.header);
	ck_assert_ok(stls_buf_append(&outcome.header, "before", 6));
	outcome.body_offset = 12345;
	ck_assert_int_eq(stls_submission_prepare(&outcome.err, &refused[_i].how,
			     refused[_i].text, refused[_i].len, &outcome.header,
			     &outcome.body_offset, &outcome.recipients),
	    refused[_i].code);
	ck_assert_msg(strncmp(outcome.err.text, refused[_i].why,
			  strlen(refused[_i].why)) == 0,
	    "%s", outcome.err.text);
	ck_assert_uint_eq(stls_buf_len(&outcome.header), 6);
	ck_assert_uint_eq(outcome.body_offset, 12345);
	done(&outcome);
}
END_TEST

START_TEST(a_nul_in_the_body_is_not_the_business_of_the_header)
{
	struct outcome outcome;

	prepare(&outcome, &submission, "A: b\n\na\0b", 9);
	ck_assert_ok(outcome.r);
	ck_assert_uint_eq(outcome.body_offset, 6);
	done(&outcome);
}
END_TEST

START_TEST(a_header_that_does_not_fit_is_refused)
{
	static const char text[] = FULL "To: a, b\n\n";
	struct stls_address_list recipients = { .count = 0 };
	struct stls_submission how = submission;
	struct stls_err err;
	struct stls_buf buf;
	size_t max, offset, needed = sizeof(FULL "To: a@z, b@z\r\n\r\n") - 1;

	how.header_domain = "z";

	for (max = 0; max < needed; max++) {
		stls_buf_init(&buf, max);
		ck_assert_int_eq(
		    stls_submission_prepare(&err, &how, text, sizeof(text) - 1,
			&buf, &offset, &recipients),
		    SMTPTLS_E_LIMIT);
		ck_assert_str_eq(err.text, "the header is too long");
		ck_assert_uint_eq(stls_buf_len(&buf), 0);
		stls_buf_done(&buf);
	}
	stls_buf_init(&buf, needed);
	ck_assert_ok(stls_submission_prepare(
	    &err, &how, text, sizeof(text) - 1, &buf, &offset, &recipients));
	stls_buf_done(&buf);
}
END_TEST

/* CRLF is the only line end, it ends with the first empty line, no Bcc. */
static void
check_header(const struct outcome *outcome)
{
	const char *header = (const char *)stls_buf_data(&outcome->header);
	size_t len = stls_buf_len(&outcome->header), offset = 0, i;
	struct stls_header_field field;

	for (i = 0; i < len; i++) {
		ck_assert_int_ne(header[i], '\0');
		if (header[i] == '\n')
			ck_assert(i > 0 && header[i - 1] == '\r');
		if (header[i] == '\r')
			ck_assert(i + 1 < len && header[i + 1] == '\n');
	}
	while (stls_header_next(header, len, &offset, &field)) {
		ck_assert(!stls_header_field_is(&field, "Bcc"));
		ck_assert(!stls_header_field_is(&field, "Resent-Bcc"));
	}
	ck_assert_uint_eq(len - offset, 2);
	ck_assert_mem_eq(header + offset, "\r\n", 2);
}

START_TEST(no_text_at_all_makes_bcc_leave_or_a_bare_line_end)
{
	static const char *const parts[] = { "Bcc:", "bcc :", "Resent-Bcc:",
		"Resent-To:", "Resent-From: f", "To:", "From ",
		"From:", "A:", " ", "\t", "\n", "\n", "\r\n", "\r", "\r\r\n",
		"x", "b@x", ">From x\n", "Return-Path: r\n", "12:00", "\xff",
		",", "Bcc", ":" };
	struct stls_submission how = submission;
	struct outcome outcome;
	int round, rounds = (int)test_rounds(10000), n, understood = 0;
	char text[200];

	srand(4);
	for (round = 0; round < rounds; round++) {
		text[0] = '\0';
		for (n = rand() % 12; n > 0; n--)
			strcat(text, parts[rand() % (int)COUNT(parts)]);
		how.add_missing = round % 2 == 0;
		how.extract_recipients = round % 3 == 0;
		prepare(&outcome, &how, text, strlen(text));
		if (outcome.r == SMTPTLS_OK) {
			understood++;
			check_header(&outcome);
			ck_assert_uint_le(outcome.body_offset, strlen(text));
		} else {
			ck_assert_int_eq(outcome.r, SMTPTLS_E_INVALID);
			ck_assert(how.extract_recipients);
			ck_assert_uint_eq(stls_buf_len(&outcome.header), 0);
		}
		done(&outcome);
	}
	ck_assert_int_gt(understood, rounds * 6 / 10);
}
END_TEST

START_TEST(what_was_prepared_once_stays_as_it_is)
{
	struct stls_submission how = submission;
	struct outcome first, second;

	how.full_name = "J\xc3\xbcrgen";
	prepare(&first, &how, texts[_i].text, strlen(texts[_i].text));
	ck_assert_ok(first.r);
	prepare(&second, &how, (const char *)stls_buf_data(&first.header),
	    stls_buf_len(&first.header));
	ck_assert_ok(second.r);
	ck_assert_uint_eq(second.body_offset, stls_buf_len(&first.header));
	ck_assert_uint_eq(
	    stls_buf_len(&second.header), stls_buf_len(&first.header));
	ck_assert_mem_eq(stls_buf_data(&second.header),
	    stls_buf_data(&first.header), stls_buf_len(&first.header));
	done(&first);
	done(&second);
}
END_TEST

START_TEST(a_big_header_is_read_in_linear_time)
{
	static const char *const units[] = { "Bcc: a@x\n", "From \n",
		"Return-Path: x\n", "Resent-To: a@x\n", " x\n", "A:\n \n",
		"To: a@x,\n", "To: a\n", "\r", "A",
		"From x\nReturn-Path: x\n x\n" };
	size_t len = test_rounds(1000000), unit = strlen(units[_i]), i;
	struct stls_submission how = submission;
	struct stls_buf header;
	struct stls_address_list recipients = { .count = 0 };
	struct stls_err err;
	char *text = malloc(len);

	ck_assert_ptr_nonnull(text);
	for (i = 0; i < len; i++)
		text[i] = units[_i][i % unit];
	how.extract_recipients = true;
	how.header_domain = "y";
	stls_buf_init(&header, 4 * len);
	i = len + 1;
	ck_assert_ok(stls_submission_prepare(
	    &err, &how, text, len, &header, &i, &recipients));
	ck_assert_uint_le(i, len);
	ck_assert_uint_le(recipients.count, 1);
	stls_buf_done(&header);
	stls_address_list_done(&recipients);
	free(text);
}
END_TEST

START_TEST(lack_of_memory_is_told)
{
	static const char text[] = "To: a@x, B <b>\nBcc: c@x\nResent-To: d@x\n"
				   "\nbody";
	struct stls_submission how = submission;
	struct outcome outcome;
	unsigned long n;

	how.extract_recipients = true;
	how.full_name = "J\xc3\xbcrgen";
	how.header_domain = "y";
	for (n = 1; n < 200; n++) {
		stls_alloc_fail_at(n);
		prepare(&outcome, &how, text, sizeof(text) - 1);
		if (!stls_alloc_has_failed())
			break;
		ck_assert_int_eq(outcome.r, SMTPTLS_E_NOMEM);
		ck_assert_uint_eq(stls_buf_len(&outcome.header), 0);
		done(&outcome);
	}
	stls_alloc_fail_at(0);
	ck_assert_ok(outcome.r);
	ck_assert_uint_gt(n, 8);
	done(&outcome);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("submission");
	TCase *tc = tcase_create("submission");

	if (setenv("TZ", "UTC0", 1) < 0)
		return EXIT_FAILURE;
	tzset();
	tcase_add_loop_test(tc, a_text_becomes_a_message, 0, COUNT(texts));
	tcase_add_test(tc, a_relay_adds_nothing_but_removes_bcc);
	tcase_add_test(tc, a_missing_from_gets_the_full_name);
	tcase_add_loop_test(
	    tc, bare_names_in_the_header_get_a_domain, 0, COUNT(names));
	tcase_add_test(tc, bare_names_stay_where_nothing_is_added);
	tcase_add_test(tc, recipients_and_header_have_each_a_domain);
	tcase_add_test(tc, a_from_that_is_kept_aside_keeps_its_name);
	tcase_add_loop_test(
	    tc, recipients_are_read_from_the_header, 0, COUNT(extracts));
	tcase_add_test(tc, they_are_added_to_those_that_are_there);
	tcase_add_loop_test(tc,
	    what_cannot_be_sent_is_refused_and_leaves_the_header_alone, 0,
	    COUNT(refused));
	tcase_add_test(tc, a_nul_in_the_body_is_not_the_business_of_the_header);
	tcase_add_test(tc, a_header_that_does_not_fit_is_refused);
	tcase_add_test(tc, no_text_at_all_makes_bcc_leave_or_a_bare_line_end);
	tcase_add_loop_test(
	    tc, what_was_prepared_once_stays_as_it_is, 0, COUNT(texts));
	tcase_add_loop_test(tc, a_big_header_is_read_in_linear_time, 0, 11);
	tcase_add_test(tc, lack_of_memory_is_told);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
