/* SPDX-License-Identifier: MIT */
/* What becomes of each recipient, whatever happens to the connection. */
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "client/talk.h"

#define OFFER SEND("250-mail.example.org\r\n250 SIZE 100000000\r\n")
#define MAIL PREFIX("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n")
#define RCPT(name, reply) LINE("RCPT TO:<" name "@example.org>"), SEND(reply)
#define DATA LINE("DATA"), SEND("354 go\r\n")
#define RSET LINE("RSET"), SEND("250 ok\r\n")

#define RECIPIENTS_MAX 4
#define NOT_TRIED SMTPTLS_OUTCOME_NOT_TRIED
#define ACCEPTED SMTPTLS_OUTCOME_ACCEPTED
#define LATER SMTPTLS_OUTCOME_REFUSED_LATER
#define REFUSED SMTPTLS_OUTCOME_REFUSED
#define IN_DOUBT SMTPTLS_OUTCOME_IN_DOUBT

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
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "251 will forward\r\n"), DATA, STEP(CONTENT),
	      SEND("250 queued\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "550 5.1.1 who\r\n"),
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
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "550 who\r\n"), LINE("DATA"),
	      SEND("451 4.3.0 no space\r\n"), RSET },
	    { BOB, CAROL }, false, SMTPTLS_E_REFUSED_LATER,
	    { { LATER, 451 }, { REFUSED, 550 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), LINE("DATA"),
	      SEND("554 5.5.1 no valid recipients\r\n"), RSET },
	    { BOB }, false, SMTPTLS_E_REFUSED, { { REFUSED, 554 } } },
	/* The content refused. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "450 later\r\n"), DATA, STEP(CONTENT),
	      SEND("554 5.7.1 spam\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_E_REFUSED_LATER,
	    { { REFUSED, 554 }, { LATER, 450 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("452 4.3.1 full\r\n") },
	    { BOB }, false, SMTPTLS_E_REFUSED_LATER, { { LATER, 452 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("552 5.3.4 too big\r\n") },
	    { BOB }, false, SMTPTLS_E_REFUSED, { { REFUSED, 552 } } },
	/* All or nothing. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "550 5.1.1 who\r\n"), RSET },
	    { BOB, CAROL }, true, SMTPTLS_E_REFUSED,
	    { { NOT_TRIED, 0 }, { REFUSED, 550 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "450 4.2.1 later\r\n"), RSET },
	    { BOB, CAROL }, true, SMTPTLS_E_REFUSED_LATER,
	    { { NOT_TRIED, 0 }, { LATER, 450 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), RCPT("carol", "250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("250 queued\r\n") },
	    { BOB, CAROL }, true, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 250 } } },
	/* RFC 5321 section 4.5.3.1.10: who is too many gets another one. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "452 4.5.3 too many\r\n"), DATA, STEP(CONTENT),
	      SEND("250 queued\r\n"), MAIL, RCPT("carol", "250 ok\r\n"), DATA,
	      STEP(CONTENT), SEND("251 queued\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 251 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "452 4.5.3 too many\r\n"), DATA, STEP(CONTENT),
	      SEND("250 queued\r\n"), MAIL,
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

/* --- the connection ends --- */

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
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), LINE("DATA") }, { BOB },
	    false, SMTPTLS_E_IO, { { NOT_TRIED, 0 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"),
	      RCPT("carol", "550 who\r\n"), DATA, STEP(CONTENT) },
	    { BOB, CAROL }, false, SMTPTLS_E_IN_DOUBT,
	    { { IN_DOUBT, 0 }, { REFUSED, 550 } } },
	/* Half an answer is none. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("250 queu") },
	    { BOB }, false, SMTPTLS_E_IN_DOUBT, { { IN_DOUBT, 0 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("250-queued\r\n") },
	    { BOB }, false, SMTPTLS_E_IN_DOUBT, { { IN_DOUBT, 0 } } },
	/* A whole one is. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("250 queued\r\n") },
	    { BOB }, false, SMTPTLS_OK, { { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("554 spam\r\n") },
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

/* --- in doubt, exactly --- */

/*
 * The content is large and the server stops reading: part of it is under way,
 * the last octet was never handed over.
 */
static const struct step stops_reading[] = {
	OFFER,
	MAIL,
	RCPT("bob", "250 ok\r\n"),
	DATA,
	OCTETS(1000),
	STEP(STALL),
	STEP(SWALLOW),
	END,
};

static const struct step cuts_content[] = {
	OFFER,
	MAIL,
	RCPT("bob", "250 ok\r\n"),
	DATA,
	OCTETS(1000),
	STEP(RESET),
	END,
};

static const struct step *const in_mid_content[] = {
	stops_reading,
	cuts_content,
};

START_TEST(content_that_was_not_sent_to_its_end_is_not_in_doubt)
{
	static char big[32 * 1024 * 1024];
	struct talk talk;
	int r;

	memset(big, 'x', sizeof(big));
	talk_begin(&talk, MODE(_i), in_mid_content[ROW(_i)]);
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_DATA_BLOCK, 200));
	talk_set_content(&talk, big, sizeof(big));
	r = talk_send(&talk);
	if (ROW(_i) == 0)
		ck_assert_int_eq(r, SMTPTLS_E_TIMEOUT);
	else
		ck_assert_msg(r == SMTPTLS_E_IO || r == SMTPTLS_E_TLS, "%d", r);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), NOT_TRIED);
	talk_finish(&talk);
}
END_TEST

static const struct step never_answers[] = {
	OFFER,
	MAIL,
	RCPT("bob", "250 ok\r\n"),
	DATA,
	STEP(CONTENT),
	STEP(STALL),
	END,
};

START_TEST(end_of_data_without_an_answer_is_in_doubt)
{
	struct talk talk;

	talk_begin(&talk, _i, never_answers);
	ck_assert_ok(smtptls_client_set_timeout_ms(
	    talk.client, SMTPTLS_PHASE_DATA_END, 100));
	talk_set_message(&talk);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_IN_DOUBT, NULL);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), IN_DOUBT);
	ck_assert_int_eq(smtptls_client_noop(talk.client), SMTPTLS_E_TIMEOUT);
	talk_finish(&talk);
}
END_TEST

/* --- an answer in the middle of the content --- */

struct pausing_source {
	const char *text;
	size_t sent;
	sem_t may_go_on;
	int after; /* octets before the pause */
};

static struct pausing_source source;

static void
let_source_go_on(void *arg)
{
	(void)arg;
	sem_post(&source.may_go_on);
}

/* Some text, then nothing until the server says so, then the rest. */
static int
read_pausing(void *buf, size_t cap, size_t *out_len, void *arg)
{
	size_t left = strlen(source.text) - source.sent, n = left;

	(void)arg;
	if (source.sent == 0)
		n = (size_t)source.after;
	else if (source.sent == (size_t)source.after &&
	    sem_trywait(&source.may_go_on) < 0)
		return SMTPTLS_AGAIN;
	if (n > cap)
		n = cap;
	memcpy(buf, source.text + source.sent, n);
	source.sent += n;
	*out_len = n;
	return SMTPTLS_OK;
}

static void
begin_pausing(struct talk *talk, int mode, const struct step *script)
{
	sem_init(&source.may_go_on, 0, 0);
	source.text = TALK_CONTENT;
	source.sent = 0;
	source.after = 10;
	talk_begin(talk, mode, script);
	ck_assert_ok(smtptls_message_new(&talk->message));
	ck_assert_ok(smtptls_message_set_sender(talk->message, TALK_SENDER));
	ck_assert_ok(
	    smtptls_message_add_recipient(talk->message, TALK_RECIPIENT));
	ck_assert_ok(smtptls_message_set_body_cb(
	    talk->message, read_pausing, NULL, NULL));
}

static const struct answer_in_mid_content {
	const struct step script[16];
	int code;
	enum smtptls_outcome outcome;
	int reply;
} answers_in_mid_content[] = {
	/* Every client that was tried was fooled by this one. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, OCTETS(10),
	      SEND("250 queued\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_PROTOCOL, NOT_TRIED, 0 },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), LINE("DATA"),
	      SEND("354 go\r\n250 queued\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_PROTOCOL, NOT_TRIED, 0 },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, OCTETS(10),
	      SEND("354 go on\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_PROTOCOL, NOT_TRIED, 0 },
	/* A refusal is the outcome, and stops the content. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, OCTETS(10),
	      SEND("552 5.3.4 too big\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_REFUSED, REFUSED, 552 },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, OCTETS(10),
	      SEND("451 4.3.0 disk full\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_REFUSED_LATER, LATER, 451 },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, OCTETS(10),
	      SEND("421 4.3.2 going down\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_REFUSED_LATER, LATER, 421 },
	/* And is found when the connection is gone after it. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), DATA, OCTETS(10),
	      SEND("552 5.3.4 too big\r\n"), STEP(CLOSE),
	      CALL(let_source_go_on, NULL) },
	    SMTPTLS_E_REFUSED, REFUSED, 552 },
};

START_TEST(answer_in_mid_content_is_the_end_of_it)
{
	const struct answer_in_mid_content *row =
	    &answers_in_mid_content[ROW(_i)];
	struct talk talk;

	begin_pausing(&talk, MODE(_i), row->script);
	talk_assert_failed(&talk, talk_send(&talk), row->code, NULL);
	ck_assert_int_eq(
	    smtptls_message_outcome(talk.message, 0), row->outcome);
	ck_assert_int_eq(
	    smtptls_message_reply_code(talk.message, 0), row->reply);
	talk_hang_up(&talk);
	/* The final dot was not sent. */
	ck_assert(!received_has(server_inside(talk.server), "\r\n.\r\n"));
	talk_end(&talk);
	sem_destroy(&source.may_go_on);
}
END_TEST

/*
 * A refusal while a large content is on its way, by a server that then closes
 * with unread input, so that the client's writing fails: what has arrived is
 * read before that.
 */
static const struct step refuses_large[] = {
	OFFER,
	MAIL,
	RCPT("bob", "250 ok\r\n"),
	DATA,
	OCTETS(1000),
	SEND("552 5.3.4 too big\r\n"),
	STEP(STALL),
	STEP(SWALLOW),
	END,
};

START_TEST(refusal_is_noticed_while_a_large_content_is_sent)
{
	static char big[32 * 1024 * 1024];
	struct talk talk;

	memset(big, 'x', sizeof(big));
	talk_begin(&talk, _i, refuses_large);
	talk_set_content(&talk, big, sizeof(big));
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_REFUSED, "552 5.3.4 too big");
	talk_finish(&talk);
}
END_TEST

/* --- one message after another --- */

#define ACCEPT_ONE                                                             \
	MAIL, RCPT("bob", "250 ok\r\n"), DATA, STEP(CONTENT),                  \
	    SEND("250 queued\r\n")

static const struct step two_messages[] = {
	OFFER,
	ACCEPT_ONE,
	ACCEPT_ONE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(messages_follow_each_other_on_one_connection)
{
	struct talk talk;

	talk_begin(&talk, _i, two_messages);
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	smtptls_message_free(talk.message);
	talk.message = NULL;
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	ck_assert_ok(talk_quit(&talk));
	talk_hang_up(&talk);
	ck_assert_int_eq(server_connections(talk.server), 1);
	ck_assert_uint_eq(
	    server_content(talk.server, 0)->len, sizeof(TALK_CONTENT) - 1);
	ck_assert_uint_eq(
	    server_content(talk.server, 1)->len, sizeof(TALK_CONTENT) - 1);
	talk_end(&talk);
}
END_TEST

static const struct step refused_then_accepted[] = {
	OFFER,
	MAIL,
	RCPT("bob", "450 later\r\n"),
	RCPT("carol", "250 ok\r\n"),
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	/* Only who was not accepted. */
	MAIL,
	RCPT("bob", "250 ok\r\n"),
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	END,
};

START_TEST(message_sent_again_goes_to_who_has_not_got_it)
{
	static const struct row row = { .recipients = { BOB, CAROL } };
	struct talk talk;

	talk_begin(&talk, _i, refused_then_accepted);
	set_message(&talk, &row);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_PARTIAL);
	ck_assert_ok(talk_send(&talk));
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), ACCEPTED);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 1), ACCEPTED);
	/* Now everybody has it. */
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), ACCEPTED);
	talk_finish(&talk);
}
END_TEST

static const struct step refused_then_next[] = {
	OFFER,
	MAIL,
	RCPT("bob", "550 who\r\n"),
	RSET,
	ACCEPT_ONE,
	END,
};

START_TEST(refused_message_leaves_the_connection_to_the_next)
{
	struct talk talk;

	talk_begin(&talk, _i, refused_then_next);
	talk_set_message(&talk);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED);
	smtptls_message_free(talk.message);
	talk.message = NULL;
	talk_set_message(&talk);
	ck_assert_ok(talk_send(&talk));
	talk_finish(&talk);
}
END_TEST

/* A server that does not forget cannot be given another message. */
static const struct step reset_refused[] = {
	OFFER,
	MAIL,
	RCPT("bob", "550 who\r\n"),
	LINE("RSET"),
	SEND("500 what\r\n"),
	END,
};

START_TEST(refused_reset_ends_the_connection)
{
	struct talk talk;

	talk_begin(&talk, _i, reset_refused);
	talk_set_message(&talk);
	ck_assert_int_eq(talk_send(&talk), SMTPTLS_E_REFUSED);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), REFUSED);
	ck_assert_int_lt(smtptls_client_noop(talk.client), 0);
	talk_finish(&talk);
}
END_TEST

static const struct step submitted_together[] = {
	OFFER,
	ACCEPT_ONE,
	MAIL,
	RCPT("bob", "550 who\r\n"),
	RSET,
	ACCEPT_ONE,
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

START_TEST(submitted_messages_are_done_in_their_order)
{
	static const int expected[] = { SMTPTLS_OK, SMTPTLS_E_REFUSED,
		SMTPTLS_OK };
	struct smtptls_message *messages[3], *done;
	struct talk talk;
	int i;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP,
	    submitted_together);
	ck_assert_ok(smtptls_client_start(talk.client));
	for (i = 0; i < 3; i++) {
		talk_set_message(&talk);
		messages[i] = talk.message;
		talk.message = NULL;
		ck_assert_ok(smtptls_client_submit(talk.client, messages[i]));
	}
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	ck_assert_ok(talk_drive(&talk));
	for (i = 0; i < 3; i++) {
		done = smtptls_client_next_done(talk.client);
		ck_assert_ptr_eq(done, messages[i]);
		ck_assert_int_eq(smtptls_message_status(done), expected[i]);
		smtptls_message_free(done);
		smtptls_message_free(messages[i]);
	}
	ck_assert_ptr_null(smtptls_client_next_done(talk.client));
	talk_finish(&talk);
}
END_TEST

static const struct step refused_for_now[] = {
	OFFER,
	PREFIX("MAIL FROM:<alice@example.org>"),
	SEND("451 later\r\n"),
	MAIL,
	RCPT("bob", "250 ok\r\n"),
	DATA,
	STEP(CONTENT),
	SEND("250 queued\r\n"),
	LINE("QUIT"),
	SEND("221 bye\r\n"),
	END,
};

/* It is in one list at a time, of one client. */
START_TEST(message_is_not_submitted_again_before_it_was_given_back)
{
	struct smtptls_message *done;
	struct talk talk;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP,
	    refused_for_now);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(talk_drive(&talk));
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_REFUSED_LATER);
	ck_assert_int_eq(
	    smtptls_client_submit(talk.client, talk.message), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_REFUSED_LATER);

	done = smtptls_client_next_done(talk.client);
	ck_assert_ptr_eq(done, talk.message);
	smtptls_message_free(done);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_start_quit(talk.client));
	ck_assert_ok(talk_drive(&talk));
	ck_assert_ok(smtptls_message_status(talk.message));
	talk_finish(&talk);
}
END_TEST

/* --- freeing --- */

/* One that was handed over, one that was not begun. */
START_TEST(freeing_gives_every_message_its_outcome)
{
	struct smtptls_message *second;
	struct pollfd fds[8];
	struct talk talk;
	size_t n;

	talk_begin(&talk,
	    STARTTLS_MODE(_i) == 0 ? STARTTLS_LOOP : IMPLICIT_LOOP,
	    never_answers);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	second = talk.message;
	talk.message = NULL;
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	ck_assert_ok(smtptls_client_submit(talk.client, second));
	while (strcmp(smtptls_client_step(talk.client), "end of data") != 0) {
		ck_assert_int_eq(
		    smtptls_client_drive(talk.client), SMTPTLS_AGAIN);
		if (strcmp(smtptls_client_step(talk.client), "end of data") ==
		    0)
			break;
		n = smtptls_client_pollfds(talk.client, fds, 8);
		ck_assert_int_ge(poll(fds, (nfds_t)n, 20000), 1);
	}
	/* Until the last octets have left. */
	do {
		ck_assert_int_eq(
		    smtptls_client_drive(talk.client), SMTPTLS_AGAIN);
		n = smtptls_client_pollfds(talk.client, fds, 8);
		ck_assert_uint_eq(n, 1);
	} while ((fds[0].events & POLLOUT) != 0);

	smtptls_client_free(talk.client);
	talk.client = NULL;
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_IN_DOUBT);
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), IN_DOUBT);
	ck_assert_int_eq(smtptls_message_status(second), SMTPTLS_E_CANCELLED);
	ck_assert_int_eq(smtptls_message_outcome(second, 0), NOT_TRIED);
	smtptls_message_free(second);
	talk_finish(&talk);
}
END_TEST

START_TEST(message_outlives_its_client)
{
	struct talk talk;

	talk_begin(&talk, STARTTLS_LOOP, never_answers);
	ck_assert_ok(smtptls_client_start(talk.client));
	talk_set_message(&talk);
	ck_assert_ok(smtptls_client_submit(talk.client, talk.message));
	/* A setter has to wait for the outcome. */
	ck_assert_int_eq(
	    smtptls_message_add_recipient(talk.message, "carol@example.org"),
	    SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_submit(talk.client, talk.message), SMTPTLS_E_STATE);
	smtptls_client_free(talk.client);
	talk.client = NULL;
	ck_assert_int_eq(
	    smtptls_message_status(talk.message), SMTPTLS_E_CANCELLED);
	ck_assert_str_ne(smtptls_message_error(talk.message), "");
	ck_assert_ok(
	    smtptls_message_add_recipient(talk.message, "carol@example.org"));
	talk_hang_up_early(&talk);
	talk_end(&talk);
}
END_TEST

/* --- LMTP --- */

static const struct row lmtp[] = {
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), RCPT("carol", "250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("250 2.0.0 bob\r\n250 2.0.0 c\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_OK,
	    { { ACCEPTED, 250 }, { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), RCPT("carol", "550 no\r\n"),
	      RCPT("dave", "250 ok\r\n"), DATA, STEP(CONTENT),
	      SEND("452 4.2.2 full\r\n"), SEND("250 2.0.0 dave\r\n") },
	    { BOB, CAROL, DAVE }, false, SMTPTLS_E_PARTIAL,
	    { { LATER, 452 }, { REFUSED, 550 }, { ACCEPTED, 250 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), RCPT("carol", "250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("550 no\r\n"), SEND("550 no\r\n") },
	    { BOB, CAROL }, false, SMTPTLS_E_REFUSED,
	    { { REFUSED, 550 }, { REFUSED, 550 } } },
	/* The second answer is lost: the first stands. */
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), RCPT("carol", "250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("250 2.0.0 bob\r\n"), STEP(BYE) },
	    { BOB, CAROL }, false, SMTPTLS_E_PARTIAL,
	    { { ACCEPTED, 250 }, { IN_DOUBT, 0 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), RCPT("carol", "250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("550 no\r\n"), STEP(BYE) },
	    { BOB, CAROL }, false, SMTPTLS_E_IN_DOUBT,
	    { { REFUSED, 550 }, { IN_DOUBT, 0 } } },
	{ { OFFER, MAIL, RCPT("bob", "250 ok\r\n"), RCPT("carol", "250 ok\r\n"),
	      DATA, STEP(CONTENT), SEND("421 down\r\n") },
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
	RCPT("bob", "250 ok\r\n"),
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

/* --- what cannot be sent --- */

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
	add_rows_in_modes(tc,
	    content_that_was_not_sent_to_its_end_is_not_in_doubt,
	    in_mid_content);
	add_in_modes(tc, end_of_data_without_an_answer_is_in_doubt);
	add_rows_in_modes(
	    tc, answer_in_mid_content_is_the_end_of_it, answers_in_mid_content);
	add_in_modes(tc, refusal_is_noticed_while_a_large_content_is_sent);
	add_in_modes(tc, messages_follow_each_other_on_one_connection);
	add_in_modes(tc, message_sent_again_goes_to_who_has_not_got_it);
	add_in_modes(tc, refused_message_leaves_the_connection_to_the_next);
	add_in_modes(tc, refused_reset_ends_the_connection);
	tcase_add_loop_test(
	    tc, submitted_messages_are_done_in_their_order, 0, 2);
	tcase_add_loop_test(
	    tc, message_is_not_submitted_again_before_it_was_given_back, 0, 2);
	tcase_add_loop_test(tc, freeing_gives_every_message_its_outcome, 0, 2);
	tcase_add_test(tc, message_outlives_its_client);
	add_rows_in_starttls_modes(tc, lmtp_answers_for_each_recipient, lmtp);
	add_in_starttls_modes(
	    tc, lmtp_answer_too_many_spoils_the_connection_alone);
	tcase_add_test(tc, message_that_is_not_complete_is_refused);
	return talk_run(suite);
}
