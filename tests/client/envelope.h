/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_ENVELOPE_H
#define STLS_TEST_ENVELOPE_H

#include "client/talk.h"

/* Words of a server that answers one after the other, and of outcomes. */
#define OFFER                                                                  \
	SEND("250-mail.example.org\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n")
#define MAIL PREFIX("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n")
#define RCPT(name, reply) LINE("RCPT TO:<" name "@example.org>"), SEND(reply)
#define BOB_TAKEN RCPT("bob", "250 ok\r\n")
#define DATA LINE("DATA"), SEND("354 go\r\n")
#define RSET LINE("RSET"), SEND("250 ok\r\n")

#define NOT_TRIED SMTPTLS_OUTCOME_NOT_TRIED
#define ACCEPTED SMTPTLS_OUTCOME_ACCEPTED
#define LATER SMTPTLS_OUTCOME_REFUSED_LATER
#define REFUSED SMTPTLS_OUTCOME_REFUSED
#define IN_DOUBT SMTPTLS_OUTCOME_IN_DOUBT

#endif
