/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "client/log.h"

static char said[LOG_LINE_LEN_MAX];
static int priority_said;
static int facility_opened;
static char tag_opened[64];

/* In place of those of libc: nothing reaches the log of this machine. */
void
openlog(const char *ident, int option, int facility)
{
	(void)option;
	snprintf(tag_opened, sizeof(tag_opened), "%s", ident);
	facility_opened = facility;
}

void
closelog(void)
{
}

__attribute__((format(printf, 2, 0))) static void
say(int priority, const char *fmt, va_list args)
{
	priority_said = priority;
	vsnprintf(said, sizeof(said), fmt, args);
}

void
syslog(int priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(priority, fmt, args);
	va_end(args);
}

/* What _FORTIFY_SOURCE calls in its place. */
__attribute__((format(printf, 3, 4))) void __syslog_chk(
    int priority, int flag, const char *fmt, ...);

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list args;

	(void)flag;
	va_start(args, fmt);
	say(priority, fmt, args);
	va_end(args);
}

static void
fill(struct mail *mail, struct delivery *delivery)
{
	struct stls_address address = { 0 };
	struct stls_err err = { 0 };

	memset(mail, 0, sizeof(*mail));
	memset(delivery, 0, sizeof(*delivery));
	mail->sender = strdup("a@example.org");
	ck_assert_ok(stls_address_parse(
	    &err, "\"x\\\" y\"@example.org", 19, false, &address));
	ck_assert_ok(stls_address_list_add(&err, &mail->recipients, &address));
	snprintf(delivery->relay, sizeof(delivery->relay), "h[192.0.2.1]:465");
	snprintf(delivery->tls, sizeof(delivery->tls), "TLSv1.3");
	snprintf(delivery->reply, sizeof(delivery->reply), "250 ok");
}

START_TEST(a_line_has_every_fact)
{
	struct delivery delivery;
	char line[LOG_LINE_LEN_MAX];
	struct mail mail;

	fill(&mail, &delivery);
	log_format(line, sizeof(line), &mail, &delivery);
	ck_assert_str_eq(line,
	    "id=\"-\" from=\"a@example.org\" "
	    "to=\"\\\"x\\\\\\\" y\\\"@example.org\" relay=\"h[192.0.2.1]:465\" "
	    "tls=\"TLSv1.3\" outcome=accepted status=0 reply=\"250 ok\"");
	mail_done(&mail);
}
END_TEST

START_TEST(foreign_text_ends_neither_line_nor_value)
{
	struct delivery delivery;
	char line[LOG_LINE_LEN_MAX];
	struct mail mail;

	fill(&mail, &delivery);
	snprintf(delivery.reply, sizeof(delivery.reply),
	    "250 ok\" outcome=failed\n2026 \x1b[2J \\\" \xc2\x85 \xff");
	delivery.status = 75;
	snprintf(delivery.text, sizeof(delivery.text), "a\r\nb");
	log_format(line, sizeof(line), &mail, &delivery);
	ck_assert_ptr_nonnull(strstr(line,
	    "outcome=failed status=75 reply=\"250 ok\\\" "
	    "outcome=failed\\x0a2026 \\x1b[2J \\\\\\\" \\xc2\\x85 \\xff\" "
	    "error=\"a\\x0d\\x0ab\""));
	ck_assert_ptr_null(strpbrk(line, "\r\n\x1b"));
	mail_done(&mail);
}
END_TEST

START_TEST(what_is_stored_has_its_name)
{
	struct delivery delivery;
	char line[LOG_LINE_LEN_MAX];
	struct mail mail;

	fill(&mail, &delivery);
	snprintf(delivery.spool_id, sizeof(delivery.spool_id), "AB12");
	log_format(line, sizeof(line), &mail, &delivery);
	ck_assert_ptr_nonnull(strstr(line, "id=\"AB12\""));
	ck_assert_ptr_nonnull(strstr(line, "outcome=stored"));
	mail_done(&mail);
}
END_TEST

START_TEST(recipients_that_do_not_fit_are_counted)
{
	struct stls_address address = { 0 };
	struct stls_err err = { 0 };
	struct delivery delivery;
	char line[LOG_LINE_LEN_MAX], text[64];
	struct mail mail;
	int i;

	fill(&mail, &delivery);
	for (i = 1; i < 1000; i++) {
		snprintf(text, sizeof(text), "recipient-%d@example.org", i);
		ck_assert_ok(stls_address_parse(
		    &err, text, strlen(text), false, &address));
		ck_assert_ok(
		    stls_address_list_add(&err, &mail.recipients, &address));
	}
	memset(delivery.text, '\x01', sizeof(delivery.text) - 1);
	memset(delivery.reply, '"', sizeof(delivery.reply) - 1);
	log_format(line, sizeof(line), &mail, &delivery);
	ck_assert_ptr_nonnull(strstr(line, " more=9"));
	ck_assert_ptr_nonnull(strstr(line, "tls=\"TLSv1.3\""));
	ck_assert_int_eq(line[strlen(line) - 1], '"');
	mail_done(&mail);
}
END_TEST

START_TEST(syslog_gets_the_line_as_mail)
{
	struct settings settings = { .log = LOG_TO_SYSLOG };
	struct delivery delivery;
	struct mail mail;

	fill(&mail, &delivery);
	log_delivery(&settings, &mail, &delivery);
	ck_assert_int_eq(facility_opened, LOG_MAIL);
	ck_assert_str_eq(tag_opened, "sendmail-tls");
	ck_assert_int_eq(priority_said, LOG_INFO);
	ck_assert_ptr_nonnull(strstr(said, "from=\"a@example.org\""));

	settings.log_tag = "x\ny[1]: id=\"-\"";
	delivery.status = 75;
	snprintf(delivery.reply, sizeof(delivery.reply), "451 %%n%%s");
	log_delivery(&settings, &mail, &delivery);
	ck_assert_str_eq(tag_opened, "x_y_1___id__-_");
	ck_assert_int_eq(priority_said, LOG_ERR);
	ck_assert_ptr_nonnull(strstr(said, "451 %n%s"));
	mail_done(&mail);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_test(tc, a_line_has_every_fact);
	tcase_add_test(tc, foreign_text_ends_neither_line_nor_value);
	tcase_add_test(tc, what_is_stored_has_its_name);
	tcase_add_test(tc, recipients_that_do_not_fit_are_counted);
	tcase_add_test(tc, syslog_gets_the_line_as_mail);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
