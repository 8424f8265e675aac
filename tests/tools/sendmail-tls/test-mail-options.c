/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "message.h"
#include "settings/mail-options.h"

#define ASKED 1795766400 /* 2026-11-27T08:00:00Z */

static const struct {
	struct mail_options options;
	const char *text;
} pairs[] = {
	{ { 0 }, "" },
	{ { .notify = SMTPTLS_NOTIFY_NEVER }, "notify=1" },
	{ { .notify = SMTPTLS_NOTIFY_FAILURE | SMTPTLS_NOTIFY_DELAY,
	      .ret = SMTPTLS_RETURN_HEADERS,
	      .envid = "a b+c=d" },
	    "notify=12 return=2 envid=a+20b+2Bc+3Dd" },
	{ { .require_tls = true, .smtputf8 = true },
	    "require-tls=1 smtputf8=1" },
	{ { .hold_for_s = 999999999, .asked_at = ASKED },
	    "hold-for=999999999 asked-at=1795766400" },
	{ { .hold_until = ASKED }, "hold-until=1795766400" },
	{ { .has_priority = true }, "priority=0" },
	{ { .has_priority = true, .priority = -9 }, "priority=-9" },
	{ { .deliver_by_s = 1, .deliver_by_return = true, .asked_at = ASKED },
	    "deliver-by=1 deliver-by-return=1 asked-at=1795766400" },
	{ { .envid = "123456789 123456789 123456789 123456789 123456789 "
		     "123456789 123456789 123456789" },
	    "envid=123456789+20123456789+20123456789+20123456789+20123456789"
	    "+20123456789+20123456789+20123456789" },
};

START_TEST(what_is_asked_for_is_written_and_read_again)
{
	struct mail_options options = { .priority = 5, .notify = 1 }, again;
	char text[MAIL_OPTIONS_TEXT_CAP], second[MAIL_OPTIONS_TEXT_CAP];
	struct stls_err err;

	mail_options_format(&pairs[_i].options, text);
	ck_assert_str_eq(text, pairs[_i].text);
	ck_assert_int_eq(mail_options_parse(&err, text, &options), 0);
	mail_options_format(&options, second);
	ck_assert_str_eq(second, text);
	ck_assert_str_eq(options.envid, pairs[_i].options.envid);
	ck_assert_int_eq(options.priority, pairs[_i].options.priority);
	again = options;
	ck_assert_str_eq(again.envid, options.envid);
}
END_TEST

static const char *const no_texts[] = { "notify", "notify=", "notify=16",
	"notify=0", "notify=x", "notify=1x", "=1", "priority=10",
	"priority=-10", "hold-for=0", "hold-for=1000000000",
	"hold-for=99999999999999999999", "envid=", "envid=+0A", "envid=a=b",
	"later=1", "notify=1 later=1", "notify=1\nnotify=2", "require-tls=0",
	("envid=1234567890123456789012345678901234567890123456789012345678901"
	 "234567890123456789012345678901234567890x") };

START_TEST(what_is_not_known_is_not_passed_over)
{
	struct mail_options options = { .priority = 5 };
	struct stls_err err;

	ck_assert_int_eq(
	    mail_options_parse(&err, no_texts[_i], &options), EX_DATAERR);
	/* And nothing is half done. */
	ck_assert_int_eq(options.priority, 5);
	ck_assert_uint_eq(options.notify, 0);
}
END_TEST

/* What MAIL says of a message that is sent so many seconds later. */
static const char *
mail_says(const struct mail_options *options, int later_s)
{
	static char text[STLS_MAIL_DEMANDS_CAP];
	struct smtptls_message *message = NULL;
	struct stls_err err;
	int r;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_ok(smtptls_message_add_recipient(message, "b@example.org"));
	r = mail_options_apply(&err, options, (time_t)ASKED + later_s, message);
	snprintf(text, sizeof(text), "%d", r);
	if (r == 0 && message->txn.demands != NULL)
		stls_demands_format_mail(message->txn.demands, text);
	else if (r == 0)
		text[0] = '\0';
	else
		ck_assert_int_eq(err.code, r);
	smtptls_message_free(message);
	return text;
}

static const struct {
	struct mail_options options;
	int later_s;
	const char *text;
} waits[] = {
	{ { .hold_for_s = 3600 }, 0, " HOLDFOR=3600" },
	/* On its way: a pipe that was slow. */
	{ { .hold_for_s = 3600 }, 59, " HOLDFOR=3600" },
	/* The clock was set back. */
	{ { .hold_for_s = 3600 }, -1000, " HOLDFOR=3600" },
	{ { .hold_for_s = 3600 }, 600, " HOLDFOR=3000" },
	{ { .hold_for_s = 3600 }, 3600, "" },
	{ { .hold_for_s = 3600 }, 2000000000, "" },
	{ { .hold_until = ASKED + 10 }, 9, " HOLDUNTIL=2026-11-27T08:00:10Z" },
	{ { .hold_until = ASKED + 10 }, 10, "" },
	{ { .deliver_by_s = 600 }, 0, " BY=600;N" },
	{ { .deliver_by_s = 600 }, 500, " BY=100;N" },
	{ { .deliver_by_s = 600 }, 700, " BY=-100;N" },
	{ { .deliver_by_s = 600, .deliver_by_return = true }, 0, " BY=600;R" },
	{ { .deliver_by_s = 600, .deliver_by_return = true }, 500,
	    " BY=100;R" },
	{ { .deliver_by_s = 600, .deliver_by_return = true }, 600, "65" },
	{ { .ret = SMTPTLS_RETURN_FULL,
	      .envid = "a b",
	      .require_tls = true,
	      .has_priority = true },
	    0, " RET=FULL ENVID=a+20b REQUIRETLS MT-PRIORITY=0" },
	{ { .smtputf8 = true }, 0, "" },
};

START_TEST(what_has_waited_has_less_time_left)
{
	struct mail_options options = waits[_i].options;

	options.asked_at = ASKED;
	ck_assert_str_eq(
	    mail_says(&options, waits[_i].later_s), waits[_i].text);
}
END_TEST

START_TEST(who_asks_for_nothing_gets_no_demands)
{
	const struct mail_options nothing = { 0 };
	struct smtptls_message *message = NULL;
	struct stls_err err;

	ck_assert_ok(smtptls_message_new(&message));
	ck_assert_int_eq(mail_options_apply(&err, &nothing, ASKED, message), 0);
	ck_assert_ptr_null(message->txn.demands);
	smtptls_message_free(message);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mail-options");
	TCase *tc = tcase_create("mail-options");

	tcase_add_loop_test(
	    tc, what_is_asked_for_is_written_and_read_again, 0, COUNT(pairs));
	tcase_add_loop_test(
	    tc, what_is_not_known_is_not_passed_over, 0, COUNT(no_texts));
	tcase_add_loop_test(
	    tc, what_has_waited_has_less_time_left, 0, COUNT(waits));
	tcase_add_test(tc, who_asks_for_nothing_gets_no_demands);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
