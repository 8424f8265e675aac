/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "smtp/demands.h"

static struct stls_demands demands;
static struct stls_err err;

static void
setup(void)
{
	memset(&demands, 0, sizeof(demands));
	stls_err_clear(&err);
}

static void
teardown(void)
{
	stls_demands_done(&demands);
}

static const struct {
	struct stls_demands demands;
	const char *text;
} mails[] = {
	{ { 0 }, "" },
	{ { .notify = STLS_NOTIFY_SUCCESS }, "" },
	{ { .ret = "FULL" }, " RET=FULL" },
	{ { .ret = "HDRS", .envid = "a+20b" }, " RET=HDRS ENVID=a+20b" },
	{ { .require_tls = true }, " REQUIRETLS" },
	{ { .hold_for_s = 999999999 }, " HOLDFOR=999999999" },
	{ { .hold_until = "2026-11-27T08:00:00Z" },
	    " HOLDUNTIL=2026-11-27T08:00:00Z" },
	{ { .has_priority = true }, " MT-PRIORITY=0" },
	{ { .has_priority = true, .priority = -9 }, " MT-PRIORITY=-9" },
	{ { .priority = 3 }, "" },
	{ { .has_deliver_by = true, .deliver_by_s = 120 }, " BY=120;N" },
	{ { .has_deliver_by = true,
	      .deliver_by_s = -5,
	      .deliver_by_trace = true },
	    " BY=-5;NT" },
	{ { .has_deliver_by = true,
	      .deliver_by_s = 1,
	      .deliver_by_return = true },
	    " BY=1;R" },
	{ { .deliver_by_s = 1 }, "" },
};

START_TEST(mail_says_what_is_asked_for)
{
	char buf[STLS_MAIL_DEMANDS_CAP];

	ck_assert_str_eq(
	    stls_demands_format_mail(&mails[_i].demands, buf), mails[_i].text);
}
END_TEST

START_TEST(the_longest_that_can_be_asked_for_fits)
{
	char mail[STLS_MAIL_DEMANDS_CAP], rcpt[STLS_RCPT_DEMANDS_CAP];
	char orcpt[STLS_ORCPT_LEN_MAX + 1];
	struct stls_rcpt_demands one = { .notify = STLS_NOTIFY_SUCCESS |
		    STLS_NOTIFY_FAILURE | STLS_NOTIFY_DELAY,
		.orcpt = orcpt };
	struct stls_demands all = { .ret = "FULL",
		.require_tls = true,
		.hold_for_s = STLS_INTERVAL_MAX_S,
		.hold_until = "9999-12-31T23:59:59Z",
		.has_priority = true,
		.priority = -9,
		.has_deliver_by = true,
		.deliver_by_s = -STLS_INTERVAL_MAX_S,
		.deliver_by_trace = true,
		.rcpts = &one,
		.rcpt_count = 1 };

	memset(all.envid, 'x', sizeof(all.envid) - 1);
	memset(orcpt, 'x', sizeof(orcpt) - 1);
	orcpt[sizeof(orcpt) - 1] = '\0';
	ck_assert_ptr_nonnull(
	    strstr(stls_demands_format_mail(&all, mail), " BY=-999999999;NT"));
	ck_assert_uint_lt(strlen(mail), sizeof(mail) - 1);
	stls_demands_format_rcpt(&all, 0, rcpt);
	ck_assert_uint_lt(strlen(rcpt), sizeof(rcpt) - 1);
	ck_assert_str_eq(rcpt + strlen(rcpt) - strlen(orcpt), orcpt);
}
END_TEST

START_TEST(a_recipient_has_its_own_or_what_all_have)
{
	char buf[STLS_RCPT_DEMANDS_CAP];

	demands.notify = STLS_NOTIFY_NEVER;
	demands.rcpts = stls_alloc_zero(3 * sizeof(*demands.rcpts));
	demands.rcpt_count = 3;
	demands.rcpts[1].notify = STLS_NOTIFY_SUCCESS | STLS_NOTIFY_FAILURE |
	    STLS_NOTIFY_DELAY;
	demands.rcpts[2].orcpt = stls_strdup("rfc822;b@example.org");
	ck_assert_str_eq(
	    stls_demands_format_rcpt(&demands, 0, buf), " NOTIFY=NEVER");
	ck_assert_str_eq(stls_demands_format_rcpt(&demands, 1, buf),
	    " NOTIFY=SUCCESS,FAILURE,DELAY");
	ck_assert_str_eq(stls_demands_format_rcpt(&demands, 2, buf),
	    " NOTIFY=NEVER ORCPT=rfc822;b@example.org");
	/* One that was added later. */
	ck_assert_str_eq(
	    stls_demands_format_rcpt(&demands, 3, buf), " NOTIFY=NEVER");
	demands.notify = 0;
	ck_assert_str_eq(stls_demands_format_rcpt(&demands, 0, buf), "");
}
END_TEST

/* What a server offers, to "250 " and the keyword. */
static int
check(const char *offer, bool tls)
{
	CLEANUP(stls_capabilities_done)
	struct stls_capabilities offered = { 0 };
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	char text[256];

	snprintf(
	    text, sizeof(text), "250-mail.example.org\r\n250 %s\r\n", offer);
	ck_assert_ok(
	    stls_reply_parse(&err, &parser, text, strlen(text), &reply));
	ck_assert_ok(stls_capabilities_parse(&offered, &reply));
	stls_err_clear(&err);
	return stls_demands_check(
	    &err, &demands, &offered, tls, "mail.example.org");
}

static const struct {
	struct stls_demands demands;
	const char *good;     /* an offer that is enough */
	const char *bad;      /* and one that is not */
	const char *sentence; /* of that one */
} offers[] = {
	{ { .notify = STLS_NOTIFY_NEVER }, "DSN", "DSNX",
	    "mail.example.org does not offer DSN" },
	{ { .ret = "FULL" }, "dsn", "SIZE", "does not offer DSN" },
	{ { .envid = "x" }, "DSN", "SIZE", "does not offer DSN" },
	{ { .require_tls = true }, "REQUIRETLS", "STARTTLS",
	    "mail.example.org does not offer REQUIRETLS" },
	{ { .has_priority = true }, "MT-PRIORITY MIXER", "PRIORITY",
	    "mail.example.org does not offer MT-PRIORITY" },
	{ { .hold_for_s = 10 }, "FUTURERELEASE 10 2026-01-01T00:00:00Z",
	    "FUTURERELEASE 9 2999-01-01T00:00:00Z",
	    "mail.example.org holds a message 9 seconds at most" },
	{ { .hold_for_s = 10 }, "FUTURERELEASE", "SIZE",
	    "mail.example.org does not offer FUTURERELEASE" },
	/* A limit that is none is left to the server. */
	{ { .hold_for_s = 10 }, "FUTURERELEASE nine", "FUTURERELEASE 1", "" },
	{ { .hold_for_s = 10 }, "FUTURERELEASE 9x", "FUTURERELEASE 1", "" },
	{ { .hold_for_s = 10 }, "FUTURERELEASE 99999999999999999999", "DSN",
	    "" },
	{ { .hold_until = "2026-11-27T08:00:00Z" },
	    "FUTURERELEASE 1 2026-11-27T08:00:00Z",
	    "FUTURERELEASE 1 2026-11-27T07:59:59Z",
	    "until 2026-11-27T07:59:59Z at most" },
	{ { .hold_until = "2026-11-27T08:00:00Z" },
	    "FUTURERELEASE 1 2026-11-27", "DELIVERBY",
	    "does not offer FUTURERELEASE" },
	{ { .hold_until = "2026-11-27T08:00:00Z" }, "FUTURERELEASE 1",
	    "DELIVERBY", "" },
	{ { .hold_until = "2026-11-27T08:00:00Z" },
	    "FUTURERELEASE 1 2020-11-27T07:59:59+01:00", "DELIVERBY", "" },
	{ { .has_deliver_by = true, .deliver_by_s = -5 }, "DELIVERBY 100",
	    "FUTURERELEASE", "mail.example.org does not offer DELIVERBY" },
	{ { .has_deliver_by = true,
	      .deliver_by_s = 100,
	      .deliver_by_return = true },
	    "DELIVERBY 100", "DELIVERBY 101",
	    "mail.example.org needs 101 seconds at least" },
	{ { .has_deliver_by = true,
	      .deliver_by_s = 1,
	      .deliver_by_return = true },
	    "DELIVERBY", "DELIVERBY 2", "" },
};

START_TEST(what_is_asked_for_has_to_be_offered)
{
	demands = offers[_i].demands;
	ck_assert_int_eq(check(offers[_i].good, true), SMTPTLS_OK);
	ck_assert_int_eq(check(offers[_i].bad, true), SMTPTLS_E_UNSUPPORTED);
	ck_assert_int_eq(err.code, SMTPTLS_E_UNSUPPORTED);
	ck_assert_msg(
	    strstr(err.text, offers[_i].sentence) != NULL, "%s", err.text);
}
END_TEST

START_TEST(what_one_recipient_needs_has_to_be_offered)
{
	demands.rcpts = stls_alloc_zero(2 * sizeof(*demands.rcpts));
	demands.rcpt_count = 2;
	ck_assert_ok(check("SIZE", true));
	demands.rcpts[1].notify = STLS_NOTIFY_DELAY;
	ck_assert_int_eq(check("SIZE", true), SMTPTLS_E_UNSUPPORTED);
	demands.rcpts[1].notify = 0;
	demands.rcpts[1].orcpt = stls_strdup("rfc822;b@example.org");
	ck_assert_int_eq(check("SIZE", true), SMTPTLS_E_UNSUPPORTED);
	ck_assert_ok(check("DSN", true));
}
END_TEST

START_TEST(requiretls_in_clear_is_no_offer)
{
	demands.require_tls = true;
	ck_assert_ok(check("REQUIRETLS", true));
	ck_assert_int_eq(check("REQUIRETLS", false), SMTPTLS_E_UNSUPPORTED);
}
END_TEST

START_TEST(nothing_asked_for_needs_nothing)
{
	ck_assert_ok(check("SIZE", false));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("demands");
	TCase *tc = tcase_create("demands");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, mail_says_what_is_asked_for, 0, COUNT(mails));
	tcase_add_test(tc, the_longest_that_can_be_asked_for_fits);
	tcase_add_test(tc, a_recipient_has_its_own_or_what_all_have);
	tcase_add_loop_test(
	    tc, what_is_asked_for_has_to_be_offered, 0, COUNT(offers));
	tcase_add_test(tc, what_one_recipient_needs_has_to_be_offered);
	tcase_add_test(tc, requiretls_in_clear_is_no_offer);
	tcase_add_test(tc, nothing_asked_for_needs_nothing);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
