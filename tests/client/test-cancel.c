/* SPDX-License-Identifier: MIT */
/* Conversations that somebody ends: the program, or a signal. */
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "base/deadline.h"
#include "client/envelope.h"

#define SHORT_MS talk_ms(100)

static struct smtptls_client *to_cancel;

static void
cancel(void *arg)
{
	(void)arg;
	smtptls_client_cancel(to_cancel);
}

static const struct cancel_row {
	const struct step script[16];
	int status;
} cancels[] = {
	{ { CALL(cancel, NULL), STEP(STALL) }, SMTPTLS_E_CANCELLED },
	{ { SEND("250 x\r\n"), PREFIX("MAIL"), CALL(cancel, NULL),
	      STEP(STALL) },
	    SMTPTLS_E_CANCELLED },
	{ { SEND("250 x\r\n"), MAIL, BOB_TAKEN, LINE("DATA"),
	      CALL(cancel, NULL), STEP(STALL) },
	    SMTPTLS_E_CANCELLED },
	{ { SEND("250 x\r\n"), MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
	      CALL(cancel, NULL), STEP(STALL) },
	    SMTPTLS_E_IN_DOUBT },
};

START_TEST(other_thread_cancels_a_call_that_waits)
{
	const struct cancel_row *row = &cancels[ROW(_i)];
	int mode = _i % 2 == 0 ? STARTTLS_BLOCKING : IMPLICIT_BLOCKING;
	struct talk talk;

	talk_begin(&talk, mode, row->script);
	to_cancel = talk.client;
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	ck_assert_str_eq(smtptls_client_error(talk.client), "cancelled");
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_CANCELLED);
	talk_finish(&talk);
}
END_TEST

/* A source without an end, and what it does the first time. */
static struct endless {
	void (*first)(void);
	int asked;
} endless;

static int
read_endless(void *buf, size_t cap, size_t *out_len, void *arg)
{
	(void)arg;
	if (endless.asked++ == 0)
		endless.first();
	memset(buf, '\n', cap);
	*out_len = cap;
	return SMTPTLS_OK;
}

static void
cancel_it(void)
{
	smtptls_client_cancel(to_cancel);
}

static stls_deadline its_deadline;

static void
pass_deadline(void)
{
	while (stls_deadline_left_ms(its_deadline) > 0)
		continue;
}

static const struct step swallowing[] = {
	SEND("250 x\r\n"),
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(SWALLOW),
	END,
};

/* Where neither side ever has to wait, nobody would look at the clock. */
START_TEST(content_without_an_end_is_stopped)
{
	bool is_cancelled = ROW(_i) == 0;
	struct talk talk;

	talk_begin(&talk, MODE(_i), swallowing);
	to_cancel = talk.client;
	endless = (struct endless){ is_cancelled ? cancel_it : pass_deadline,
		0 };
	ck_assert_ok(smtptls_message_new(&talk.message));
	ck_assert_ok(smtptls_message_set_sender(talk.message, TALK_SENDER));
	ck_assert_ok(
	    smtptls_message_add_recipient(talk.message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk.message, read_endless, NULL, NULL));
	ck_assert_ok(talk_connect(&talk));
	if (!is_cancelled) {
		ck_assert_ok(
		    smtptls_client_set_deadline_ms(talk.client, 3 * SHORT_MS));
		its_deadline = stls_deadline_in(3 * SHORT_MS);
	}
	talk_assert_failed(&talk, talk_send(&talk),
	    is_cancelled ? SMTPTLS_E_CANCELLED : SMTPTLS_E_TIMEOUT, NULL);
	ck_assert_int_eq(endless.asked, 1);
	talk_finish(&talk);
}
END_TEST

static void
cancel_from_handler(int signal_number)
{
	(void)signal_number;
	smtptls_client_cancel(to_cancel);
}

static const struct step quiet[] = {
	STEP(STALL),
	END,
};

START_TEST(signal_handler_cancels_a_call_that_waits)
{
	struct sigaction action = { .sa_handler = cancel_from_handler,
		.sa_flags = SA_RESTART };
	struct itimerval soon = { .it_value = { .tv_usec = 100000 } };
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, quiet);
	to_cancel = talk.client;
	ck_assert_ok(sigaction(SIGALRM, &action, NULL));
	ck_assert_ok(setitimer(ITIMER_REAL, &soon, NULL));
	ck_assert_int_eq(talk_connect(&talk), SMTPTLS_E_CANCELLED);
	talk_finish(&talk);
}
END_TEST

static void
do_nothing(int signal_number)
{
	(void)signal_number;
}

static const struct step long_enough[] = {
	DRIP("250-mail.example.org\r\n250-x\r\n250-x\r\n250 x\r\n"),
	END,
};

START_TEST(signals_interrupt_nothing)
{
	struct sigaction action = { .sa_handler = do_nothing };
	struct itimerval often = { .it_interval = { .tv_usec = 5000 },
		.it_value = { .tv_usec = 5000 } };
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	struct talk talk;

	talk_begin(&talk, _i == 0 ? STARTTLS_BLOCKING : IMPLICIT_BLOCKING,
	    long_enough);
	ck_assert_ok(sigaction(SIGALRM, &action, NULL));
	ck_assert_ok(setitimer(ITIMER_REAL, &often, NULL));
	talk_assert_failed(&talk, talk_connect(&talk), SMTPTLS_OK, NULL);
	ck_assert_ok(setitimer(ITIMER_REAL, &off, NULL));
	talk_finish(&talk);
}
END_TEST

START_TEST(cancelled_client_does_not_begin)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtps://" TALK_HOST, world.context, &client));
	ck_assert_ok(smtptls_client_set_connect_to(client, "192.0.2.1:465"));
	smtptls_client_cancel(client);
	ck_assert_int_eq(smtptls_client_connect(client), SMTPTLS_E_CANCELLED);
	smtptls_client_free(client);
	smtptls_client_cancel(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cancel");
	TCase *tc = talk_case(suite, "cancel");

	tcase_add_loop_test(
	    tc, other_thread_cancels_a_call_that_waits, 0, 2 * COUNT(cancels));
	tcase_add_loop_test(
	    tc, content_without_an_end_is_stopped, 0, 2 * MODES);
	tcase_add_test(tc, signal_handler_cancels_a_call_that_waits);
	tcase_add_loop_test(tc, signals_interrupt_nothing, 0, 2);
	tcase_add_test(tc, cancelled_client_does_not_begin);
	return talk_run(suite);
}
