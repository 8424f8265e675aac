/* SPDX-License-Identifier: MIT */
/* What is in the air when the connection is lost, or the server lies. */
#include <arpa/inet.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "client/flights.h"

#define P OFFER(PIPELINING)
#define PC OFFER(PIPELINING CHUNKING)
/* The first content and the second envelope have come. */
#define FIRST P, ENVELOPE, SEND(OK OK GO), CONTENT, ENVELOPE

#define REFUSED_BY(code) SENT_ONE(SMTPTLS_E_REFUSED, REFUSED, code)
#define LATER_BY(code) SENT_ONE(SMTPTLS_E_REFUSED_LATER, LATER, code)
#define BROKEN SENT_ONE(SMTPTLS_E_PROTOCOL, NOT_TRIED, 0)
#define LATE SENT_ONE(SMTPTLS_E_TIMEOUT, NOT_TRIED, 0)

/* --- the connection ends --- */

static const struct step hows[] = { STEP(CLOSE), STEP(RESET), STEP(BYE) };

static const struct lost {
	/* A reset may overtake what was said right before it. */
	bool says_something;
	struct flight flight;
} lost[] = {
	{ false,
	    { .script = { P, ENVELOPE },
		.end = SMTPTLS_E_IO,
		.sent = { SENT_LOST, SENT_LOST } } },
	{ true,
	    { .script = { P, ENVELOPE, SEND(OK) },
		.end = SMTPTLS_E_IO,
		.sent = { SENT_LOST, SENT_LOST } } },
	{ true,
	    { .script = { P, MAIL, BOB, CAROL, DATA, SEND(OK "550 who\r\n") },
		.end = SMTPTLS_E_IO,
		.sent = { { 2, .status = SMTPTLS_E_IO,
			      .outcomes = { { REFUSED, 550 },
				  { NOT_TRIED, 0 } } },
		    SENT_LOST } } },
	{ false,
	    { .script = { P, ENVELOPE, SEND(OK OK GO), OCTETS(20) },
		.end = SMTPTLS_E_IO,
		.sent = { SENT_IN_DOUBT, SENT_LOST } } },
	{ false,
	    { .script = { FIRST },
		.end = SMTPTLS_E_IO,
		.sent = { SENT_IN_DOUBT, SENT_LOST } } },
	{ true,
	    { .script = { FIRST, SEND("250 queu") },
		.end = SMTPTLS_E_IO,
		.sent = { SENT_IN_DOUBT, SENT_LOST } } },
	{ true,
	    { .script = { FIRST, SEND("250 queued\r\n") },
		.end = SMTPTLS_E_IO,
		.sent = { SENT_OK, SENT_LOST } } },
	{ true,
	    { .script = { FIRST, SEND("250 queued\r\n" OK OK) },
		.end = SMTPTLS_E_IO,
		.sent = { SENT_OK, SENT_LOST } } },
	{ true,
	    { .script = { FIRST, SEND("554 spam\r\n" OK "550 who\r\n") },
		.end = SMTPTLS_E_IO,
		.sent = { REFUSED_BY(554), REFUSED_BY(550) } } },
	{ false,
	    { .script = { FIRST, SEND(OK OK OK GO), CONTENT, QUIT },
		.says_goodbye = true,
		.end = SMTPTLS_E_IO,
		.sent = { SENT_OK, SENT_IN_DOUBT } } },
	/* A lone dot: nobody was to get it. */
	{ false,
	    { .script = { P, ENVELOPE, SEND(OK "550 who\r\n" GO), LINE(".") },
		.end = SMTPTLS_E_IO,
		.sent = { REFUSED_BY(550) } } },
	/* Envelope and content in one flight. */
	{ false,
	    { .script = { PC, WHOLE },
		.level = ONE_FLIGHT,
		.end = SMTPTLS_E_IO,
		.sent = { SENT_IN_DOUBT, SENT_LOST } } },
	{ true,
	    { .script = { PC, MAIL, BOB, CAROL, BDAT,
		  SEND(OK "550 who\r\n" OK) },
		.level = ONE_FLIGHT,
		.end = SMTPTLS_E_IO,
		.sent = { { 2, .status = SMTPTLS_E_IN_DOUBT,
		    .outcomes = { { REFUSED, 550 }, { IN_DOUBT, 0 } } } } } },
	{ true,
	    { .script = { PC, WHOLE, SEND(OK "550 who\r\n") },
		.level = ONE_FLIGHT,
		.end = SMTPTLS_E_IO,
		.sent = { REFUSED_BY(550), SENT_LOST } } },
	{ true,
	    { .script = { PC, WHOLE, SEND("550 not you\r\n") },
		.level = ONE_FLIGHT,
		.end = SMTPTLS_E_IO,
		.sent = { REFUSED_BY(550), SENT_LOST } } },
	/* A window: all that left, and had no answer. */
	{ false,
	    { .script = { PC, WHOLE, WHOLE, WHOLE },
		.level = WINDOW,
		.window = 3,
		.end = SMTPTLS_E_IO,
		.sent = { SENT_IN_DOUBT, SENT_IN_DOUBT, SENT_IN_DOUBT,
		    SENT_LOST } } },
	{ true,
	    { .script = { PC, WHOLE, WHOLE, WHOLE, SEND(OK OK OK OK) },
		.level = WINDOW,
		.end = SMTPTLS_E_IO,
		.sent = { SENT_OK, SENT_IN_DOUBT, SENT_IN_DOUBT } } },
	{ true,
	    { .script = { PC, WHOLE, WHOLE, WHOLE,
		  SEND(OK OK OK OK "550 who\r\n503 no\r\n" OK) },
		.level = WINDOW,
		.end = SMTPTLS_E_IO,
		.sent = { SENT_OK, REFUSED_BY(550), SENT_IN_DOUBT } } },
	/*
	 * It follows a refusal, and its MAIL was refused: it may have been
	 * taken for more of the one in front of it.
	 */
	{ true,
	    { .script = { PC, WHOLE, WHOLE,
		  SEND(OK OK "554 spam\r\n503 nested MAIL\r\n") },
		.level = WINDOW,
		.end = SMTPTLS_E_IO,
		.sent = { REFUSED_BY(554), SENT_IN_DOUBT } } },
};

START_TEST(lost_connection_leaves_in_doubt_what_left_and_was_not_answered)
{
	const struct lost *row = &lost[PAIR_ROW(_i) / COUNT(hows)];
	const struct step *how = &hows[PAIR_ROW(_i) % COUNT(hows)];
	struct flight flight = row->flight;
	size_t n = 0;

	if (how->kind == STEP_RESET && row->says_something)
		return;
	while (flight.script[n].kind != STEP_END)
		n++;
	flight.script[n] = *how;
	/*
	 * The rest of what it began to read; and where a BDAT is refused, the
	 * RSET that may leave before the goodbye is seen.
	 */
	if (how->kind == STEP_BYE &&
	    (flight.script[n - 1].kind == STEP_OCTETS ||
		(row->says_something &&
		    flight.level != SMTPTLS_PIPELINING_STANDARD)))
		flight.script[n + 1] = (struct step)STEP(SWALLOW);
	flight_play(&flight, PAIR_MODE(_i));
}
END_TEST

/* --- 421 --- */

#define DOWN "421 4.3.2 going down\r\n"

static const struct flight closing[] = {
	{ .script = { P, ENVELOPE, SEND(DOWN) },
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { LATER_BY(421),
		SENT_ONE(SMTPTLS_E_REFUSED_LATER, NOT_TRIED, 0) } },
	{ .script = { P, ENVELOPE, SEND(OK DOWN) },
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { LATER_BY(421) } },
	{ .script = { P, ENVELOPE, SEND(OK OK DOWN) },
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { LATER_BY(421) } },
	{ .script = { FIRST, SEND(DOWN) },
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { LATER_BY(421),
		SENT_ONE(SMTPTLS_E_REFUSED_LATER, NOT_TRIED, 0) } },
	{ .script = { FIRST, SEND(OK DOWN) },
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { SENT_OK, LATER_BY(421) } },
	{ .script = { FIRST, SEND(OK OK OK DOWN) },
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { SENT_OK, LATER_BY(421) } },
	{ .script = { P, ENVELOPE, SEND(OK OK GO), CONTENT, SEND(OK DOWN) },
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { SENT_OK } },
	{ .script = { P, ENVELOPE, SEND(OK OK GO), CONTENT, QUIT,
	      SEND(OK DOWN) },
	    .says_goodbye = true,
	    .sent = { SENT_OK } },
	/* It was asked for, but is about one recipient alone. */
	{ .script = { PC, MAIL, BOB, CAROL, BDAT, SEND(OK DOWN) },
	    .level = ONE_FLIGHT,
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { { 2, .status = SMTPTLS_E_IN_DOUBT,
		.outcomes = { { LATER, 421 }, { IN_DOUBT, 0 } } } } },
	{ .script = { PC, WHOLE, SEND(OK OK DOWN) },
	    .level = ONE_FLIGHT,
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { LATER_BY(421),
		SENT_ONE(SMTPTLS_E_REFUSED_LATER, NOT_TRIED, 0) } },
	{ .script = { PC, WHOLE, WHOLE, WHOLE, SEND(OK OK OK OK OK DOWN) },
	    .level = WINDOW,
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { SENT_OK, LATER_BY(421), SENT_IN_DOUBT } },
	{ .script = { PC, WHOLE, WHOLE, WHOLE, SEND(OK OK OK DOWN) },
	    .level = WINDOW,
	    .end = SMTPTLS_E_REFUSED_LATER,
	    .sent = { SENT_OK, LATER_BY(421), SENT_IN_DOUBT } },
};

START_TEST(server_may_close_at_any_answer)
{
	flight_play(&closing[PAIR_ROW(_i)], PAIR_MODE(_i));
}
END_TEST

/* --- answers to what was not said --- */

#define RECORDS(s) TEXT_STEP(STEP_RECORDS, s)

static const struct flight early[] = {
	/* Behind 354, in one record and in another. */
	{ .script = { P, ENVELOPE, SEND(OK OK GO "250 queued\r\n"),
	      STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { BROKEN, BROKEN } },
	{ .script = { P, ENVELOPE, RECORDS(OK OK GO "250 queued\r\n"),
	      STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { BROKEN, BROKEN } },
	{ .script = { FIRST, SEND(OK OK OK GO "250 queued too\r\n"),
	      STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_OK, BROKEN } },
	{ .script = { FIRST, RECORDS(OK OK OK GO "250 queued too\r\n"),
	      STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_OK, BROKEN } },
	/* Behind the offer: to the whole envelope, and the content. */
	{ .script = { RECORDS(
			  "250-mail.example.org\r\n250 PIPELINING\r\n" OK OK GO
			  "250 queued\r\n"),
	      STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { BROKEN } },
	{ .script = { RECORDS("250-mail.example.org\r\n" PIPELINING
			      "250 CHUNKING\r\n" OK OK "250 queued\r\n"),
	      STEP(SWALLOW) },
	    .level = ONE_FLIGHT,
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { BROKEN } },
	{ .script = { RECORDS("250-mail.example.org\r\n" PIPELINING
			      "250 CHUNKING\r\n" OK OK OK OK OK OK),
	      STEP(SWALLOW) },
	    .level = WINDOW,
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { BROKEN, BROKEN } },
	/* Behind the answers to a message, to the next one that waits. */
	{ .script = { PC, WHOLE, RECORDS(OK OK OK OK OK OK), STEP(SWALLOW) },
	    .level = ONE_FLIGHT,
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_OK, BROKEN } },
	{ .script = { PC, WHOLE, SEND(OK OK OK OK OK OK), STEP(SWALLOW) },
	    .level = ONE_FLIGHT,
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_OK, BROKEN } },
	{ .script = { PC, WHOLE, WHOLE, SEND(OK OK OK OK OK OK OK OK OK),
	      STEP(SWALLOW) },
	    .level = WINDOW,
	    .window = 2,
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_OK, SENT_OK, BROKEN } },
	/* One too many, when all has been said. */
	{ .script = { P, ENVELOPE, SEND(OK OK GO), CONTENT, SEND(OK OK),
	      STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_OK } },
	{ .script = { P, ENVELOPE, SEND("250 ok\r\n354 what\r\n"),
	      STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { BROKEN } },
	{ .script = { P, ENVELOPE, SEND(OK OK OK), STEP(SWALLOW) },
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { BROKEN } },
	/* What is no answer to a content that has left leaves it in doubt. */
	{ .script = { PC, WHOLE, SEND(OK OK GO), STEP(SWALLOW) },
	    .level = ONE_FLIGHT,
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_IN_DOUBT, BROKEN } },
	{ .script = { PC, WHOLE, WHOLE, SEND(OK GO), STEP(SWALLOW) },
	    .level = WINDOW,
	    .end = SMTPTLS_E_PROTOCOL,
	    .sent = { SENT_IN_DOUBT, SENT_IN_DOUBT } },
};

START_TEST(answer_to_what_was_not_said_is_the_end)
{
	flight_play(&early[PAIR_ROW(_i)], PAIR_MODE(_i));
}
END_TEST

/*
 * The program is asked while the server answers already: by the hook, or by a
 * source that waits for it inside of its call.
 */
static sem_t asked, answered;

static void
wait_until_asked(void *arg)
{
	(void)arg;
	sem_wait(&asked);
}

static void
has_answered(void *arg)
{
	(void)arg;
	sem_post(&answered);
}

static int
wait_in_hook(struct smtptls_message *message, void *arg)
{
	(void)message;
	(void)arg;
	sem_post(&asked);
	sem_wait(&answered);
	return SMTPTLS_OK;
}

static int
wait_in_source(void *buf, size_t cap, size_t *out_len, void *arg)
{
	size_t *given = arg;

	ck_assert_uint_ge(cap, 2);
	*out_len = 0;
	if (*given > 0)
		return SMTPTLS_OK;
	sem_post(&asked);
	sem_wait(&answered);
	memcpy(buf, "x\n", 2);
	*given = *out_len = 2;
	return SMTPTLS_OK;
}

static const struct asked_meanwhile {
	enum smtptls_pipelining level;
	bool by_source;
	struct step script[16];
} asked_meanwhile[] = {
#define TOO_EARLY(replies)                                                     \
	CALL(wait_until_asked, NULL), replies, CALL(has_answered, NULL),       \
	    STEP(SWALLOW)
	{ SMTPTLS_PIPELINING_STANDARD, false,
	    { P, ENVELOPE, SEND(OK OK GO), OCTETS(44),
		TOO_EARLY(SEND("250 queued\r\n")) } },
	{ SMTPTLS_PIPELINING_STANDARD, true,
	    { P, ENVELOPE, SEND(OK OK GO),
		TOO_EARLY(SEND("250 queued\r\n")) } },
	{ SMTPTLS_PIPELINING_NONE, true,
	    { P, MAIL, SEND(OK), BOB, SEND(OK), DATA, SEND(GO),
		TOO_EARLY(SEND("250 queued\r\n")) } },
	{ ONE_FLIGHT, false,
	    { PC, MAIL, BOB, LINE("BDAT 44 LAST"), OCTETS(43),
		TOO_EARLY(SEND(OK OK "250 queued\r\n")) } },
	{ WINDOW, false,
	    { PC, MAIL, BOB, LINE("BDAT 44 LAST"), OCTETS(43),
		TOO_EARLY(RECORDS(OK OK "250 queued\r\n")) } },
#undef TOO_EARLY
};

START_TEST(answer_that_came_while_the_program_was_asked_is_too_early)
{
	const struct asked_meanwhile *row = &asked_meanwhile[ROW(_i)];
	struct talk talk;
	size_t given = 0;

	sem_init(&asked, 0, 0);
	sem_init(&answered, 0, 0);
	talk_begin(&talk, MODE(_i), row->script);
	ck_assert_ok(smtptls_client_set_pipelining(talk.client, row->level));
	talk_set_message(&talk);
	if (row->by_source)
		ck_assert_ok(smtptls_message_set_body_cb(
		    talk.message, wait_in_source, NULL, &given));
	else
		ck_assert_ok(smtptls_message_set_before_end(
		    talk.message, wait_in_hook, NULL));
	talk_assert_failed(
	    &talk, talk_send(&talk), SMTPTLS_E_PROTOCOL, "not been sent yet");
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), NOT_TRIED);
	talk_hang_up(&talk);
	ck_assert(!received_has(server_inside(talk.server), "\r\n.\r\n"));
	ck_assert(
	    !received_has(server_inside(talk.server), TALK_SECRET "\r\n\r\n"));
	talk_end(&talk);
	sem_destroy(&asked);
	sem_destroy(&answered);
}
END_TEST

/* --- fewer answers than questions --- */

static const struct flight silent[] = {
	/* It offers PIPELINING and throws away what it finds behind MAIL. */
	{ .script = { P, ENVELOPE, SEND(OK), STEP(STALL) },
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { LATE, LATE } },
	{ .script = { P, ENVELOPE, SEND(OK OK), STEP(STALL) },
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { LATE } },
	{ .script = { FIRST, SEND(OK), STEP(STALL) },
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { SENT_OK, LATE } },
	{ .script = { FIRST, STEP(STALL) },
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { SENT_IN_DOUBT, LATE } },
	{ .script = { PC, WHOLE, SEND(OK), STEP(STALL) },
	    .level = ONE_FLIGHT,
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { SENT_IN_DOUBT, LATE } },
	{ .script = { PC, WHOLE, WHOLE, WHOLE, SEND(OK OK OK OK), STEP(STALL) },
	    .level = WINDOW,
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { SENT_OK, SENT_IN_DOUBT, SENT_IN_DOUBT } },
	{ .script = { OFFER(PIPELINING), MAIL, BOB, CAROL, DATA,
	      SEND(OK OK OK GO), CONTENT, SEND(OK), STEP(STALL) },
	    .is_lmtp = true,
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { { 2, .status = SMTPTLS_E_PARTIAL,
		.outcomes = { { ACCEPTED, 250 }, { IN_DOUBT, 0 } } } } },
};

START_TEST(answer_that_is_missing_is_not_waited_for_for_ever)
{
	struct flight flight = silent[PAIR_ROW(_i)];
	int mode = PAIR_MODE(_i);
	int64_t before = stls_now_ms();

	if (flight.is_lmtp)
		mode %= STARTTLS_MODES;
	flight.timeout_ms = 200;
	flight_play(&flight, mode);
	ck_assert_int_lt(stls_now_ms() - before, talk_ms(10000));
}
END_TEST

/* --- both have much to write --- */

#define MESSAGES 20
#define BIG (16 * 1024)
#define REPLY_LINES 8

/* Every answer is as long as it may be, and written before more is read. */
static struct step talkative[7 * MESSAGES + 2];
static char long_reply[60000];

static void
make_long_reply(void)
{
	size_t at = 0, i;

	for (i = 0; i < REPLY_LINES; i++) {
		at += (size_t)sprintf(
		    long_reply + at, "250%c", i + 1 < REPLY_LINES ? '-' : ' ');
		memset(long_reply + at, 'x', 7000);
		at += 7000;
		at += (size_t)sprintf(long_reply + at, "\r\n");
	}
}

static void
make_talkative(void)
{
	static const struct step offer[] = { PC };
	const struct step reply = {
		.kind = STEP_SEND, .text = long_reply, .len = strlen(long_reply)
	};
	const struct step message[] = { MAIL, reply, BOB, reply,
		LINE("BDAT 16384 LAST"), OCTETS(BIG), reply };
	struct step *step = talkative;
	int i;

	*step++ = offer[0];
	for (i = 0; i < MESSAGES; i++) {
		memcpy(step, message, sizeof(message));
		step += COUNT(message);
	}
	*step = (struct step)END;
}

/* A connection that holds little on its way. */
static void
give_small_buffers(struct talk *talk)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(server_port(talk->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;

	talk_renew_client(talk);
	ck_assert_int_ge(fd, 0);
	ck_assert_ok(
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)));
	ck_assert_ok(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	ck_assert_ok(connect(fd, (struct sockaddr *)&in, sizeof(in)));
	ck_assert_ok(smtptls_client_set_fd(talk->client, fd));
}

START_TEST(two_full_buffers_do_not_wait_for_each_other)
{
	struct server_options options = { .prologue = talk_prologue(_i),
		.scripts = { talkative },
		.receive_buffer = 4096,
		.send_buffer = 4096 };
	struct smtptls_message *messages[MESSAGES], *done;
	static char content[BIG];
	struct talk talk;
	int i;

	memset(content, '\n', sizeof(content));
	make_long_reply();
	make_talkative();
	talk_begin_with(
	    &talk, _i, _i < STARTTLS_MODES ? "smtp" : "smtps", NULL, &options);
	give_small_buffers(&talk);
	ck_assert_ok(smtptls_client_set_pipelining(talk.client, WINDOW));
	ck_assert_ok(smtptls_client_set_window(talk.client, 100));
	ck_assert_ok(smtptls_client_start(talk.client));
	for (i = 0; i < MESSAGES; i++) {
		talk_set_content(&talk, content, sizeof(content) / 2);
		messages[i] = talk.message;
		talk.message = NULL;
		ck_assert_ok(smtptls_client_submit(talk.client, messages[i]));
	}
	(void)talk_drive(&talk);
	ck_assert_ok(smtptls_client_drive(talk.client));
	for (i = 0; i < MESSAGES; i++) {
		done = smtptls_client_next_done(talk.client);
		ck_assert_ptr_eq(done, messages[i]);
		ck_assert_ok(smtptls_message_status(done));
		smtptls_message_free(done);
		smtptls_message_free(messages[i]);
	}
	talk_finish(&talk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("in-the-air");
	TCase *tc = talk_case(suite, "in-the-air");

	talk_add(tc,
	    lost_connection_leaves_in_doubt_what_left_and_was_not_answered,
	    COUNT(lost) * COUNT(hows), 2);
	add_rows_in_pairs(tc, server_may_close_at_any_answer, closing);
	add_rows_in_pairs(tc, answer_to_what_was_not_said_is_the_end, early);
	add_rows_in_modes(tc,
	    answer_that_came_while_the_program_was_asked_is_too_early,
	    asked_meanwhile);
	add_rows_in_pairs(
	    tc, answer_that_is_missing_is_not_waited_for_for_ever, silent);
	add_in_modes(tc, two_full_buffers_do_not_wait_for_each_other);
	return talk_run(suite);
}
