/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/server.h"

#define OUT_MAX 100000

/* What a driver sees of a conversation. */
struct seen {
	char replies[OUT_MAX]; /* `354|` and so on, codes of last lines alone */
	char all[OUT_MAX];     /* every octet of the replies */
	size_t all_len;
	char mails[OUT_MAX]; /* `sender>recipient,recipient:content` */
	bool is_closed;
	bool is_unfinished;
};

static void
take_output(struct smtp_server *server, struct seen *seen)
{
	const char *data = (const char *)stls_buf_data(&server->out);
	size_t len = stls_buf_len(&server->out);

	ck_assert_uint_lt(seen->all_len + len, OUT_MAX);
	memcpy(seen->all + seen->all_len, data, len);
	seen->all_len += len;
	stls_buf_consume(&server->out, len);
}

static void
begin_mail(const struct smtp_server *server, struct seen *seen)
{
	size_t i;

	strcat(seen->mails, server->sender);
	for (i = 0; i < server->recipients.count; i++) {
		strcat(seen->mails, i == 0 ? ">" : ",");
		strcat(seen->mails, server->recipients.items[i].mailbox);
	}
	strcat(seen->mails, server->smtputf8 ? "(utf8):" : ":");
}

static void
handle(
    struct smtp_server *server, enum smtp_server_event event, struct seen *seen)
{
	switch (event) {
	case SMTP_SERVER_BEGINS:
		begin_mail(server, seen);
		break;
	case SMTP_SERVER_TEXT:
		strncat(seen->mails, server->text, server->text_len);
		break;
	case SMTP_SERVER_COMPLETE:
		strcat(seen->mails, "|");
		smtp_server_answer(server, 250, "2.0.0", "delivered");
		break;
	case SMTP_SERVER_CLOSED:
		seen->is_closed = true;
		break;
	case SMTP_SERVER_WANTS_INPUT:
		break;
	}
}

/* The codes of the replies, which are well formed. */
static void
note_codes(struct seen *seen)
{
	const char *line = seen->all, *end;
	char code[] = "000 ";

	seen->all[seen->all_len] = '\0';
	for (; *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		ck_assert_ptr_nonnull(end);
		ck_assert_int_ge(end - line, 4);
		ck_assert_int_le(end - line, 510);
		ck_assert_ptr_null(memchr(line, '\n', (size_t)(end - line)));
		ck_assert(line[3] == ' ' || line[3] == '-');
		if (line[3] == ' ') {
			memcpy(code, line, 3);
			strcat(seen->replies, code);
		}
	}
}

static void
converse(struct seen *seen, const char *domain, const char *text, size_t len,
    size_t piece)
{
	struct smtp_server server;
	enum smtp_server_event event;
	size_t n, used;

	/* All of it would take longer than all the rest. */
	seen->replies[0] = seen->mails[0] = '\0';
	seen->all_len = 0;
	seen->is_closed = false;
	smtp_server_init(&server, "mx.example.org");
	server.sender_domain = server.recipient_domain = domain;
	take_output(&server, seen);
	while (len > 0) {
		n = len < piece ? len : piece;
		while (n > 0) {
			event = smtp_server_next(&server, text, n, &used);
			ck_assert_uint_le(used, n);
			take_output(&server, seen);
			handle(&server, event, seen);
			take_output(&server, seen);
			text += used;
			len -= used;
			n -= used;
		}
	}
	seen->is_unfinished = smtp_server_is_in_transaction(&server);
	smtp_server_done(&server);
	note_codes(seen);
}

#define M "MAIL FROM:<a@x.example>\r\n"
#define R "RCPT TO:<b@x.example>\r\n"
#define START "220 "
#define MR "250 250 "
#define AB "a@x.example>b@x.example:"

/* What is said, the codes of the replies, the mails that come of it. */
static const struct {
	const char *said, *replies, *mails;
} talks[] = {
	{ "", START, "" },
	/* As Symfony Mailer, alpine and nmh do it. */
	{ "EHLO [127.0.0.1]\r\n" M R "DATA\r\nA: b\r\n\r\n..c\r\n.\r\nQUIT\r\n",
	    START "250 " MR "354 250 221 ", AB "A: b\r\n\r\n.c\r\n|" },
	{ "EHLO me\r\nRSET\r\n" M R "DATA\r\nx\r\n.\r\nQUIT\r\n",
	    START "250 250 " MR "354 250 221 ", AB "x\r\n|" },
	{ "HELO me\r\n" M R "DATA\r\n.\r\n" M R "DATA\r\n\r\n.\r\n",
	    START "250 " MR "354 250 " MR "354 250 ", AB "|" AB "\r\n|" },
	{ "NOOP\r\nNOOP x\r\nnoop \r\nHELP\r\nVRFY x\r\nRSET\r\nquit\r\n",
	    START "250 250 250 214 252 250 221 ", "" },
	{ "VERB ON\r\nONEX\r\nXUSR\r\nSTARTTLS\r\nAUTH PLAIN\r\nBDAT 1\r\n"
	  "EXPN x\r\nETRN x\r\nTURN\r\n\r\n \r\n",
	    START "500 500 500 500 500 500 500 500 500 500 500 ", "" },
	/* A greeting is polite, and not asked for. */
	{ M R "DATA\r\nx\r\n.\r\n", START MR "354 250 ", AB "x\r\n|" },
	{ "EHLO\r\nHELO\r\nVRFY\r\nDATA x\r\n", START "501 501 501 501 ", "" },
	/* Verbs and words in any case, blanks where clients put them. */
	{ "ehlo x\r\nmail from: <a@x.example> \r\nRcpt to:\t<b@x.example>\r\n"
	  "data \r\nx\r\n.\r\n",
	    START "250 " MR "354 250 ", AB "x\r\n|" },
	/* Paths. */
	{ "MAIL FROM:<>\r\n" R "DATA\r\n.\r\n", START MR "354 250 ",
	    ">b@x.example:|" },
	{ "MAIL FROM:<\"a>b\"@x.example>\r\n" R "DATA\r\n.\r\n",
	    START MR "354 250 ", "\"a>b\"@x.example>b@x.example:|" },
	{ "MAIL FROM:<\"a\\\"> b\"@x.example>\r\n" R "DATA\r\n.\r\n",
	    START MR "354 250 ", "\"a\\\"> b\"@x.example>b@x.example:|" },
	{ M "RCPT TO:<@y,@z:b@X.EXAMPLE>\r\n" R "DATA\r\n.\r\n",
	    START "250 250 250 354 250 ", AB "|" },
	{ M "RCPT TO:<bob>\r\nDATA\r\n.\r\n", START MR "354 250 ",
	    "a@x.example>bob@added.example:|" },
	{ "MAIL FROM:a@x.example\r\n", START "553 ", "" },
	{ "MAIL FROM:<a@x.example\r\n", START "553 ", "" },
	{ "MAIL FROM:<a@x.example>b\r\n", START "553 ", "" },
	{ "MAIL FROM:<a b@x.example>\r\n", START "553 ", "" },
	{ "MAIL FROM:<a@x.example\x7f>\r\n", START "553 ", "" },
	{ "MAIL FROM:<@x>\r\n", START "553 ", "" },
	{ "MAIL FROM:\r\n", START "553 ", "" },
	{ "MAIL\r\nMAIL a@x\r\nRCPT\r\n", START "501 501 501 ", "" },
	{ "MAIL FROM:<\xfc@x.example>\r\n", START "553 ", "" },
	{ "MAIL FROM:<\xc3\xbc@x.example> SMTPUTF8\r\n" R "DATA\r\n.\r\n",
	    START MR "354 250 ", "\xc3\xbc@x.example>b@x.example(utf8):|" },
	{ M "RCPT TO:<b@B\xc3\xbc"
	    "cher.example>\r\nDATA\r\n.\r\n",
	    START MR "354 250 ", "a@x.example>b@xn--bcher-kva.example:|" },
	/* Parameters. */
	{ "MAIL FROM:<a@x.example> SIZE=10 body=8bitmime  SMTPUTF8\r\n" R
	  "DATA\r\n.\r\n",
	    START MR "354 250 ", "a@x.example>b@x.example(utf8):|" },
	{ "MAIL FROM:<a@x.example> BODY=7BIT\r\n", START "250 ", "" },
	{ "MAIL FROM:<a@x.example> SIZE=\r\n", START "555 ", "" },
	{ "MAIL FROM:<a@x.example> SIZE=1x\r\n", START "555 ", "" },
	{ "MAIL FROM:<a@x.example> BODY=BINARYMIME\r\n", START "555 ", "" },
	{ "MAIL FROM:<a@x.example> SMTPUTF8=1\r\n", START "555 ", "" },
	{ "MAIL FROM:<a@x.example> RET=HDRS\r\nRSET\r\n", START "555 250 ",
	    "" },
	{ M "RCPT TO:<b@x.example> NOTIFY=NEVER\r\n", START "250 555 ", "" },
	{ M "RCPT TO:<>\r\n", START "250 501 ", "" },
	/* One after the other. */
	{ R, START "503 ", "" },
	{ M M, START "250 503 ", "" },
	{ M R "MAIL FROM:<z@x.example>\r\nDATA\r\n.\r\n",
	    START MR "503 354 250 ", AB "|" },
	{ M R "RSET\r\n" R, START MR "250 503 ", "" },
	{ M R "EHLO x\r\n" R, START MR "250 503 ", "" },
	{ M "RCPT TO:<b@>\r\n" R "DATA\r\n.\r\n", START "250 553 250 354 250 ",
	    AB "|" },
	{ M R R "RCPT TO:<c@x.example>\r\nDATA\r\n.\r\n",
	    START MR "250 250 354 250 ",
	    "a@x.example>b@x.example,c@x.example:|" },
	{ "QUIT\r\n" M, START "221 ", "" },
	/* Dots. */
	{ M R "DATA\r\n..\r\n...\r\n.a\r\n. \r\n.\r\n", START MR "354 250 ",
	    AB ".\r\n..\r\na\r\n \r\n|" },
	{ M R "DATA\r\na.\r\n.\r\n", START MR "354 250 ", AB "a.\r\n|" },
	{ M R "DATA\r\na\r\n.\r\n.\r\nNOOP\r\n", START MR "354 250 500 250 ",
	    AB "a\r\n|" },
};

START_TEST(a_conversation_is_answered_however_it_comes)
{
	static struct seen seen;
	const char *said = talks[_i].said;
	size_t len = strlen(said), piece;

	for (piece = 1; piece <= len + 1; piece += test_step()) {
		converse(&seen, "added.example", said, len, piece);
		ck_assert_str_eq(seen.replies, talks[_i].replies);
		ck_assert_str_eq(seen.mails, talks[_i].mails);
	}
}
END_TEST

/* A way to hide a second mail in the first, or in what is none. */
static const struct {
	const char *said;
	size_t len;
	const char *last; /* the last code */
} attacks[] = {
#define ATTACK(text, last)                                                     \
	{                                                                      \
		M R "DATA\r\n" text, sizeof(M R "DATA\r\n" text) - 1, last     \
	}
	ATTACK("x\n.\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\n.\r\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\r\n.\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\r\n.\r" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\r.\r" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\r.\r\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\r\n.\r\r\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\r\r\n.\r\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("x\n\n.\n\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("\n.\r\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK(".\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK(".\r.\r\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
	ATTACK("\r\r\n" M R "DATA\r\nevil\r\n.\r\n", "554 "),
};

START_TEST(nothing_is_hidden_behind_a_line_end_that_is_none)
{
	static struct seen seen;
	size_t piece;

	for (piece = 1; piece <= attacks[_i].len; piece += test_step()) {
		converse(&seen, NULL, attacks[_i].said, attacks[_i].len, piece);
		ck_assert(seen.is_closed);
		/* Only the first mail was begun, and none was completed. */
		ck_assert_ptr_null(strchr(seen.mails, '|'));
		ck_assert_ptr_null(strstr(seen.mails, "evil"));
		ck_assert_str_eq(
		    seen.replies + strlen(seen.replies) - 4, attacks[_i].last);
	}
}
END_TEST

START_TEST(content_behind_a_data_that_was_refused_is_not_obeyed)
{
	static const char *const said[] = {
		M "DATA\r\n" R "DATA\r\nevil\r\n.\r\n",
		"DATA\r\n" M R "DATA\r\nevil\r\n.\r\n",
		M "RCPT TO:<b>\r\nDATA\r\nRCPT TO:<e@vil.example>\r\n"
		  "DATA\r\nevil\r\n.\r\n",
	};
	static struct seen seen;

	converse(&seen, NULL, said[_i], strlen(said[_i]), 1000);
	ck_assert(seen.is_closed);
	ck_assert_str_eq(seen.mails, "");
	ck_assert_str_eq(seen.replies + strlen(seen.replies) - 4, "421 ");
}
END_TEST

/* Its first octets come when the refusal has been read. */
START_TEST(what_is_no_command_behind_a_refused_data_ends_it)
{
	static const char evil[] = "RSET\r\n" M R "DATA\r\nevil\r\n.\r\n";
	static const char *const datas[] = { M "DATA\r\n", "DATA\r\n",
		"DATA x\r\n", M R "data\n", M R "DATA \r\r\n" };
	static const char *const firsts[] = { "Subject: x\r\n", "\r\n", ".\r\n",
		"..\r\n", " RSET\r\n", "RSET\n", "QUIT:\r\n", "\xff\r\n",
		"VERB ON\r\n", "NOOP\r\nRSET\r\nx\r\n" };
	static struct seen seen;
	char said[1000];
	size_t i, len, piece;

	for (i = 0; i < COUNT(firsts); i++) {
		len = (size_t)snprintf(
		    said, sizeof(said), "%s%s%s", datas[_i], firsts[i], evil);
		for (piece = 1; piece <= len; piece += test_step()) {
			converse(&seen, NULL, said, len, piece);
			ck_assert(seen.is_closed);
			ck_assert_str_eq(seen.mails, "");
			ck_assert_str_eq(
			    seen.replies + strlen(seen.replies) - 4, "421 ");
		}
	}
}
END_TEST

START_TEST(a_line_that_is_too_long_behind_a_refused_data_ends_it)
{
	static const char evil[] = "\r\n" M R "DATA\r\nevil\r\n.\r\n";
	static struct seen seen;
	char said[SMTP_SERVER_LINE_MAX + 200] = "DATA\r\n";

	memset(said + 6, 'x', SMTP_SERVER_LINE_MAX);
	strcat(said, evil);
	converse(&seen, NULL, said, strlen(said), 1);
	ck_assert(seen.is_closed);
	ck_assert_str_eq(seen.replies, START "503 421 ");
}
END_TEST

static size_t calls;

static bool
count_more(void)
{
	calls++;
	return true;
}

/* The driver says that it is there, although it was not given yet. */
START_TEST(what_can_be_read_behind_a_refused_data_counts)
{
	static const char good[] = M R "DATA\r\nx\r\n.\r\n";
	struct smtp_server server;
	size_t used;

	smtp_server_init(&server, "x");
	server.has_more = count_more;
	ck_assert_int_eq(
	    smtp_server_next(&server, good, sizeof(good) - 1, &used),
	    SMTP_SERVER_BEGINS);
	ck_assert_uint_eq(calls, 0);
	smtp_server_done(&server);

	smtp_server_init(&server, "x");
	server.has_more = count_more;
	ck_assert_int_eq(smtp_server_next(&server, "DATA\r\n", 6, &used),
	    SMTP_SERVER_CLOSED);
	ck_assert_uint_eq(calls, 1);
	ck_assert(server.was_refused);
	smtp_server_done(&server);
}
END_TEST

/* Its content begins as commands do: who goes on there did not wait before. */
START_TEST(who_does_not_wait_after_a_refused_data_is_not_believed)
{
	static const char refused[] = M "DATA\r\n";
	static const char evil[] = "RSET\r\n" M R "DATA\r\nevil\r\n.\r\n";
	static struct seen seen;
	struct smtp_server server;
	size_t used;

	smtp_server_init(&server, "x");
	ck_assert_int_eq(
	    smtp_server_next(&server, refused, sizeof(refused) - 1, &used),
	    SMTP_SERVER_WANTS_INPUT);
	ck_assert_int_eq(
	    smtp_server_next(&server, evil, sizeof(evil) - 1, &used),
	    SMTP_SERVER_CLOSED);
	seen.all_len = 0;
	seen.replies[0] = '\0';
	take_output(&server, &seen);
	note_codes(&seen);
	ck_assert_str_eq(seen.replies, START "250 554 250 250 250 354 421 ");
	smtp_server_done(&server);
}
END_TEST

START_TEST(a_client_that_waits_may_go_on_after_a_refused_data)
{
	static const struct {
		const char *said, *replies, *mails;
	} ways[] = {
		{ M "DATA\r\n" R "DATA\r\nx\r\n.\r\n",
		    START "250 554 250 354 250 ", AB "x\r\n|" },
		{ M "DATA\r\nRSET\r\n" M R "DATA\r\nx\r\n.\r\n",
		    START "250 554 250 " MR "354 250 ", AB "x\r\n|" },
		{ "DATA\r\nNOOP\r\n" M R "DATA\r\nx\r\n.\r\nQUIT\r\n",
		    START "503 250 " MR "354 250 221 ", AB "x\r\n|" },
		{ "DATA x\r\nEHLO x\r\nHELO x\r\nVRFY x\r\nHELP\r\n",
		    START "501 250 250 252 214 ", "" },
		{ "DATA\r\nDATA\r\nMAIL\r\nRCPT\r\n" M,
		    START "503 503 501 501 250 ", "" },
		{ "DATA\r\nquit\r\n", START "503 221 ", "" },
	};
	static struct seen seen;
	const char *said = ways[_i].said;

	converse(&seen, NULL, said, strlen(said), 1);
	ck_assert_str_eq(seen.replies, ways[_i].replies);
	ck_assert_str_eq(seen.mails, ways[_i].mails);
}
END_TEST

static const struct {
	const char *said;
	size_t len;
	const char *replies;
} lines[] = {
#define LINE(text, replies)                                                    \
	{                                                                      \
		text, sizeof(text) - 1, replies                                \
	}
	LINE("NOOP\n", START "500 "),
	LINE("NOOP\nNOOP\r\n", START "500 250 "),
	LINE("NOOP\r\r\n", START "500 "),
	LINE("NO\rOP\r\n", START "500 "),
	LINE("NOOP\0\r\n", START "500 "),
	LINE("NOOP \0x\r\n", START "500 "),
	LINE("\0\r\n", START "500 "),
	LINE("\xff\xfe\r\n", START "500 "),
	LINE("N\xc3\x96OP\r\n", START "500 "),
	LINE("\n", START "500 "),
};

START_TEST(a_line_that_is_none_is_refused)
{
	static struct seen seen;
	size_t piece;

	for (piece = 1; piece <= lines[_i].len; piece++) {
		converse(&seen, NULL, lines[_i].said, lines[_i].len, piece);
		ck_assert_str_eq(seen.replies, lines[_i].replies);
		ck_assert(!seen.is_closed);
	}
}
END_TEST

START_TEST(a_line_has_a_limit_and_is_refused_once)
{
	static struct seen seen;
	char said[4 * SMTP_SERVER_LINE_MAX];
	size_t lens[] = { SMTP_SERVER_LINE_MAX - 1, SMTP_SERVER_LINE_MAX,
		SMTP_SERVER_LINE_MAX + 1, 3 * SMTP_SERVER_LINE_MAX };
	size_t len = lens[_i], piece;

	memset(said, 'x', len);
	memcpy(said, "NOOP ", 5);
	memcpy(said + len - 2, "\r\n", 2);
	memcpy(said + len, "NOOP\r\n", 6);
	for (piece = 1; piece < 2 * len; piece = piece * 3 + 1) {
		converse(&seen, NULL, said, len + 6, piece);
		ck_assert_str_eq(seen.replies,
		    len < SMTP_SERVER_LINE_MAX ? START "250 250 "
					       : START "500 250 ");
	}
}
END_TEST

START_TEST(too_many_errors_end_the_conversation)
{
	static struct seen seen;
	char said[SMTP_SERVER_ERRORS_MAX * 20] = "";
	int i;

	for (i = 0; i < SMTP_SERVER_ERRORS_MAX - 1; i++)
		strcat(said, "GET / X\r\n");
	strcat(said, "NOOP\r\n");
	converse(&seen, NULL, said, strlen(said), 7);
	ck_assert(!seen.is_closed);
	strcat(said, "Host: x\r\nNOOP\r\n");
	converse(&seen, NULL, said, strlen(said), 7);
	ck_assert(seen.is_closed);
	ck_assert_str_eq(
	    seen.replies + strlen(seen.replies) - 12, "250 500 421 ");
}
END_TEST

START_TEST(a_bare_name_without_a_domain_names_the_setting)
{
	static struct seen seen;

	converse(&seen, NULL, M "RCPT TO:<bob>\r\n", strlen(M) + 15, 100);
	ck_assert_str_eq(seen.replies, START "250 553 ");
	ck_assert_ptr_nonnull(strstr(seen.all, "bob"));
	ck_assert_ptr_nonnull(strstr(seen.all, "--domain"));
}
END_TEST

START_TEST(a_client_that_goes_too_early_is_noticed)
{
	static const struct {
		const char *said;
		bool is_unfinished;
	} ends[] = {
		{ "", false },
		{ "EHLO x\r\n", false },
		{ "EHLO", true },
		{ M, true },
		{ M R "DATA\r\n", true },
		{ M R "DATA\r\nx\r\n", true },
		{ M R "DATA\r\nx\r\n.", true },
		{ M R "DATA\r\nx\r\n.\r", true },
		{ M R "DATA\r\nx\r\n.\r\n", false },
		{ M R "QUIT\r\n", false },
	};
	static struct seen seen;
	size_t i;

	for (i = 0; i < COUNT(ends); i++) {
		converse(&seen, NULL, ends[i].said, strlen(ends[i].said), 5);
		ck_assert_int_eq(seen.is_unfinished, ends[i].is_unfinished);
		ck_assert_int_eq(strchr(seen.mails, '|') != NULL, i == 8);
	}
}
END_TEST

START_TEST(many_commands_at_once_wait_for_their_replies)
{
	static struct seen seen;
	struct smtp_server server;
	char said[6 * 1500];
	size_t i, used, len = sizeof(said), rounds = 0;

	for (i = 0; i < 1500; i++)
		memcpy(said + 6 * i, "NOOP\r\n", 6);
	smtp_server_init(&server, "x");
	for (i = 0; i < len; i += used) {
		smtp_server_next(&server, said + i, len - i, &used);
		ck_assert_uint_gt(used, 0);
		ck_assert_uint_lt(stls_buf_len(&server.out), 20000);
		take_output(&server, &seen);
		rounds++;
	}
	ck_assert_uint_gt(rounds, 1);
	note_codes(&seen);
	ck_assert_uint_eq(strlen(seen.replies), 4 * 1501);
	smtp_server_done(&server);
}
END_TEST

START_TEST(an_answer_is_made_fit_for_a_reply)
{
	static struct seen seen;
	struct smtp_server server;
	static const char said[] = M R "DATA\r\n.\r\n";
	char text[3000];
	size_t used;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "first\nsec\rond \xc3\xbc\x1b\n", 18);
	smtp_server_init(&server, "x");
	ck_assert_int_eq(
	    smtp_server_next(&server, said, sizeof(said) - 1, &used),
	    SMTP_SERVER_BEGINS);
	ck_assert_int_eq(smtp_server_next(&server, said + used,
			     sizeof(said) - 1 - used, &used),
	    SMTP_SERVER_COMPLETE);
	stls_buf_clear(&server.out);
	smtp_server_answer(&server, 554, "5.0.0", text);
	take_output(&server, &seen);
	note_codes(&seen);
	ck_assert_str_eq(seen.replies, "554 ");
	ck_assert_ptr_nonnull(strstr(seen.all,
	    "554-5.0.0 first\r\n554-5.0.0 sec?ond ???\r\n554 5.0.0 xxx"));
	smtp_server_done(&server);
}
END_TEST

/* What conversations are made of. */
static const char *const parts[] = { "EHLO x\r\n", "RSET\r\n", M, R, "DATA\r\n",
	"DATA\r\n", ".\r\n", ".\r\n", "\r\n", "\r", "\n", ".", "x", "..",
	"MAIL FROM:<", "RCPT TO:<", ">", "\"", "\\", "@", " ", "SIZE=1", "\xff",
	"NOOP\r\n", "<>", ":" };

static void
keep_complete(struct seen *seen)
{
	char *end = strrchr(seen->mails, '|');

	seen->mails[end != NULL ? end - seen->mails : 0] = '\0';
}

START_TEST(no_conversation_breaks_it)
{
	static struct seen one, other;
	size_t rounds = test_rounds(1000), round, len, n;
	char said[2000];
	const char *part;
	const char *p;

	srand(7);
	for (round = 0; round < rounds; round++) {
		len = 0;
		for (n = (size_t)rand() % 60; n > 0; n--) {
			part = parts[(size_t)rand() % COUNT(parts)];
			memcpy(said + len, part, strlen(part));
			len += strlen(part);
		}
		converse(&one, "d.example", said, len, 1);
		converse(
		    &other, "d.example", said, len, (size_t)rand() % 20 + 1);
		/* All but what follows a DATA that is refused at once. */
		if (strstr(other.replies, "421") == NULL) {
			ck_assert_str_eq(one.replies, other.replies);
			keep_complete(&one);
			keep_complete(&other);
			ck_assert_str_eq(one.mails, other.mails);
		}
		/* Only CRLF leaves. */
		for (p = one.mails; *p != '\0'; p++) {
			if (*p == '\n')
				ck_assert_int_eq(p[-1], '\r');
		}
	}
}
END_TEST

START_TEST(lack_of_memory_is_answered_or_ends_it)
{
	static const char said[] = M R "DATA\r\nx\r\n.\r\nQUIT\r\n";
	static struct seen seen;
	unsigned long n;
	bool failed;

	for (n = 1;; n++) {
		stls_alloc_fail_at(n);
		converse(&seen, NULL, said, sizeof(said) - 1, 1000);
		failed = stls_alloc_has_failed() != 0;
		stls_alloc_fail_at(0);
		if (!failed)
			break;
	}
	ck_assert_uint_gt(n, 3);
	ck_assert_str_eq(seen.mails, AB "x\r\n|");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("serve-server");
	TCase *tc = tcase_create("serve-server");

	tcase_add_loop_test(
	    tc, a_conversation_is_answered_however_it_comes, 0, COUNT(talks));
	tcase_add_loop_test(tc,
	    nothing_is_hidden_behind_a_line_end_that_is_none, 0,
	    COUNT(attacks));
	tcase_add_loop_test(
	    tc, content_behind_a_data_that_was_refused_is_not_obeyed, 0, 3);
	tcase_add_loop_test(
	    tc, what_is_no_command_behind_a_refused_data_ends_it, 0, 5);
	tcase_add_test(
	    tc, a_line_that_is_too_long_behind_a_refused_data_ends_it);
	tcase_add_test(tc, what_can_be_read_behind_a_refused_data_counts);
	tcase_add_test(
	    tc, who_does_not_wait_after_a_refused_data_is_not_believed);
	tcase_add_loop_test(
	    tc, a_client_that_waits_may_go_on_after_a_refused_data, 0, 6);
	tcase_add_loop_test(
	    tc, a_line_that_is_none_is_refused, 0, COUNT(lines));
	tcase_add_loop_test(tc, a_line_has_a_limit_and_is_refused_once, 0, 4);
	tcase_add_test(tc, too_many_errors_end_the_conversation);
	tcase_add_test(tc, a_bare_name_without_a_domain_names_the_setting);
	tcase_add_test(tc, a_client_that_goes_too_early_is_noticed);
	tcase_add_test(tc, many_commands_at_once_wait_for_their_replies);
	tcase_add_test(tc, an_answer_is_made_fit_for_a_reply);
	tcase_add_test(tc, no_conversation_breaks_it);
	tcase_add_test(tc, lack_of_memory_is_answered_or_ends_it);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
