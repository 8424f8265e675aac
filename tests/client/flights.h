/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_FLIGHTS_H
#define STLS_TEST_FLIGHTS_H

#include "client/talk.h"

/*
 * Several messages over one client, what leaves together, and what becomes of
 * each recipient. A server that reads several lines before it answers proves
 * that they left without waiting; what was waited for is in the trace.
 */

#define SCRIPT_MAX 48
#define SENT_MAX 6
#define SENT_RECIPIENTS_MAX 3

#define OFFER(words)                                                           \
	SEND("250-mail.example.org\r\n" words "250 SIZE 100000000\r\n")
#define PIPELINING "250-PIPELINING\r\n"
#define CHUNKING "250-CHUNKING\r\n"

#define OK "250 ok\r\n"
#define GO "354 go\r\n"
#define MAIL PREFIX("MAIL FROM:<alice@example.org>")
#define BOB LINE("RCPT TO:<bob@example.org>")
#define CAROL LINE("RCPT TO:<carol@example.org>")
#define DAVE LINE("RCPT TO:<dave@example.org>")
#define DATA LINE("DATA")
#define BDAT LINE("BDAT 44 LAST"), OCTETS(44)
#define QUIT LINE("QUIT")
#define RSET LINE("RSET")
/* An envelope to bob, as each level sends it, and its content. */
#define ENVELOPE MAIL, BOB, DATA
#define WHOLE MAIL, BOB, BDAT
#define CONTENT STEP(CONTENT)
_Static_assert(sizeof(TALK_CONTENT) - 1 == 44, "what BDAT announces");

#define NONE SMTPTLS_PIPELINING_NONE
#define ONE_FLIGHT SMTPTLS_PIPELINING_ONE_FLIGHT
#define WINDOW SMTPTLS_PIPELINING_WINDOW

#define NOT_TRIED SMTPTLS_OUTCOME_NOT_TRIED
#define ACCEPTED SMTPTLS_OUTCOME_ACCEPTED
#define LATER SMTPTLS_OUTCOME_REFUSED_LATER
#define REFUSED SMTPTLS_OUTCOME_REFUSED
#define IN_DOUBT SMTPTLS_OUTCOME_IN_DOUBT

/* Where TALK_CONTENT comes from. */
enum source {
	OF_MEMORY,
	OF_FILE,
	OF_REWOUND, /* a callback that can be rewound */
	OF_CALLBACK,
	OF_PIPE
};

/* A message to bob, carol and dave, the first of them, and what is expected. */
struct sent {
	size_t recipients;
	enum source source;
	bool all_or_nothing;
	int status; /* SMTPTLS_E_IO also stands for SMTPTLS_E_TLS */
	struct {
		enum smtptls_outcome outcome;
		int code;
	} outcomes[SENT_RECIPIENTS_MAX];
};

#define SENT_OK                                                                \
	{                                                                      \
		.recipients = 1, .outcomes = { { ACCEPTED, 250 } }             \
	}
#define SENT_ONE(s, o, c)                                                      \
	{                                                                      \
		.recipients = 1, .status = (s), .outcomes = { { (o), (c) } }   \
	}
#define SENT_IN_DOUBT SENT_ONE(SMTPTLS_E_IN_DOUBT, IN_DOUBT, 0)
#define SENT_LOST SENT_ONE(SMTPTLS_E_IO, NOT_TRIED, 0)

struct flight {
	struct step script[SCRIPT_MAX];
	const struct step *next; /* of a second connection */
	enum smtptls_pipelining level;
	size_t window; /* 0: the default */
	bool no_chunking;
	bool is_lmtp;
	bool says_goodbye; /* QUIT behind the last message */
	int timeout_ms;	   /* of every answer; 0: the default */
	int end;	   /* of the client: SMTPTLS_OK, or why it is over */
	/* Command lines (C) and reply lines (S) from EHLO on; NULL: any. */
	const char *turns;
	struct sent sent[SENT_MAX];
};

/* What a flight needs; the messages outlive the client. */
struct flown {
	struct talk talk;
	const struct flight *flight;
	struct smtptls_message *messages[SENT_MAX];
	size_t count;
	size_t given[SENT_MAX]; /* of a callback's content */
	int fds[SENT_MAX];
};

/* Begin, with the messages made and nothing connected. */
void flight_begin(struct flown *flown, const struct flight *flight, int mode);

/* The same with a server of special options. */
void flight_begin_with(struct flown *flown, const struct flight *flight,
    int mode, const struct server_options *options);

/* Send all in the way of the mode, and take them back in their order. */
void flight_send(struct flown *flown);

/* Check what became of them. */
void flight_check(struct flown *flown);

/* The server's end, and what is left to free. */
void flight_end(struct flown *flown);

/* All in one. */
void flight_play(const struct flight *flight, int mode);

#endif
