/* SPDX-License-Identifier: MIT */
/* Content that does not arrive as a whole, or is answered before. */
#include <semaphore.h>
#include <string.h>

#include "client/envelope.h"

/*
 * The content is large and the server stops reading: part of it is under way,
 * the last octet was never handed over.
 */
static const struct step stops_reading[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
	DATA,
	OCTETS(1000),
	STEP(STALL),
	STEP(SWALLOW),
	END,
};

static const struct step cuts_content[] = {
	OFFER,
	MAIL,
	BOB_TAKEN,
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
	BOB_TAKEN,
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
	{ { OFFER, MAIL, BOB_TAKEN, DATA, OCTETS(10), SEND("250 queued\r\n"),
	      CALL(let_source_go_on, NULL), STEP(SWALLOW) },
	    SMTPTLS_E_PROTOCOL, NOT_TRIED, 0 },
	{ { OFFER, MAIL, BOB_TAKEN, LINE("DATA"),
	      SEND("354 go\r\n250 queued\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_PROTOCOL, NOT_TRIED, 0 },
	{ { OFFER, MAIL, BOB_TAKEN, DATA, OCTETS(10), SEND("354 go on\r\n"),
	      CALL(let_source_go_on, NULL), STEP(SWALLOW) },
	    SMTPTLS_E_PROTOCOL, NOT_TRIED, 0 },
	/* A refusal is the outcome, and stops the content. */
	{ { OFFER, MAIL, BOB_TAKEN, DATA, OCTETS(10),
	      SEND("552 5.3.4 too big\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_REFUSED, REFUSED, 552 },
	{ { OFFER, MAIL, BOB_TAKEN, DATA, OCTETS(10),
	      SEND("451 4.3.0 disk full\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_REFUSED_LATER, LATER, 451 },
	{ { OFFER, MAIL, BOB_TAKEN, DATA, OCTETS(10),
	      SEND("421 4.3.2 going down\r\n"), CALL(let_source_go_on, NULL),
	      STEP(SWALLOW) },
	    SMTPTLS_E_REFUSED_LATER, LATER, 421 },
	/* And is found when the connection is gone after it. */
	{ { OFFER, MAIL, BOB_TAKEN, DATA, OCTETS(10),
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
	BOB_TAKEN,
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

int
main(void)
{
	Suite *suite = suite_create("outcomes content");
	TCase *tc = talk_case(suite, "outcomes content");

	add_rows_in_modes(tc,
	    content_that_was_not_sent_to_its_end_is_not_in_doubt,
	    in_mid_content);
	add_in_modes(tc, end_of_data_without_an_answer_is_in_doubt);
	add_rows_in_modes(
	    tc, answer_in_mid_content_is_the_end_of_it, answers_in_mid_content);
	add_in_modes(tc, refusal_is_noticed_while_a_large_content_is_sent);
	return talk_run(suite);
}
