/* SPDX-License-Identifier: MIT */
/* What leaves together at each level, and what becomes of it. */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "client/flights.h"

#define NONE SMTPTLS_PIPELINING_NONE
#define ONE_FLIGHT SMTPTLS_PIPELINING_ONE_FLIGHT
#define WINDOW SMTPTLS_PIPELINING_WINDOW

/* An envelope to bob, as each level sends it, and its content. */
#define ENVELOPE MAIL, BOB, DATA
#define WHOLE MAIL, BOB, BDAT
#define CONTENT STEP(CONTENT)

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

/* --- where the content comes from --- */

static const enum smtptls_pipelining levels[] = { SMTPTLS_PIPELINING_STANDARD,
	NONE, ONE_FLIGHT, WINDOW };
static const enum source sources[] = { OF_MEMORY, OF_FILE, OF_REWOUND,
	OF_CALLBACK, OF_PIPE };

static const struct step by_data[] = { OFFER(PIPELINING CHUNKING), ENVELOPE,
	SEND(OK OK GO), CONTENT, SEND(OK), END };
static const struct step by_bdat[] = { OFFER(PIPELINING CHUNKING), WHOLE,
	SEND(OK OK OK), END };
static const struct step by_one[] = { OFFER(PIPELINING CHUNKING), MAIL,
	SEND(OK), BOB, SEND(OK), DATA, SEND(GO), CONTENT, SEND(OK), END };

START_TEST(content_of_any_source_arrives_at_every_level)
{
	int row = ROW(_i), level = row / COUNT(sources);
	bool is_exact = row % COUNT(sources) <= OF_FILE;
	struct flight flight = { .level = levels[level], .sent = { SENT_OK } };
	struct flown flown;

	flight.sent[0].source = sources[row % COUNT(sources)];
	if (levels[level] == NONE)
		memcpy(flight.script, by_one, sizeof(by_one));
	else if (levels[level] != SMTPTLS_PIPELINING_STANDARD && is_exact)
		memcpy(flight.script, by_bdat, sizeof(by_bdat));
	else
		memcpy(flight.script, by_data, sizeof(by_data));
	flight_begin(&flown, &flight, MODE(_i));
	flight_send(&flown);
	flight_check(&flown);
	talk_hang_up(&flown.talk);
	ck_assert(received_has(server_inside(flown.talk.server), TALK_CONTENT));
	flight_end(&flown);
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

/* --- what BDAT has on the wire --- */

#define TEXT(t, w)                                                             \
	{                                                                      \
		t, sizeof(t) - 1, w, sizeof(w) - 1                             \
	}
static const struct text {
	const char *text;
	size_t len;
	const char *wire;
	size_t wire_len;
} texts[] = {
	TEXT("a\r\n", "a\r\n"),
	TEXT("a", "a\r\n"),
	TEXT("", ""),
	TEXT("\n", "\r\n"),
	TEXT(".\n", ".\r\n"),
	TEXT("..\r\n.\r\n.a\r\n", "..\r\n.\r\n.a\r\n"),
	TEXT("a\nb\n", "a\r\nb\r\n"),
	TEXT("a\rb\r", "a\r\nb\r\n"),
	TEXT("a\n\rb\r\r\nc", "a\r\n\r\nb\r\n\r\nc\r\n"),
	TEXT("a\r\n.\r\nMAIL FROM:<eve@example.org>",
	    "a\r\n.\r\nMAIL FROM:<eve@example.org>\r\n"),
};

static void
assert_wire(struct talk *talk, const struct text *text)
{
	const struct received *inside = server_inside(talk->server);
	char command[64];
	int n;

	n = snprintf(command, sizeof(command),
	    "RCPT TO:<bob@example.org>\r\nBDAT %zu LAST\r\n", text->wire_len);
	ck_assert_uint_ge(inside->len, (size_t)n + text->wire_len);
	ck_assert_mem_eq(inside->data + inside->len - text->wire_len,
	    text->wire, text->wire_len);
	ck_assert_mem_eq(
	    inside->data + inside->len - text->wire_len - n, command, n);
}

START_TEST(bdat_has_the_content_with_crlf_and_nothing_doubled)
{
	const struct text *text = &texts[ROW(_i)];
	char command[32];
	struct step script[] = { OFFER(PIPELINING CHUNKING), MAIL, BOB,
		{ .kind = STEP_LINE, .text = command }, OCTETS(text->wire_len),
		SEND(OK OK OK), END };
	struct talk talk;

	script[3].len = (size_t)snprintf(
	    command, sizeof(command), "BDAT %zu LAST", text->wire_len);
	talk_begin(&talk, MODE(_i), script);
	ck_assert_ok(smtptls_client_set_pipelining(talk.client, ONE_FLIGHT));
	talk_set_content(&talk, text->text, text->len);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_hang_up(&talk);
	assert_wire(&talk, text);
	talk_end(&talk);
}
END_TEST

#define MEBI (1024 * 1024)
#define LONG_LEN (2 * MEBI + 2 * 4711)

/* Lines of one octet, which is a dot: twice as long on the wire by DATA. */
START_TEST(long_content_goes_in_chunks_of_a_mebibyte)
{
	static const struct step script[] = { OFFER(PIPELINING CHUNKING), MAIL,
		BOB, LINE("BDAT 1048576"), OCTETS(MEBI), LINE("BDAT 1048576"),
		OCTETS(MEBI), LINE("BDAT 9422 LAST"), OCTETS(9422),
		SEND(OK OK OK OK OK), END };
	static char content[LONG_LEN / 2];
	const struct received *inside;
	struct talk talk;
	size_t i;

	memset(content, '\n', sizeof(content));
	talk_begin(&talk, _i, script);
	ck_assert_ok(smtptls_client_set_pipelining(talk.client, WINDOW));
	talk_set_content(&talk, content, sizeof(content));
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	talk_hang_up(&talk);
	inside = server_inside(talk.server);
	ck_assert_uint_gt(inside->len, LONG_LEN);
	for (i = inside->len - 9422; i < inside->len; i += 2)
		ck_assert_mem_eq(inside->data + i, "\r\n", 2);
	talk_end(&talk);
}
END_TEST

/* --- the hook --- */

static struct hooked {
	sem_t seen; /* by the server: all in front of the last octet */
	int calls, gives_up_at;
} hooked;

static void
all_but_the_end_is_here(void *arg)
{
	(void)arg;
	sem_post(&hooked.seen);
}

/* Waits until the server has it all but for the end, then a little more. */
static int
wait_for_server(struct smtptls_message *message, void *arg)
{
	(void)message;
	(void)arg;
	if (hooked.calls == 0 && sem_trywait(&hooked.seen) < 0)
		return SMTPTLS_AGAIN;
	if (++hooked.calls == hooked.gives_up_at)
		return SMTPTLS_E_SOURCE;
	return hooked.calls < 3 ? SMTPTLS_AGAIN : SMTPTLS_OK;
}

static const struct hook_row {
	enum smtptls_pipelining level;
	struct step script[16];
	size_t up_to_end; /* steps, up to the call */
	const char *before, *end;
} hook_rows[] = {
	{ SMTPTLS_PIPELINING_STANDARD,
	    { OFFER(PIPELINING), ENVELOPE, SEND(OK OK GO), OCTETS(44),
		CALL(all_but_the_end_is_here, NULL), LINE("."), SEND(OK) },
	    7, "\r\n" TALK_CONTENT, "\r\n.\r\n" },
	{ NONE,
	    { OFFER(PIPELINING), MAIL, SEND(OK), BOB, SEND(OK), DATA, SEND(GO),
		OCTETS(44), CALL(all_but_the_end_is_here, NULL), LINE("."),
		SEND(OK) },
	    9, "\r\n" TALK_CONTENT, "\r\n.\r\n" },
	{ ONE_FLIGHT,
	    { OFFER(PIPELINING CHUNKING), MAIL, BOB, LINE("BDAT 44 LAST"),
		OCTETS(43), CALL(all_but_the_end_is_here, NULL), OCTETS(1),
		SEND(OK OK OK) },
	    6, TALK_SECRET "\r", TALK_SECRET "\r\n" },
	{ WINDOW,
	    { OFFER(PIPELINING CHUNKING), MAIL, BOB, LINE("BDAT 44 LAST"),
		OCTETS(43), CALL(all_but_the_end_is_here, NULL), OCTETS(1),
		SEND(OK OK OK) },
	    6, TALK_SECRET "\r", TALK_SECRET "\r\n" },
	{ SMTPTLS_PIPELINING_STANDARD,
	    { OFFER(CHUNKING), MAIL, SEND(OK), BOB, SEND(OK),
		LINE("BDAT 44 LAST"), OCTETS(43),
		CALL(all_but_the_end_is_here, NULL), OCTETS(1), SEND(OK) },
	    8, TALK_SECRET "\r", TALK_SECRET "\r\n" },
};

static void
begin_hooked(struct talk *talk, int i, const struct step *script, int gives_up)
{
	sem_init(&hooked.seen, 0, 0);
	hooked.calls = 0;
	hooked.gives_up_at = gives_up;
	talk_begin(talk, MODE(i), script);
	ck_assert_ok(smtptls_client_set_pipelining(
	    talk->client, hook_rows[ROW(i)].level));
	talk_set_message(talk);
	ck_assert_ok(smtptls_message_set_before_end(
	    talk->message, wait_for_server, NULL));
}

START_TEST(hook_has_all_the_time_it_wants)
{
	struct talk talk;

	begin_hooked(&talk, _i, hook_rows[ROW(_i)].script, 0);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_OK, NULL);
	ck_assert_int_eq(hooked.calls, 3);
	talk_finish(&talk);
	sem_destroy(&hooked.seen);
}
END_TEST

START_TEST(hook_gives_up_before_the_last_octet_has_left)
{
	const struct hook_row *row = &hook_rows[ROW(_i)];
	struct step script[16] = { 0 };
	struct talk talk;

	memcpy(script, row->script, row->up_to_end * sizeof(*script));
	begin_hooked(&talk, _i, script, 2);
	talk_assert_failed(&talk, talk_send(&talk), SMTPTLS_E_SOURCE,
	    "given up before the end of data");
	ck_assert_int_eq(smtptls_message_outcome(talk.message, 0), NOT_TRIED);
	talk_hang_up(&talk);
	ck_assert(received_has(server_inside(talk.server), row->before));
	ck_assert(!received_has(server_inside(talk.server), row->end));
	talk_end(&talk);
	sem_destroy(&hooked.seen);
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
	talk_add(tc, content_of_any_source_arrives_at_every_level,
	    COUNT(levels) * COUNT(sources), MODES);
	add_rows_in_pairs(tc, refusal_concerns_whom_it_was_said_about, refused);
	add_rows_in_pairs(
	    tc, who_is_too_many_gets_a_transaction_of_his_own, too_many);
	add_rows_in_pairs(tc,
	    messages_beyond_mailmax_go_over_another_connection,
	    another_connection);
	add_rows_in_modes(
	    tc, goodbye_without_an_answer_keeps_nobody_waiting, no_goodbye);
	add_in_modes(tc, thousand_recipients_take_one_flight);
	add_rows_in_modes(
	    tc, bdat_has_the_content_with_crlf_and_nothing_doubled, texts);
	add_in_modes(tc, long_content_goes_in_chunks_of_a_mebibyte);
	add_rows_in_modes(tc, hook_has_all_the_time_it_wants, hook_rows);
	add_rows_in_modes(
	    tc, hook_gives_up_before_the_last_octet_has_left, hook_rows);
	tcase_add_loop_test(
	    tc, setting_out_of_range_spoils_the_client, 0, COUNT(ranges));
	tcase_add_test(tc, setting_that_comes_too_late_changes_nothing);
	return talk_run(suite);
}
