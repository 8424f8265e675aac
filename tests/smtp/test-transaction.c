/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "smtp/transaction.h"

#define RECIPIENTS_MAX 3

#define NOT_TRIED SMTPTLS_OUTCOME_NOT_TRIED
#define ACCEPTED SMTPTLS_OUTCOME_ACCEPTED
#define LATER SMTPTLS_OUTCOME_REFUSED_LATER
#define REFUSED SMTPTLS_OUTCOME_REFUSED
#define IN_DOUBT SMTPTLS_OUTCOME_IN_DOUBT

static struct stls_transaction txn;

static void
setup(void)
{
	char mailbox[] = "a@example.org";
	size_t i;

	memset(&txn, 0, sizeof(txn));
	ck_assert_ok(
	    stls_transaction_set_sender(&txn, "s@example.org", 13, false));
	for (i = 0; i < RECIPIENTS_MAX; i++) {
		ck_assert_ok(stls_transaction_add_recipient(
		    &txn, mailbox, strlen(mailbox), false));
		mailbox[0]++;
	}
	stls_transaction_start(&txn);
}

static void
teardown(void)
{
	stls_transaction_done(&txn);
}

static struct stls_reply
reply_of(const char *text)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;

	ck_assert_ok(
	    stls_reply_parse(&err, &parser, text, strlen(text), &reply));
	return reply;
}

/* A reply that says the outcome, as far as a reply can say it. */
static struct stls_reply
reply_for(enum smtptls_outcome outcome)
{
	switch (outcome) {
	case ACCEPTED:
		return reply_of("250 2.0.0 queued as 1\r\n");
	case LATER:
		return reply_of("450 4.2.0 greylisted\r\n");
	default:
		return reply_of("550 5.1.1 unknown\r\n");
	}
}

static struct stls_err
err_of(int code, const char *text)
{
	struct stls_err err;

	stls_err_set(&err, code, "%s", text);
	return err;
}

/* Bring each recipient to its outcome; err is why the others have none. */
static void
bring_about(const enum smtptls_outcome *outcomes, const struct stls_err *err)
{
	struct stls_reply reply;
	size_t i;

	for (i = 0; i < txn.count; i++) {
		txn.recipients[i].asked = outcomes[i] == IN_DOUBT;
		if (outcomes[i] == NOT_TRIED || outcomes[i] == IN_DOUBT)
			continue;
		reply = reply_for(outcomes[i]);
		stls_recipient_decide(
		    &txn.recipients[i], STLS_STEP_RCPT, &reply);
	}
	if (err->code != SMTPTLS_OK)
		stls_transaction_fail(&txn, true, err);
	stls_transaction_finish(&txn);
}

static const struct {
	enum smtptls_outcome outcomes[RECIPIENTS_MAX];
	int reason; /* of the end of the connection */
	int status;
	const char *sentence;
} sums[] = {
	{ { ACCEPTED, ACCEPTED, ACCEPTED }, 0, SMTPTLS_OK, "" },
	{ { ACCEPTED, ACCEPTED, LATER }, 0, SMTPTLS_E_PARTIAL,
	    "<c@example.org>: 450 4.2.0 greylisted" },
	{ { REFUSED, LATER, ACCEPTED }, 0, SMTPTLS_E_PARTIAL,
	    "<a@example.org>: 550 5.1.1 unknown" },
	{ { ACCEPTED, NOT_TRIED, NOT_TRIED }, SMTPTLS_E_IO, SMTPTLS_E_PARTIAL,
	    "<b@example.org>: the line went dead" },
	{ { ACCEPTED, IN_DOUBT, REFUSED }, SMTPTLS_E_IO, SMTPTLS_E_PARTIAL,
	    "<b@example.org>: the line went dead" },
	{ { IN_DOUBT, IN_DOUBT, IN_DOUBT }, SMTPTLS_E_IO, SMTPTLS_E_IN_DOUBT,
	    "<a@example.org>: the line went dead" },
	{ { REFUSED, LATER, IN_DOUBT }, SMTPTLS_E_IO, SMTPTLS_E_IN_DOUBT,
	    "<c@example.org>: the line went dead" },
	{ { LATER, LATER, LATER }, 0, SMTPTLS_E_REFUSED_LATER,
	    "<a@example.org>: 450 4.2.0 greylisted" },
	{ { REFUSED, LATER, REFUSED }, 0, SMTPTLS_E_REFUSED_LATER,
	    "<b@example.org>: 450 4.2.0 greylisted" },
	{ { REFUSED, LATER, NOT_TRIED }, SMTPTLS_E_IO, SMTPTLS_E_REFUSED_LATER,
	    "<b@example.org>: 450 4.2.0 greylisted" },
	{ { REFUSED, REFUSED, REFUSED }, 0, SMTPTLS_E_REFUSED,
	    "<a@example.org>: 550 5.1.1 unknown" },
	/* For the two others it may be tried again: nobody refused them. */
	{ { REFUSED, NOT_TRIED, NOT_TRIED }, SMTPTLS_E_IO, SMTPTLS_E_IO,
	    "the line went dead" },
	{ { NOT_TRIED, REFUSED, NOT_TRIED }, SMTPTLS_E_TIMEOUT,
	    SMTPTLS_E_TIMEOUT, "the line went dead" },
	/* All or nothing: the refusal is the reason, and who was refused. */
	{ { NOT_TRIED, REFUSED, NOT_TRIED }, SMTPTLS_E_REFUSED,
	    SMTPTLS_E_REFUSED, "<b@example.org>: 550 5.1.1 unknown" },
	{ { NOT_TRIED, LATER, NOT_TRIED }, SMTPTLS_E_REFUSED,
	    SMTPTLS_E_REFUSED_LATER, "<b@example.org>: 450 4.2.0 greylisted" },
	{ { NOT_TRIED, NOT_TRIED, NOT_TRIED }, SMTPTLS_E_REFUSED_LATER,
	    SMTPTLS_E_REFUSED_LATER, "the line went dead" },
	{ { NOT_TRIED, NOT_TRIED, NOT_TRIED }, SMTPTLS_E_TLS, SMTPTLS_E_TLS,
	    "the line went dead" },
};

START_TEST(outcomes_sum_up_to_one_status)
{
	struct stls_err err = err_of(sums[_i].reason, "the line went dead");
	size_t i;

	bring_about(sums[_i].outcomes, &err);
	for (i = 0; i < txn.count; i++)
		ck_assert_int_eq(
		    txn.recipients[i].outcome, sums[_i].outcomes[i]);
	ck_assert_int_eq(txn.status, sums[_i].status);
	ck_assert_int_eq(txn.err.code, sums[_i].status);
	ck_assert_str_eq(txn.err.text, sums[_i].sentence);
}
END_TEST

/* Every combination, with and without a reason: success is success of all. */
START_TEST(success_needs_every_recipient_accepted)
{
	enum smtptls_outcome outcomes[RECIPIENTS_MAX];
	struct stls_err err = err_of(_i, "why");
	int n, combination, accepted;
	size_t i;

	for (combination = 0; combination < 5 * 5 * 5; combination++) {
		teardown();
		setup();
		accepted = 0;
		n = combination;
		for (i = 0; i < RECIPIENTS_MAX; i++, n /= 5)
			outcomes[i] = (enum smtptls_outcome)(n % 5);
		bring_about(outcomes, &err);
		for (i = 0; i < RECIPIENTS_MAX; i++)
			accepted += txn.recipients[i].outcome == ACCEPTED;
		ck_assert_int_eq(
		    txn.status == SMTPTLS_OK, accepted == RECIPIENTS_MAX);
		if (accepted > 0 && accepted < RECIPIENTS_MAX)
			ck_assert_int_eq(txn.status, SMTPTLS_E_PARTIAL);
		ck_assert_int_eq(txn.err.code, txn.status);
	}
}
END_TEST

START_TEST(nobody_to_send_to_is_no_success)
{
	size_t count = txn.count;

	txn.count = 0;
	stls_transaction_finish(&txn);
	ck_assert_int_lt(txn.status, 0);
	txn.count = count;
}
END_TEST

START_TEST(a_reply_is_kept_with_the_recipient)
{
	struct stls_reply reply = reply_of(
	    "250-2.1.5 a\x1b\r\n250 2.1.5 queued\r\n");
	struct stls_recipient *recipient = &txn.recipients[1];

	recipient->asked = recipient->taken = true;
	stls_recipient_decide(recipient, STLS_STEP_RCPT, &reply);
	ck_assert_int_eq(recipient->outcome, ACCEPTED);
	ck_assert_int_eq(recipient->code, 250);
	ck_assert_int_eq(recipient->step, STLS_STEP_RCPT);
	ck_assert_str_eq(recipient->enhanced, "2.1.5");
	ck_assert_str_eq(stls_recipient_text(recipient), "a\\x1b queued");
	ck_assert(!recipient->taken);
	ck_assert_int_eq(txn.recipients[0].outcome, NOT_TRIED);
}
END_TEST

START_TEST(a_reply_decides_about_those_it_is_for)
{
	struct stls_reply no = reply_of("550 no\r\n");
	struct stls_reply later = reply_of("451 later\r\n");
	struct stls_reply yes = reply_of("250 yes\r\n");

	stls_recipient_decide(&txn.recipients[0], STLS_STEP_RCPT, &no);
	txn.recipients[1].asked = txn.recipients[1].taken = true;
	stls_transaction_decide_taken(&txn, STLS_STEP_END_OF_DATA, &yes);
	ck_assert_int_eq(txn.recipients[0].outcome, REFUSED);
	ck_assert_int_eq(txn.recipients[1].outcome, ACCEPTED);
	ck_assert_int_eq(txn.recipients[2].outcome, NOT_TRIED);

	stls_transaction_decide_open(&txn, STLS_STEP_MAIL, &later);
	ck_assert_int_eq(txn.recipients[0].outcome, REFUSED);
	ck_assert_int_eq(txn.recipients[0].step, STLS_STEP_RCPT);
	ck_assert_int_eq(txn.recipients[1].outcome, ACCEPTED);
	ck_assert_int_eq(txn.recipients[1].step, STLS_STEP_END_OF_DATA);
	ck_assert_int_eq(txn.recipients[2].outcome, LATER);
	ck_assert_int_eq(txn.recipients[2].step, STLS_STEP_MAIL);
	stls_transaction_start(&txn);
	ck_assert_int_eq(txn.recipients[0].step, STLS_STEP_RCPT);
	ck_assert_int_eq(txn.recipients[2].step, STLS_STEP_NONE);
}
END_TEST

/* It is kept once for all that have it. */
START_TEST(a_text_stays_as_long_as_somebody_has_it)
{
	struct stls_reply later = reply_of("451 later\r\n");
	struct stls_reply yes = reply_of("250 yes\r\n");

	stls_transaction_decide_open(&txn, STLS_STEP_MAIL, &later);
	ck_assert_ptr_eq(txn.recipients[0].shared, txn.recipients[1].shared);
	stls_recipient_decide(&txn.recipients[0], STLS_STEP_RCPT, &yes);
	stls_recipient_set_text(&txn.recipients[1], "");
	ck_assert_str_eq(stls_recipient_text(&txn.recipients[0]), "yes");
	ck_assert_str_eq(stls_recipient_text(&txn.recipients[1]), "");
	ck_assert_str_eq(stls_recipient_text(&txn.recipients[2]), "later");
	stls_transaction_start(&txn);
	ck_assert_str_eq(stls_recipient_text(&txn.recipients[0]), "yes");
	ck_assert_str_eq(stls_recipient_text(&txn.recipients[2]), "");
}
END_TEST

/* At each place where another block or more recipients are needed. */
START_TEST(a_recipient_there_is_no_memory_for_is_not_there)
{
	size_t count, i, failures = 0;
	int r;

	for (i = 0; i < 200; i++) {
		count = txn.count;
		stls_alloc_fail_at(1);
		r = stls_transaction_add_recipient(&txn, "b@x", 3, true);
		if (r < 0) {
			failures++;
			ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
			ck_assert_uint_eq(txn.count, count);
			ck_assert_ok(stls_transaction_add_recipient(
			    &txn, "b@x", 3, true));
		}
		ck_assert_str_eq(txn.recipients[count].mailbox, "b@x");
		ck_assert(txn.recipients[count].needs_smtputf8);
	}
	stls_alloc_fail_at(0);
	ck_assert_uint_gt(failures, 5);
	ck_assert_str_eq(txn.sender, "s@example.org");
	ck_assert_str_eq(txn.recipients[0].mailbox, "a@example.org");
}
END_TEST

START_TEST(a_second_attempt_is_for_those_that_are_open)
{
	static const enum smtptls_outcome outcomes[] = { ACCEPTED, LATER,
		IN_DOUBT };
	struct stls_err err = err_of(SMTPTLS_E_IO, "the line went dead");

	bring_about(outcomes, &err);
	txn.next_rcpt = txn.taken = 3;
	txn.end_offset = 100;
	stls_transaction_start(&txn);
	ck_assert_int_eq(txn.status, SMTPTLS_AGAIN);
	ck_assert_int_eq(txn.err.code, SMTPTLS_OK);
	ck_assert_uint_eq(txn.next_rcpt, 0);
	ck_assert_uint_eq(txn.taken, 0);
	ck_assert_uint_eq(txn.end_offset, 0);

	ck_assert(!stls_recipient_is_open(&txn.recipients[0]));
	ck_assert_int_eq(txn.recipients[0].outcome, ACCEPTED);
	ck_assert_str_eq(
	    stls_recipient_text(&txn.recipients[0]), "queued as 1");
	ck_assert(stls_recipient_is_open(&txn.recipients[1]));
	ck_assert_int_eq(txn.recipients[1].outcome, NOT_TRIED);
	ck_assert_int_eq(txn.recipients[1].code, 0);
	ck_assert_str_eq(txn.recipients[1].enhanced, "");
	ck_assert_str_eq(stls_recipient_text(&txn.recipients[1]), "");
	/* Twice is worse than once or not at all: only a person decides. */
	ck_assert(!stls_recipient_is_open(&txn.recipients[2]));
	ck_assert_int_eq(txn.recipients[2].outcome, IN_DOUBT);
}
END_TEST

START_TEST(without_the_final_dot_nothing_is_in_doubt)
{
	struct stls_err err = err_of(SMTPTLS_E_IO, "the line went dead");
	size_t i;

	txn.recipients[0].asked = txn.recipients[1].asked = true;
	stls_transaction_fail(&txn, false, &err);
	stls_transaction_finish(&txn);
	for (i = 0; i < txn.count; i++) {
		ck_assert_int_eq(txn.recipients[i].outcome, NOT_TRIED);
		ck_assert_str_eq(stls_recipient_text(&txn.recipients[i]),
		    "the line went dead");
	}
	ck_assert_int_eq(txn.status, SMTPTLS_E_IO);
}
END_TEST

START_TEST(only_who_was_taken_can_be_in_doubt)
{
	struct stls_err err = err_of(SMTPTLS_E_IO, "the line went dead");

	txn.recipients[1].asked = txn.recipients[1].taken = true;
	stls_transaction_fail(&txn, true, &err);
	ck_assert_int_eq(txn.recipients[0].outcome, NOT_TRIED);
	ck_assert_int_eq(txn.recipients[1].outcome, IN_DOUBT);
	ck_assert_int_eq(txn.recipients[2].outcome, NOT_TRIED);
}
END_TEST

START_TEST(an_outcome_needs_no_memory)
{
	static const enum smtptls_outcome outcomes[] = { REFUSED, LATER,
		IN_DOUBT };
	struct stls_err err = err_of(SMTPTLS_E_IO, "the line went dead");
	unsigned long n;
	int failed;

	for (n = 1, failed = 1; failed; n++) {
		teardown();
		setup();
		stls_alloc_fail_at(n);
		bring_about(outcomes, &err);
		failed = stls_alloc_has_failed();
		stls_alloc_fail_at(0);
		ck_assert_int_eq(txn.recipients[0].outcome, REFUSED);
		ck_assert_int_eq(txn.recipients[1].outcome, LATER);
		ck_assert_int_eq(txn.recipients[2].outcome, IN_DOUBT);
		ck_assert_int_eq(txn.recipients[0].code, 550);
		ck_assert_int_eq(txn.status, SMTPTLS_E_IN_DOUBT);
		ck_assert_ptr_nonnull(strstr(txn.err.text, "<c@example.org>"));
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("transaction");
	TCase *tc = tcase_create("transaction");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, outcomes_sum_up_to_one_status, 0, COUNT(sums));
	tcase_add_loop_test(tc, success_needs_every_recipient_accepted,
	    SMTPTLS_E_FORKED, SMTPTLS_OK + 1);
	tcase_add_test(tc, nobody_to_send_to_is_no_success);
	tcase_add_test(tc, a_reply_is_kept_with_the_recipient);
	tcase_add_test(tc, a_reply_decides_about_those_it_is_for);
	tcase_add_test(tc, a_text_stays_as_long_as_somebody_has_it);
	tcase_add_test(tc, a_recipient_there_is_no_memory_for_is_not_there);
	tcase_add_test(tc, a_second_attempt_is_for_those_that_are_open);
	tcase_add_test(tc, without_the_final_dot_nothing_is_in_doubt);
	tcase_add_test(tc, only_who_was_taken_can_be_in_doubt);
	tcase_add_test(tc, an_outcome_needs_no_memory);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
