/* SPDX-License-Identifier: MIT */
/* Servers that are slow, and limits that are kept. */
#include <string.h>

#include "base/deadline.h"
#include "client/envelope.h"

#define SHORT_MS talk_ms(100)
/* What is still called in time on a machine that is busy. */
#define LATE_MS talk_ms(10000)

#define GREETING SEND("220 mail.example.org ESMTP\r\n")
#define UP_TO_TLS                                                              \
	GREETING, PREFIX("EHLO "), SEND("250-x\r\n250 STARTTLS\r\n"),          \
	    LINE("STARTTLS"), SEND("220 go\r\n")

static const struct silence {
	enum smtptls_phase phase;
	bool is_raw; /* for the modes that begin in clear */
	const struct step script[14];
	int status;
	const char *sentence;
} silences[] = {
	{ SMTPTLS_PHASE_GREETING, true, { STEP(STALL) }, SMTPTLS_E_TIMEOUT,
	    "(at: greeting); a port for implicit TLS is reached by smtps://" },
	{ SMTPTLS_PHASE_COMMAND, true,
	    { GREETING, PREFIX("EHLO "), STEP(STALL) }, SMTPTLS_E_TIMEOUT,
	    "EHLO" },
	{ SMTPTLS_PHASE_COMMAND, true,
	    { GREETING, PREFIX("EHLO "), SEND("250-x\r\n250 STARTTLS\r\n"),
		LINE("STARTTLS"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "STARTTLS" },
	{ SMTPTLS_PHASE_HANDSHAKE, true,
	    { UP_TO_TLS, OCTETS(5), STEP(STALL), STEP(SWALLOW) },
	    SMTPTLS_E_TIMEOUT, "TLS" },
	{ SMTPTLS_PHASE_COMMAND, false, { STEP(STALL) }, SMTPTLS_E_TIMEOUT,
	    "EHLO" },
	{ SMTPTLS_PHASE_COMMAND, false,
	    { SEND("250 x\r\n"), PREFIX("MAIL"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "MAIL" },
	{ SMTPTLS_PHASE_COMMAND, false,
	    { SEND("250 x\r\n"), MAIL, PREFIX("RCPT"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "RCPT" },
	{ SMTPTLS_PHASE_DATA_START, false,
	    { SEND("250 x\r\n"), MAIL, BOB_TAKEN, LINE("DATA"), STEP(STALL) },
	    SMTPTLS_E_TIMEOUT, "DATA" },
	{ SMTPTLS_PHASE_DATA_END, false,
	    { SEND("250 x\r\n"), MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
		STEP(STALL) },
	    SMTPTLS_E_IN_DOUBT, "end of data" },
};

START_TEST(silence_is_bounded_in_each_phase)
{
	const struct silence *row = &silences[ROW(_i)];
	int mode = MODE(_i);
	int64_t before;
	struct talk talk;

	if (row->is_raw && mode >= STARTTLS_MODES)
		return;
	if (row->is_raw)
		talk_begin_raw(&talk, mode, row->script);
	else
		talk_begin(&talk, mode, row->script);
	talk_set_message(&talk);
	ck_assert_ok(
	    smtptls_client_set_timeout_ms(talk.client, row->phase, SHORT_MS));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	ck_assert_int_ge(stls_now_ms() - before, SHORT_MS);
	ck_assert_int_lt(stls_now_ms() - before, LATE_MS);
	ck_assert_msg(
	    strstr(smtptls_client_error(talk.client), row->sentence) != NULL,
	    "%s", smtptls_client_error(talk.client));
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_TIMEOUT);
	talk_finish(&talk);
}
END_TEST

START_TEST(quit_does_not_wait_long)
{
	static const struct step script[] = { SEND("250 x\r\n"), LINE("QUIT"),
		STEP(STALL), END };
	struct talk talk;

	talk_begin(&talk, _i, script);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_QUIT, SHORT_MS));
	ck_assert_int_eq(talk_quit(&talk), SMTPTLS_E_TIMEOUT);
	talk_finish(&talk);
}
END_TEST

/* Each reply starts the limit again: all together may take longer. */
static const struct step slow_but_steady[] = {
	DRIP("250 x\r\n"),
	PREFIX("MAIL"),
	DRIP("250 ok, if it must be\r\n"),
	PREFIX("RCPT"),
	DRIP("250 ok, if it must be\r\n"),
	LINE("DATA"),
	DRIP("354 go, if it must be\r\n"),
	STEP(CONTENT),
	DRIP("250 ok, if it must be\r\n"),
	END,
};

START_TEST(each_reply_in_time_is_enough)
{
	struct talk talk;

	talk_begin(&talk, _i, slow_but_steady);
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_COMMAND, LATE_MS));
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_finish(&talk);
}
END_TEST

/* Each piece that the server takes starts it again as well. */
START_TEST(server_that_reads_slowly_gets_it_all)
{
	static const struct step script[] = { SEND("250 x\r\n"), MAIL,
		BOB_TAKEN, DATA, STEP(SIPS), SEND("250 ok\r\n"), END };
	struct server_options options = { .prologue = talk_prologue(_i),
		.scripts = { script },
		.receive_buffer = 32768 };
	static char big[4 * 1024 * 1024];
	struct talk talk;
	int64_t before;

	memset(big, 'x', sizeof(big));
	talk_begin_with(
	    &talk, _i, _i < STARTTLS_MODES ? "smtp" : "smtps", NULL, &options);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_DATA_BLOCK, talk_ms(200)));
	talk_set_content(&talk, big, sizeof(big));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_gt(stls_now_ms() - before, 200);
	talk_hang_up(&talk);
	ck_assert_uint_eq(server_content(talk.server, 0)->len, sizeof(big) + 2);
	talk_end(&talk);
}
END_TEST

#define TEN(s) s s s s s s s s s s
#define THOUSAND(s) TEN(TEN(TEN(s)))

static const struct drip_row {
	bool is_raw;
	const struct step script[16];
	bool in_doubt;
} drips[] = {
	{ true, { DRIP("220-" THOUSAND("x")), STEP(STALL) }, false },
	{ true,
	    { GREETING, PREFIX("EHLO "), DRIP(TEN(TEN("250-x\r\n"))),
		STEP(STALL) },
	    false },
	{ true, { UP_TO_TLS, STEP(TLS_DRIP), STEP(SWALLOW) }, false },
	{ false, { DRIP("250-" THOUSAND("x")), STEP(STALL) }, false },
	{ false,
	    { SEND("250 x\r\n"), PREFIX("MAIL"), DRIP("250 " THOUSAND("x")),
		STEP(STALL) },
	    false },
	{ false,
	    { SEND("250 x\r\n"), MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
		DRIP("250-" THOUSAND("x")), STEP(STALL) },
	    true },
};

/* One octet after another is progress for nobody but the server. */
START_TEST(dripping_does_not_pass_the_deadline)
{
	const struct drip_row *row = &drips[ROW(_i)];
	int mode = MODE(_i);
	struct talk talk;
	int64_t before;

	if (row->is_raw && mode >= STARTTLS_MODES)
		return;
	if (row->is_raw)
		talk_begin_raw(&talk, mode, row->script);
	else
		talk_begin(&talk, mode, row->script);
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, 3 * SHORT_MS));
	before = stls_now_ms();
	talk_assert_failed(&talk, talk_send(&talk),
	    row->in_doubt ? SMTPTLS_E_IN_DOUBT : SMTPTLS_E_TIMEOUT, NULL);
	ck_assert_int_lt(stls_now_ms() - before, LATE_MS);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(talk.client), "deadline"));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

START_TEST(deadline_without_a_greeting_names_the_usual_reason)
{
	static const struct step script[] = { STEP(STALL), END };
	struct talk talk;

	talk_begin_raw(&talk, _i, script);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, SHORT_MS));
	ck_assert_int_eq(talk_connect(&talk), SMTPTLS_E_TIMEOUT);
	ck_assert_ptr_nonnull(
	    strstr(smtptls_client_error(talk.client), "reached by smtps://"));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* And no reply that is never complete holds the limit of its phase up. */
START_TEST(dripping_does_not_pass_the_limit_of_its_phase)
{
	static const struct step script[] = { SEND("250 x\r\n"), PREFIX("MAIL"),
		DRIP("250-" THOUSAND("x")), DRIP(THOUSAND("x")),
		DRIP(THOUSAND("x")), DRIP(THOUSAND("x")), STEP(STALL), END };
	struct talk talk;

	talk_begin(&talk, _i, script);
	talk_set_message(&talk);
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_COMMAND, SHORT_MS));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_TIMEOUT,
	    "did not answer within");
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* A deadline that passed while nothing was under way harms the next thing. */
START_TEST(deadline_can_be_taken_back)
{
	static const struct step script[] = { SEND("250 x\r\n"), LINE("NOOP"),
		SEND("250 ok\r\n"), LINE("NOOP"), STEP(STALL), END };
	struct talk talk;

	talk_begin(&talk, _i, script);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, 0));
	ck_assert_ok(talk_connect(&talk));
	ck_assert_ok(smtptls_client_noop(talk.client));
	ck_assert_int_eq(
	    smtptls_client_set_deadline_ms(talk.client, -1), SMTPTLS_E_INVALID);
	ck_assert_ok(smtptls_client_set_deadline_ms(talk.client, SHORT_MS));
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_TIMEOUT);
	talk_finish(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("time");
	TCase *tc = talk_case(suite, "time");

	add_rows_in_modes(tc, silence_is_bounded_in_each_phase, silences);
	add_in_modes(tc, quit_does_not_wait_long);
	add_in_modes(tc, each_reply_in_time_is_enough);
	add_in_modes(tc, server_that_reads_slowly_gets_it_all);
	add_rows_in_modes(tc, dripping_does_not_pass_the_deadline, drips);
	tcase_add_loop_test(tc,
	    deadline_without_a_greeting_names_the_usual_reason, 0,
	    STARTTLS_MODES);
	add_in_modes(tc, dripping_does_not_pass_the_limit_of_its_phase);
	add_in_modes(tc, deadline_can_be_taken_back);
	return talk_run(suite);
}
