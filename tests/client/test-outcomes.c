/* SPDX-License-Identifier: MIT */
/* What becomes of each recipient, whatever happens to the connection. */
#include <string.h>

#include "client/envelope.h"

#define RECIPIENTS_MAX 4

struct outcome {
	enum smtptls_outcome outcome;
	int code;
};

struct row {
	const struct step script[32];
	const char *recipients[RECIPIENTS_MAX];
	bool all_or_nothing;
	int status;
	struct outcome outcomes[RECIPIENTS_MAX];
};

static void
set_message(struct talk *talk, const struct row *row)
{
	size_t i;

	ck_assert_ok(smtptls_message_new(&talk->message));
	ck_assert_ok(smtptls_message_set_sender(talk->message, TALK_SENDER));
	for (i = 0; i < RECIPIENTS_MAX && row->recipients[i] != NULL; i++)
		ck_assert_ok(smtptls_message_add_recipient(
		    talk->message, row->recipients[i]));
	ck_assert_ok(smtptls_message_set_body_mem(
	    talk->message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1));
	ck_assert_ok(smtptls_message_set_all_or_nothing(
	    talk->message, row->all_or_nothing));
}

static void
assert_outcomes(const struct talk *talk, const struct row *row)
{
	size_t i;

	for (i = 0; i < RECIPIENTS_MAX && row->recipients[i] != NULL; i++) {
		ck_assert_msg(smtptls_message_outcome(talk->message, i) ==
			row->outcomes[i].outcome,
		    "recipient %zu: %d, not %d", i,
		    (int)smtptls_message_outcome(talk->message, i),
		    (int)row->outcomes[i].outcome);
		ck_assert_int_eq(smtptls_message_reply_code(talk->message, i),
		    row->outcomes[i].code);
		/* Whatever it was, there is a word about it. */
		if (row->outcomes[i].outcome != ACCEPTED)
			ck_assert_str_ne(
			    smtptls_message_reply_text(talk->message, i), "");
	}
	ck_assert_uint_eq(smtptls_message_recipients(talk->message), i);
	if (row->status != SMTPTLS_OK)
		ck_assert_str_ne(smtptls_message_error(talk->message), "");
}

#define BOB "bob@example.org"
#define CAROL "carol@example.org"
#define DAVE "dave@example.org"

static const struct row by_reply[] = {
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "251 will forward\r\n"), DATA,
	      STEP(CONTENT), SEND("250 queued\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "550 5.1.1 who\r\n"),
	      RCPT("dave", "450 4.2.1 later\r\n"), DATA, STEP(CONTENT),
	      SEND("250 queued\r\n") },
	    { BOB, CAROL, DAVE }, false, SMTPTLS_E_PARTIAL,
	    { { ACCEPTED, 250 }, { REFUSED, 550 }, { LATER, 450 } } },
	{ { OFFER, MAIL, RCPT("bob", "550 5.1.1 who\r\n"),
	      RCPT("carol", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("250 queued\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_E_PARTIAL,
	    { { REFUSED, 550 }, { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, RCPT("bob", "550 5.1.1 who\r\n"), RSET }, { BOB },
	    false, SMTPTLS_E_REFUSED, { { REFUSED, 550 } } },
	{ { OFFER, MAIL, RCPT("bob", "550 5.1.1 who\r\n"),
	      RCPT("carol", "450 4.2.1 later\r\n"), RSET },
	    { BOB, CAROL }, false, SMTPTLS_E_REFUSED_LATER,
	    { { REFUSED, 550 }, { LATER, 450 } } },
	{ { OFFER, MAIL, RCPT("bob", "450 later\r\n"), RSET }, { BOB }, false,
	    SMTPTLS_E_REFUSED_LATER, { { LATER, 450 } } },
	/* MAIL refused: there is nothing to undo. */
	{ { OFFER, PREFIX("MAIL"), SEND("550 5.7.1 no\r\n") }, { BOB, CAROL },
	    false, SMTPTLS_E_REFUSED, { { REFUSED, 550 }, { REFUSED, 550 } } },
	{ { OFFER, PREFIX("MAIL"), SEND("451 4.7.1 greylisted\r\n") }, { BOB },
	    false, SMTPTLS_E_REFUSED_LATER, { { LATER, 451 } } },
	/* DATA refused: about those who were taken. */
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "550 who\r\n"), LINE("DATA"),
	      SEND("451 4.3.0 no space\r\n"), RSET },
	    { BOB, CAROL }, false, SMTPTLS_E_REFUSED_LATER,
	    { { LATER, 451 }, { REFUSED, 550 } } },
	{ { OFFER, MAIL, BOB_TAKEN, LINE("DATA"),
	      SEND("554 5.5.1 no valid recipients\r\n"), RSET },
	    { BOB }, false, SMTPTLS_E_REFUSED, { { REFUSED, 554 } } },
	/* The content refused. */
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "450 later\r\n"), DATA,
	      STEP(CONTENT), SEND("554 5.7.1 spam\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_E_REFUSED_LATER,
	    { { REFUSED, 554 }, { LATER, 450 } } },
	{ { OFFER, MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("452 4.3.1 full\r\n") },
	    { BOB }, false, SMTPTLS_E_REFUSED_LATER, { { LATER, 452 } } },
	{ { OFFER, MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("552 5.3.4 too big\r\n") },
	    { BOB }, false, SMTPTLS_E_REFUSED, { { REFUSED, 552 } } },
	/* All or nothing. */
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "550 5.1.1 who\r\n"), RSET },
	    { BOB, CAROL }, true, SMTPTLS_E_REFUSED,
	    { { NOT_TRIED, 0 }, { REFUSED, 550 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "450 4.2.1 later\r\n"),
	      RSET },
	    { BOB, CAROL }, true, SMTPTLS_E_REFUSED_LATER,
	    { { NOT_TRIED, 0 }, { LATER, 450 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "250 ok\r\n"), DATA,
	      STEP(CONTENT), SEND("250 queued\r\n") },
	    { BOB, CAROL }, true, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 250 } } },
	/* RFC 5321 section 4.5.3.1.10: who is too many gets another one. */
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "452 4.5.3 too many\r\n"),
	      DATA, STEP(CONTENT), SEND("250 queued\r\n"), MAIL,
	      RCPT("carol", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("251 queued\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 251 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "452 4.5.3 too many\r\n"),
	      DATA, STEP(CONTENT), SEND("250 queued\r\n"), MAIL,
	      RCPT("carol", "452 4.5.3 still too many\r\n"), RSET },
	    { BOB, CAROL }, false, SMTPTLS_E_PARTIAL,
	    { { ACCEPTED, 250 }, { LATER, 452 } } },
};

START_TEST(outcome_is_what_the_replies_say)
{
	const struct row *row = &by_reply[ROW(_i)];
	struct talk talk;

	talk_begin(&talk, MODE(_i), row->script);
	set_message(&talk, row);
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	assert_outcomes(&talk, row);
	/* The conversation goes on, there is just nothing to say. */
	ck_assert_int_eq(smtptls_client_drive(talk.client), SMTPTLS_OK);
	talk_finish(&talk);
}
END_TEST

enum how {
	BY_CLOSE,
	BY_RESET,
	BY_BYE,
	HOWS
};

static const struct step hows[HOWS] = {
	STEP(CLOSE),
	STEP(RESET),
	STEP(BYE),
};

static const struct row ended[] = {
	{ { OFFER, PREFIX("MAIL") }, { BOB }, false, SMTPTLS_E_IO,
	    { { NOT_TRIED, 0 } } },
	{ { OFFER, MAIL, LINE("RCPT TO:<bob@example.org>") }, { BOB, CAROL },
	    false, SMTPTLS_E_IO, { { NOT_TRIED, 0 }, { NOT_TRIED, 0 } } },
	{ { OFFER, MAIL, RCPT("bob", "550 who\r\n"),
	      LINE("RCPT TO:<carol@example.org>") },
	    /* It is worth trying again, for carol. */
	    { BOB, CAROL }, false, SMTPTLS_E_IO,
	    { { REFUSED, 550 }, { NOT_TRIED, 0 } } },
	{ { OFFER, MAIL, BOB_TAKEN, LINE("DATA") }, { BOB }, false,
	    SMTPTLS_E_IO, { { NOT_TRIED, 0 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "550 who\r\n"), DATA,
	      STEP(CONTENT) },
	    { BOB, CAROL }, false, SMTPTLS_E_IN_DOUBT,
	    { { IN_DOUBT, 0 }, { REFUSED, 550 } } },
	/* Half an answer is none. */
	{ { OFFER, MAIL, BOB_TAKEN, DATA, STEP(CONTENT), SEND("250 queu") },
	    { BOB }, false, SMTPTLS_E_IN_DOUBT, { { IN_DOUBT, 0 } } },
	{ { OFFER, MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("250-queued\r\n") },
	    { BOB }, false, SMTPTLS_E_IN_DOUBT, { { IN_DOUBT, 0 } } },
	/* A whole one is. */
	{ { OFFER, MAIL, BOB_TAKEN, DATA, STEP(CONTENT),
	      SEND("250 queued\r\n") },
	    { BOB }, false, SMTPTLS_OK, { { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, BOB_TAKEN, DATA, STEP(CONTENT), SEND("554 spam\r\n") },
	    { BOB }, false, SMTPTLS_E_REFUSED, { { REFUSED, 554 } } },
};

/* A status that says what happened to a recipient, not to a connection. */
static bool
is_expected(int r, const struct row *row)
{
	if (r == row->status)
		return true;
	/* TLS calls an end without close_notify an error of its own. */
	return row->status == SMTPTLS_E_IO && r == SMTPTLS_E_TLS;
}

START_TEST(connection_that_ends_leaves_an_outcome)
{
	const struct row *row = &ended[ROW(_i) / HOWS];
	const struct step *how = &hows[ROW(_i) % HOWS];
	struct step script[36];
	struct talk talk;
	size_t n = 0;
	int r;

	/* A reset may overtake what was sent before it. */
	if (how->kind == STEP_RESET && ROW(_i) / HOWS >= 5)
		return;
	while (row->script[n].kind != STEP_END) {
		script[n] = row->script[n];
		n++;
	}
	script[n++] = *how;
	script[n] = (struct step)END;

	talk_begin(&talk, MODE(_i), script);
	set_message(&talk, row);
	r = talk_send(&talk);
	ck_assert_msg(is_expected(r, row), "%d, not %d: %s", r, row->status,
	    smtptls_message_error(talk.message));
	assert_outcomes(&talk, row);
	talk_finish(&talk);
}
END_TEST

static const struct row lmtp[] = {
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "250 ok\r\n"), DATA,
	      STEP(CONTENT), SEND("250 2.0.0 bob\r\n250 2.0.0 c\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "550 no\r\n"),
	      RCPT("dave", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("452 4.2.2 full\r\n"), SEND("250 2.0.0 dave\r\n") },
	    { BOB, CAROL, DAVE }, false, SMTPTLS_E_PARTIAL,
	    { { LATER, 452 }, { REFUSED, 550 }, { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "250 ok\r\n"), DATA,
	      STEP(CONTENT), SEND("550 no\r\n"), SEND("550 no\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_E_REFUSED,
	    { { REFUSED, 550 }, { REFUSED, 550 } } },
	/* The second answer is lost: the first stands. */
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "250 ok\r\n"), DATA,
	      STEP(CONTENT), SEND("250 2.0.0 bob\r\n"), STEP(BYE) },
	    { BOB, CAROL }, false, SMTPTLS_E_PARTIAL,
	    { { ACCEPTED, 250 }, { IN_DOUBT, 0 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "250 ok\r\n"), DATA,
	      STEP(CONTENT), SEND("550 no\r\n"), STEP(BYE) },
	    { BOB, CAROL }, false, SMTPTLS_E_IN_DOUBT,
	    { { REFUSED, 550 }, { IN_DOUBT, 0 } } },
	{ { OFFER, MAIL, BOB_TAKEN, RCPT("carol", "250 ok\r\n"), DATA,
	      STEP(CONTENT), SEND("421 down\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_E_IN_DOUBT,
	    { { LATER, 421 }, { IN_DOUBT, 0 } } },
	/* All refused: no DATA, one RSET. */
	{ { OFFER, MAIL, RCPT("bob", "550 no\r\n"), RSET }, { BOB }, false,
	    SMTPTLS_E_REFUSED, { { REFUSED, 550 } } },
};

START_TEST(lmtp_answers_for_each_recipient)
{
	const struct row *row = &lmtp[STARTTLS_ROW(_i)];
	struct talk talk;

	talk_begin_lmtp(&talk, STARTTLS_MODE(_i), row->script);
	set_message(&talk, row);
	talk_assert_failed(&talk, talk_send(&talk), row->status, NULL);
	assert_outcomes(&talk, row);
	talk_finish(&talk);
}
END_TEST

static const struct step lmtp_one_too_many[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	STEP(CONTENT),
	SEND("250 bob\r\n250 who?\r\n"),
	END,
};

START_TEST(lmtp_answer_too_many_spoils_the_connection_alone)
{
	struct talk talk;

	talk_begin_lmtp(&talk, _i, lmtp_one_too_many);
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_PROTOCOL);
	talk_finish(&talk);
}
END_TEST

START_TEST(message_that_is_not_complete_is_refused)
{
	static const struct step nothing[] = { STEP(SWALLOW), END };
	struct talk talk;

	talk_begin_raw(&talk, STARTTLS_BLOCKING, nothing);
	ck_assert_ok(smtptls_message_new(&talk.message));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_INVALID);
	ck_assert_ok(smtptls_message_set_sender(talk.message, "<>"));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_INVALID);
	ck_assert_ok(
	    smtptls_message_add_recipient(talk.message, TALK_RECIPIENT));
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_INVALID);
	ck_assert_str_eq(
	    smtptls_message_error(talk.message), "the content is missing");
	ck_assert_int_eq(
	    smtptls_client_send(talk.client, NULL), SMTPTLS_E_INVALID);
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("outcomes");
	TCase *tc = talk_case(suite, "outcomes");

	add_rows_in_modes(tc, outcome_is_what_the_replies_say, by_reply);
	talk_add(tc, connection_that_ends_leaves_an_outcome, COUNT(ended),
	    HOWS * MODES);
	add_rows_in_starttls_modes(tc, lmtp_answers_for_each_recipient, lmtp);
	add_in_starttls_modes(
	    tc, lmtp_answer_too_many_spoils_the_connection_alone);
	tcase_add_test(tc, message_that_is_not_complete_is_refused);
	return talk_run(suite);
}
