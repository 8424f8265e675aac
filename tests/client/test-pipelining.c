/* SPDX-License-Identifier: MIT */
/* What leaves together at each level, and what becomes of it. */
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "client/flights.h"

/* --- who follows whom --- */

static const struct flight together[] = {
	/* The envelope; the content and the next envelope; QUIT. */
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), CONTENT,
	      SEND(OK) },
	    .turns = "CCCSSSS",
	    .sent = { SENT_OK } },
	{ .script = { OFFER(PIPELINING CHUNKING), ENVELOPE, SEND(OK OK GO),
	      CONTENT, ENVELOPE, SEND(OK OK OK GO), CONTENT, ENVELOPE,
	      SEND(OK OK OK GO), CONTENT, QUIT, SEND(OK "221 bye\r\n") },
	    .says_goodbye = true,
	    .turns = "CCCSSSCCCSSSSCCCSSSSCSS",
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { OFFER(PIPELINING), MAIL, BOB, CAROL, DAVE, DATA,
	      SEND(OK OK "550 who\r\n" OK GO), CONTENT, SEND(OK) },
	    .turns = "CCCCCSSSSSS",
	    .sent = { { 3, .status = SMTPTLS_E_PARTIAL,
		.outcomes = { { ACCEPTED, 250 }, { REFUSED, 550 },
		    { ACCEPTED, 250 } } } } },
	/* One at a time, whatever is offered. */
	{ .script = { OFFER(PIPELINING CHUNKING), MAIL, SEND(OK), BOB, SEND(OK),
	      DATA, SEND(GO), CONTENT, SEND(OK), MAIL, SEND(OK), BOB, SEND(OK),
	      DATA, SEND(GO), CONTENT, SEND(OK), QUIT, SEND("221 bye\r\n") },
	    .level = NONE,
	    .says_goodbye = true,
	    .turns = "CSCSCSSCSCSCSSCS",
	    .sent = { SENT_OK, SENT_OK } },
	/* Envelope and content; nothing follows a BDAT. */
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, SEND(OK OK OK), WHOLE,
	      SEND(OK OK OK), QUIT, SEND("221 bye\r\n") },
	    .level = ONE_FLIGHT,
	    .says_goodbye = true,
	    .turns = "CCCSSSCCCSSSCS",
	    .sent = { SENT_OK, SENT_OK } },
	/* A window: of the default size, of three, of one. */
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, WHOLE, WHOLE, WHOLE,
	      WHOLE, SEND(OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK), QUIT,
	      SEND("221 bye\r\n") },
	    .level = WINDOW,
	    .says_goodbye = true,
	    .turns = "CCCCCCCCCCCCCCCSSSSSSSSSSSSSSSCS",
	    .sent = { SENT_OK, SENT_OK, SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, WHOLE, WHOLE,
	      SEND(OK OK OK), WHOLE, SEND(OK OK OK OK OK OK), WHOLE,
	      SEND(OK OK OK OK OK OK) },
	    .level = WINDOW,
	    .window = 3,
	    .turns = "CCCCCCCCCSSSCCCSSSCCCSSSSSSSSS",
	    .sent = { SENT_OK, SENT_OK, SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, SEND(OK OK OK), WHOLE,
	      SEND(OK OK OK) },
	    .level = WINDOW,
	    .window = 1,
	    .turns = "CCCSSSCCCSSS",
	    .sent = { SENT_OK, SENT_OK } },
};

START_TEST(what_may_leave_together_does_and_nothing_else)
{
	flight_play(&together[ROW(_i)], MODE(_i));
}
END_TEST

/* --- less is offered, or wanted --- */

static const struct flight less[] = {
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), CONTENT,
	      ENVELOPE, SEND(OK OK OK GO), CONTENT, SEND(OK) },
	    .level = ONE_FLIGHT,
	    .turns = "CCCSSSCCCSSSSS",
	    .sent = { SENT_OK, SENT_OK } },
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), CONTENT,
	      ENVELOPE, SEND(OK OK OK GO), CONTENT, QUIT,
	      SEND(OK "221 bye\r\n") },
	    .level = WINDOW,
	    .says_goodbye = true,
	    .turns = "CCCSSSCCCSSSSCSS",
	    .sent = { SENT_OK, SENT_OK } },
	{ .script = { OFFER(""), MAIL, SEND(OK), BOB, SEND(OK), DATA, SEND(GO),
	      CONTENT, SEND(OK) },
	    .level = WINDOW,
	    .turns = "CSCSCSS",
	    .sent = { SENT_OK } },
	/* Without PIPELINING, BDAT saves the wait for 354. */
	{ .script = { OFFER(CHUNKING), MAIL, SEND(OK), BOB, SEND(OK), BDAT,
	      SEND(OK) },
	    .turns = "CSCSCS",
	    .sent = { SENT_OK } },
	{ .script = { OFFER(CHUNKING), MAIL, SEND(OK), BOB, SEND(OK), BDAT,
	      SEND(OK) },
	    .level = WINDOW,
	    .turns = "CSCSCS",
	    .sent = { SENT_OK } },
	{ .script = { OFFER(CHUNKING), MAIL, SEND(OK), BOB, SEND(OK), DATA,
	      SEND(GO), CONTENT, SEND(OK) },
	    .level = NONE,
	    .turns = "CSCSCSS",
	    .sent = { SENT_OK } },
	/* smtptls_client_set_chunking(client, 0) */
	{ .script = { OFFER(CHUNKING), MAIL, SEND(OK), BOB, SEND(OK), DATA,
	      SEND(GO), CONTENT, SEND(OK) },
	    .no_chunking = true,
	    .turns = "CSCSCSS",
	    .sent = { SENT_OK } },
	{ .script = { OFFER(PIPELINING CHUNKING), ENVELOPE, SEND(OK OK GO),
	      CONTENT, ENVELOPE, SEND(OK OK OK GO), CONTENT, SEND(OK) },
	    .level = WINDOW,
	    .no_chunking = true,
	    .turns = "CCCSSSCCCSSSSS",
	    .sent = { SENT_OK, SENT_OK } },
	/* A window stands still for a message that has no size. */
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, ENVELOPE,
	      SEND(OK OK OK OK OK GO), CONTENT, WHOLE, SEND(OK OK OK OK) },
	    .level = WINDOW,
	    .turns = "CCCCCCSSSSSSCCCSSSS",
	    .sent = { SENT_OK,
		{ 1, .source = OF_CALLBACK, .outcomes = { { ACCEPTED, 250 } } },
		SENT_OK } },
};

START_TEST(level_is_as_much_as_the_server_allows)
{
	flight_play(&less[PAIR_ROW(_i)], PAIR_MODE(_i));
}
END_TEST

/* --- refusals, when the rest has left already --- */

#define REFUSED_BY(code) SENT_ONE(SMTPTLS_E_REFUSED, REFUSED, code)
#define REFUSED_LATER_BY(code) SENT_ONE(SMTPTLS_E_REFUSED_LATER, LATER, code)
#define ALL(n, s, ...)                                                         \
	{                                                                      \
		.recipients = (n), .all_or_nothing = true, .status = (s),      \
		.outcomes = {                                                  \
			__VA_ARGS__                                            \
		}                                                              \
	}

static const struct flight refused[] = {
	/* All recipients: DATA is refused as well, or a lone dot. */
	{ .script = { OFFER(PIPELINING), ENVELOPE,
	      SEND(OK "550 who\r\n554 no valid recipients\r\n"), RSET, ENVELOPE,
	      SEND(OK OK OK GO), CONTENT, SEND(OK) },
	    .sent = { REFUSED_BY(550), SENT_OK } },
	{ .script = { OFFER(PIPELINING), ENVELOPE,
	      SEND(OK "550 who\r\n503 RCPT first\r\n"), RSET, SEND(OK) },
	    .sent = { REFUSED_BY(550) } },
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK "550 who\r\n" GO),
	      LINE("."), ENVELOPE, SEND("554 no valid recipients\r\n" OK OK GO),
	      CONTENT, SEND(OK) },
	    .sent = { REFUSED_BY(550), SENT_OK } },
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK "450 later\r\n" GO),
	      LINE("."), QUIT, SEND(OK "221 bye\r\n") },
	    .says_goodbye = true,
	    .sent = { REFUSED_LATER_BY(450) } },
	{ .script = { OFFER(PIPELINING), ENVELOPE,
	      SEND("550 not you\r\n503 no\r\n503 no\r\n"), ENVELOPE,
	      SEND(OK OK GO), CONTENT, SEND(OK) },
	    .sent = { REFUSED_BY(550), SENT_OK } },
	/* A content, with the next envelope behind it. */
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), CONTENT,
	      ENVELOPE, SEND("554 spam\r\n" OK OK GO), CONTENT, SEND(OK) },
	    .sent = { REFUSED_BY(554), SENT_OK } },
	/* By BDAT, and RSET behind it. */
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE,
	      SEND(OK "550 who\r\n503 no\r\n"), RSET, WHOLE,
	      SEND(OK OK OK OK) },
	    .level = ONE_FLIGHT,
	    .sent = { REFUSED_BY(550), SENT_OK } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE,
	      SEND("550 not you\r\n503 no\r\n503 no\r\n"), RSET, SEND(OK) },
	    .level = ONE_FLIGHT,
	    .sent = { REFUSED_BY(550) } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE,
	      SEND(OK OK "552 too much\r\n"), RSET, SEND(OK) },
	    .level = ONE_FLIGHT,
	    .sent = { REFUSED_BY(552) } },
	/* In a window others have followed it, and are seen or not. */
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, WHOLE, WHOLE,
	      SEND(OK "550 who\r\n503 no\r\n" OK OK OK OK OK "554 spam\r\n"),
	      RSET, SEND(OK) },
	    .level = WINDOW,
	    .sent = { REFUSED_BY(550), SENT_OK, REFUSED_BY(554) } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, WHOLE, WHOLE,
	      SEND(OK "550 who\r\n503 no\r\n"
		      "503 nested MAIL\r\n503 no\r\n503 no\r\n"
		      "503 nested MAIL\r\n503 no\r\n503 no\r\n"),
	      RSET, WHOLE, WHOLE, SEND(OK OK OK OK OK OK OK) },
	    .level = WINDOW,
	    .sent = { REFUSED_BY(550), SENT_OK, SENT_OK } },
	/* What can be read only once was not read yet. */
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, ENVELOPE,
	      SEND(OK OK "554 spam\r\n"
			 "503 nested MAIL\r\n503 no\r\n503 no\r\n"),
	      RSET, ENVELOPE, SEND(OK OK OK GO), CONTENT, SEND(OK) },
	    .level = WINDOW,
	    .sent = { REFUSED_BY(554),
		{ 1, OF_PIPE, .outcomes = { { ACCEPTED, 250 } } } } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, ENVELOPE,
	      SEND(OK OK "554 spam\r\n"
			 "503 nested MAIL\r\n503 no\r\n503 no\r\n"),
	      RSET, ENVELOPE, SEND(OK OK OK GO), CONTENT, SEND(OK) },
	    .level = WINDOW,
	    .sent = { REFUSED_BY(554),
		{ 1, OF_CALLBACK, .outcomes = { { ACCEPTED, 250 } } } } },
	/* All or nothing waits for the answers. */
	{ .script = { OFFER(PIPELINING), MAIL, BOB, CAROL, SEND(OK OK OK), DATA,
	      SEND(GO), CONTENT, MAIL, BOB, CAROL, SEND(OK OK OK "550 who\r\n"),
	      RSET, SEND(OK) },
	    .turns = "CCCSSSCSCCCSSSSCS",
	    .sent = { ALL(2, SMTPTLS_OK, { ACCEPTED, 250 }, { ACCEPTED, 250 }),
		ALL(2, SMTPTLS_E_REFUSED, { NOT_TRIED, 0 },
		    { REFUSED, 550 }) } },
	{ .script = { OFFER(PIPELINING CHUNKING), MAIL, BOB, CAROL,
	      SEND(OK OK OK), BDAT, SEND(OK), MAIL, BOB, CAROL,
	      SEND(OK "450 later\r\n" OK), RSET, SEND(OK) },
	    .turns = "CCCSSSCSCCCSSSCS",
	    .sent = { ALL(2, SMTPTLS_OK, { ACCEPTED, 250 }, { ACCEPTED, 250 }),
		ALL(2, SMTPTLS_E_REFUSED_LATER, { LATER, 450 },
		    { NOT_TRIED, 0 }) } },
	{ .script = { OFFER(PIPELINING CHUNKING), MAIL, BOB, CAROL,
	      SEND(OK OK "450 later\r\n"), RSET, MAIL, BOB, CAROL,
	      SEND(OK OK OK OK), BDAT, SEND(OK) },
	    .level = WINDOW,
	    .turns = "CCCSSSCCCCSSSSCS",
	    .sent = { ALL(2, SMTPTLS_E_REFUSED_LATER, { NOT_TRIED, 0 },
			  { LATER, 450 }),
		ALL(2, SMTPTLS_OK, { ACCEPTED, 250 }, { ACCEPTED, 250 }) } },
	{ .script = { OFFER(PIPELINING CHUNKING), MAIL, BOB, CAROL,
	      SEND(OK OK "450 later\r\n"), RSET, SEND(OK) },
	    .level = ONE_FLIGHT,
	    .turns = "CCCSSSCS",
	    .sent = { ALL(2, SMTPTLS_E_REFUSED_LATER, { NOT_TRIED, 0 },
		{ LATER, 450 }) } },
	{ .script = { OFFER(PIPELINING CHUNKING), MAIL, SEND(OK), BOB, SEND(OK),
	      CAROL, SEND("550 who\r\n"), RSET, SEND(OK) },
	    .level = NONE,
	    .sent = { ALL(
		2, SMTPTLS_E_REFUSED, { NOT_TRIED, 0 }, { REFUSED, 550 }) } },
	/* LMTP answers for each recipient. */
	{ .script = { OFFER(PIPELINING CHUNKING), MAIL, BOB, CAROL, DAVE, DATA,
	      SEND(OK OK "550 who\r\n" OK GO), CONTENT, MAIL, BOB, DATA,
	      SEND("452 full\r\n250 dave\r\n" OK OK GO), CONTENT, SEND(OK) },
	    .level = WINDOW,
	    .is_lmtp = true,
	    .turns = "CCCCCSSSSSCCCSSSSSS",
	    .sent = { { 3, .status = SMTPTLS_E_PARTIAL,
			  .outcomes = { { LATER, 452 }, { REFUSED, 550 },
			      { ACCEPTED, 250 } } },
		SENT_OK } },
	{ .script = { OFFER(CHUNKING), MAIL, SEND(OK), BOB, SEND(OK), CAROL,
	      SEND(OK), BDAT, SEND("250 bob\r\n550 5.2.2 full\r\n") },
	    .is_lmtp = true,
	    .turns = "CSCSCSCSS",
	    .sent = { { 2, .status = SMTPTLS_E_PARTIAL,
		.outcomes = { { ACCEPTED, 250 }, { REFUSED, 550 } } } } },
};

START_TEST(refusal_concerns_whom_it_was_said_about)
{
	int mode = PAIR_MODE(_i);

	if (refused[PAIR_ROW(_i)].is_lmtp)
		mode %= STARTTLS_MODES;
	flight_play(&refused[PAIR_ROW(_i)], mode);
}
END_TEST

/* --- limits, and recipients who are too many --- */

#define LIMITS(l) "250-LIMITS " l "\r\n"
#define THREE(src, s, ...)                                                     \
	{                                                                      \
		.recipients = 3, .source = (src), .status = (s), .outcomes = { \
			__VA_ARGS__                                            \
		}                                                              \
	}
#define THREE_OK(src)                                                          \
	THREE(src, SMTPTLS_OK, { ACCEPTED, 250 }, { ACCEPTED, 250 },           \
	    { ACCEPTED, 250 })
#define NO_SECOND(src)                                                         \
	THREE(src, SMTPTLS_E_PARTIAL, { ACCEPTED, 250 }, { ACCEPTED, 250 },    \
	    { NOT_TRIED, 0 })
#define TWO_ENVELOPES                                                          \
	OFFER(PIPELINING LIMITS("RCPTMAX=2")), MAIL, BOB, CAROL, DATA,         \
	    SEND(OK OK OK GO), CONTENT, SEND(OK), MAIL, DAVE, DATA,            \
	    SEND(OK OK GO), CONTENT, SEND(OK)
#define ONE_ENVELOPE                                                           \
	OFFER(PIPELINING LIMITS("RCPTMAX=2")), MAIL, BOB, CAROL, DATA,         \
	    SEND(OK OK OK GO), CONTENT, SEND(OK)
#define TOO_MANY                                                               \
	OFFER(PIPELINING), MAIL, BOB, CAROL, DAVE, DATA,                       \
	    SEND(OK OK OK "452 4.5.3 too many\r\n" GO), CONTENT, SEND(OK)
#define TOO_MANY_TWICE                                                         \
	TOO_MANY, MAIL, DAVE, DATA, SEND(OK OK GO), CONTENT, SEND(OK)
#define STAYS_LATER(src)                                                       \
	THREE(src, SMTPTLS_E_PARTIAL, { ACCEPTED, 250 }, { ACCEPTED, 250 },    \
	    { LATER, 452 })

static const struct flight too_many[] = {
	{ .script = { TWO_ENVELOPES }, .sent = { THREE_OK(OF_MEMORY) } },
	{ .script = { TWO_ENVELOPES }, .sent = { THREE_OK(OF_FILE) } },
	{ .script = { TWO_ENVELOPES }, .sent = { THREE_OK(OF_REWOUND) } },
	{ .script = { ONE_ENVELOPE }, .sent = { NO_SECOND(OF_CALLBACK) } },
	{ .script = { ONE_ENVELOPE }, .sent = { NO_SECOND(OF_PIPE) } },
	{ .script = { TOO_MANY_TWICE }, .sent = { THREE_OK(OF_MEMORY) } },
	{ .script = { TOO_MANY_TWICE }, .sent = { THREE_OK(OF_FILE) } },
	{ .script = { TOO_MANY_TWICE }, .sent = { THREE_OK(OF_REWOUND) } },
	{ .script = { TOO_MANY }, .sent = { STAYS_LATER(OF_CALLBACK) } },
	{ .script = { TOO_MANY }, .sent = { STAYS_LATER(OF_PIPE) } },
	/* By BDAT: the second attempt is another window. */
	{ .script = { OFFER(PIPELINING CHUNKING), MAIL, BOB, CAROL, DAVE, BDAT,
	      SEND(OK OK OK "452 too many\r\n" OK), MAIL, DAVE, BDAT,
	      SEND(OK OK OK) },
	    .level = WINDOW,
	    .sent = { THREE_OK(OF_MEMORY) } },
	/* One transaction for each, one connection for each. */
	{ .script = { OFFER(LIMITS("RCPTMAX=1")), MAIL, SEND(OK), BOB, SEND(OK),
	      DATA, SEND(GO), CONTENT, SEND(OK), MAIL, SEND(OK), CAROL,
	      SEND("550 who\r\n"), RSET, SEND(OK), MAIL, SEND(OK), DAVE,
	      SEND(OK), DATA, SEND(GO), CONTENT, SEND(OK) },
	    .sent = { THREE(OF_REWOUND, SMTPTLS_E_PARTIAL, { ACCEPTED, 250 },
		{ REFUSED, 550 }, { ACCEPTED, 250 }) } },
};

START_TEST(who_is_too_many_gets_a_transaction_of_his_own)
{
	struct flown flown;
	size_t i;

	flight_begin(&flown, &too_many[PAIR_ROW(_i)], PAIR_MODE(_i));
	flight_send(&flown);
	flight_check(&flown);
	talk_hang_up(&flown.talk);
	for (i = 0; i < server_contents(flown.talk.server); i++)
		ck_assert_str_eq(
		    server_content(flown.talk.server, i)->data, TALK_CONTENT);
	flight_end(&flown);
}
END_TEST

/* The second connection; its prologue has been played. */
static const struct step one_more[] = { OFFER(PIPELINING LIMITS("MAILMAX=2")),
	ENVELOPE, SEND(OK OK GO), CONTENT, SEND(OK), END };
static const struct step one_more_and_quit[] = { OFFER(PIPELINING LIMITS(
						     "MAILMAX=2")),
	ENVELOPE, SEND(OK OK GO), CONTENT, QUIT, SEND(OK "221 bye\r\n"), END };
static const struct step refuses_all[] = { SEND("550 go away\r\n"), END };
static const struct step closes_at_once[] = { STEP(CLOSE), END };

#define TWO_MAILS                                                              \
	OFFER(PIPELINING LIMITS("MAILMAX=2")), ENVELOPE, SEND(OK OK GO),       \
	    CONTENT, ENVELOPE, SEND(OK OK OK GO), CONTENT, QUIT

static const struct flight another_connection[] = {
	{ .script = { TWO_MAILS, SEND(OK "221 bye\r\n") },
	    .next = one_more,
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { TWO_MAILS, SEND(OK "221 bye\r\n") },
	    .next = one_more_and_quit,
	    .says_goodbye = true,
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	/* However the first one ends. */
	{ .script = { TWO_MAILS, SEND(OK), STEP(CLOSE) },
	    .next = one_more,
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { TWO_MAILS, SEND(OK "421 bye\r\n"), STEP(CLOSE) },
	    .next = one_more,
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { TWO_MAILS, STEP(CLOSE) },
	    .next = one_more,
	    .sent = { SENT_OK, SENT_IN_DOUBT, SENT_OK } },
	{ .script = { TWO_MAILS, SEND(OK), STEP(STALL) },
	    .next = one_more,
	    .timeout_ms = 200,
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	{ .script = { TWO_MAILS, STEP(STALL) },
	    .next = one_more,
	    .timeout_ms = 200,
	    .sent = { SENT_OK, SENT_IN_DOUBT, SENT_OK } },
	/* However the second one ends. */
	{ .script = { TWO_MAILS, SEND(OK "221 bye\r\n") },
	    .next = refuses_all,
	    .end = SMTPTLS_E_REFUSED,
	    .sent = { SENT_OK, SENT_OK,
		SENT_ONE(SMTPTLS_E_REFUSED, NOT_TRIED, 0) } },
	{ .script = { TWO_MAILS, SEND(OK "221 bye\r\n") },
	    .next = closes_at_once,
	    .end = SMTPTLS_E_IO,
	    .sent = { SENT_OK, SENT_OK, SENT_LOST } },
	/* With BDAT, QUIT waits. */
	{ .script = { OFFER(PIPELINING CHUNKING LIMITS("MAILMAX=2")), WHOLE,
	      WHOLE, SEND(OK OK OK OK OK OK), QUIT, SEND("221 bye\r\n") },
	    .next = one_more,
	    .level = WINDOW,
	    .sent = { SENT_OK, SENT_OK, SENT_OK } },
	/* A second attempt counts as a message. */
	{ .script = { OFFER(PIPELINING LIMITS("RCPTMAX=1 MAILMAX=2")), ENVELOPE,
	      SEND(OK OK GO), CONTENT, SEND(OK), MAIL, CAROL, DATA,
	      SEND(OK OK GO), CONTENT, SEND(OK), QUIT, SEND("221 bye\r\n") },
	    .next = (const struct step[]){ OFFER(PIPELINING), MAIL, DAVE, DATA,
		SEND(OK OK GO), CONTENT, SEND(OK), END },
	    .sent = { THREE_OK(OF_REWOUND) } },
};

START_TEST(messages_beyond_mailmax_go_over_another_connection)
{
	struct flown flown;

	flight_begin(&flown, &another_connection[PAIR_ROW(_i)], PAIR_MODE(_i));
	flight_send(&flown);
	flight_check(&flown);
	talk_hang_up(&flown.talk);
	ck_assert_int_eq(server_connections(flown.talk.server), 2);
	flight_end(&flown);
}
END_TEST

/* --- goodbye --- */

static const struct flight no_goodbye[] = {
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), CONTENT,
	      QUIT, SEND(OK), STEP(STALL) },
	    .says_goodbye = true,
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { SENT_OK } },
	{ .script = { OFFER(PIPELINING CHUNKING), WHOLE, SEND(OK OK OK), QUIT,
	      STEP(STALL) },
	    .level = ONE_FLIGHT,
	    .says_goodbye = true,
	    .timeout_ms = 200,
	    .end = SMTPTLS_E_TIMEOUT,
	    .sent = { SENT_OK } },
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), CONTENT,
	      QUIT, SEND(OK), STEP(BYE) },
	    .says_goodbye = true,
	    .end = SMTPTLS_E_IO,
	    .sent = { SENT_OK } },
	{ .script = { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), CONTENT,
	      QUIT, SEND(OK), STEP(CLOSE) },
	    .says_goodbye = true,
	    .end = SMTPTLS_E_IO,
	    .sent = { SENT_OK } },
};

START_TEST(goodbye_without_an_answer_keeps_nobody_waiting)
{
	int64_t before = stls_now_ms();

	flight_play(&no_goodbye[ROW(_i)], MODE(_i));
	ck_assert_int_lt(stls_now_ms() - before, talk_ms(10000));
}
END_TEST

/* --- many recipients --- */

#define MANY 1000

static struct step many[MANY + 8];
static char many_lines[MANY][48], many_replies[(MANY + 4) * 8];

static void
make_many(struct smtptls_message *message)
{
	static const struct step first[] = { OFFER(PIPELINING), MAIL },
				 last[] = { CONTENT, SEND(OK), END };
	struct step *step = many;
	char *address;
	int i;

	memcpy(many, first, sizeof(first));
	step += COUNT(first);
	strcpy(many_replies, OK);
	for (i = 0; i < MANY; i++, step++) {
		snprintf(many_lines[i], sizeof(many_lines[i]),
		    "RCPT TO:<r%d@example.org>", i);
		*step = (struct step){ .kind = STEP_LINE,
			.text = many_lines[i],
			.len = strlen(many_lines[i]) };
		address = strdup(many_lines[i] + strlen("RCPT TO:<"));
		ck_assert_ptr_nonnull(address);
		address[strlen(address) - 1] = '\0';
		ck_assert_ok(smtptls_message_add_recipient(message, address));
		free(address);
		strcat(many_replies, OK);
	}
	strcat(many_replies, GO);
	*step++ = (struct step)LINE("DATA");
	*step++ = (struct step){ .kind = STEP_SEND,
		.text = many_replies,
		.len = strlen(many_replies) };
	memcpy(step, last, sizeof(last));
}

START_TEST(thousand_recipients_take_one_flight)
{
	struct smtptls_message *message;
	struct talk talk;
	int i;

	ck_assert_ok(smtptls_message_new(&message));
	make_many(message);
	talk_begin(&talk, _i, many);
	talk.message = message;
	ck_assert_ok(smtptls_message_set_sender(message, TALK_SENDER));
	ck_assert_ok(smtptls_message_set_body_mem(
	    message, TALK_CONTENT, sizeof(TALK_CONTENT) - 1));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(smtptls_message_outcome(message, i), ACCEPTED);
	talk_finish(&talk);
}
END_TEST

/* --- settings --- */

static int
set_level(struct smtptls_client *client, size_t value)
{
	return smtptls_client_set_pipelining(
	    client, (enum smtptls_pipelining)value);
}

static const struct {
	int (*set)(struct smtptls_client *, size_t);
	size_t value;
	int status;
	const char *sentence;
} ranges[] = {
	{ set_level, 3, SMTPTLS_OK, "" },
	{ set_level, 4, SMTPTLS_E_INVALID, "there is no pipelining level 4" },
	{ smtptls_client_set_window, 1, SMTPTLS_OK, "" },
	{ smtptls_client_set_window, 4096, SMTPTLS_OK, "" },
	{ smtptls_client_set_window, 0, SMTPTLS_E_INVALID,
	    "a window must be from 1 to 4096 messages, not 0" },
	{ smtptls_client_set_window, 4097, SMTPTLS_E_INVALID,
	    "a window must be from 1 to 4096 messages, not 4097" },
};

START_TEST(setting_out_of_range_spoils_the_client)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtp://127.0.0.1", world.context, &client));
	ck_assert_int_eq(
	    ranges[_i].set(client, ranges[_i].value), ranges[_i].status);
	ck_assert_str_eq(smtptls_client_error(client), ranges[_i].sentence);
	ck_assert_int_eq(
	    smtptls_client_set_window(client, 1), ranges[_i].status);
	smtptls_client_free(client);
}
END_TEST

START_TEST(setting_that_comes_too_late_changes_nothing)
{
	struct smtptls_client *client = NULL;

	ck_assert_ok(
	    smtptls_client_new("smtp://127.0.0.1:1", world.context, &client));
	ck_assert_ok(smtptls_client_start(client));
	ck_assert_int_eq(
	    smtptls_client_set_pipelining(client, WINDOW), SMTPTLS_E_STATE);
	ck_assert_int_eq(smtptls_client_set_window(client, 0), SMTPTLS_E_STATE);
	ck_assert_int_eq(
	    smtptls_client_set_chunking(client, 0), SMTPTLS_E_STATE);
	ck_assert_str_eq(smtptls_client_error(client), "");
	smtptls_client_free(client);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pipelining");
	TCase *tc = talk_case(suite, "pipelining");

	add_rows_in_modes(
	    tc, what_may_leave_together_does_and_nothing_else, together);
	add_rows_in_pairs(tc, level_is_as_much_as_the_server_allows, less);
	add_rows_in_pairs(tc, refusal_concerns_whom_it_was_said_about, refused);
	add_rows_in_pairs(
	    tc, who_is_too_many_gets_a_transaction_of_his_own, too_many);
	add_rows_in_pairs(tc,
	    messages_beyond_mailmax_go_over_another_connection,
	    another_connection);
	add_rows_in_modes(
	    tc, goodbye_without_an_answer_keeps_nobody_waiting, no_goodbye);
	add_in_modes(tc, thousand_recipients_take_one_flight);
	tcase_add_loop_test(
	    tc, setting_out_of_range_spoils_the_client, 0, COUNT(ranges));
	tcase_add_test(tc, setting_that_comes_too_late_changes_nothing);
	return talk_run(suite);
}
