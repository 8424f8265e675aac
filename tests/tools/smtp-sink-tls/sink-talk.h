/* SPDX-License-Identifier: MIT */
#ifndef TEST_SINK_TALK_H
#define TEST_SINK_TALK_H

#include "test.h"

#include "conversation/extensions.h"
#include "conversation/smtp.h"

/* A conversation with the sink, without a socket: a process has one. */

#define HI "EHLO c.example.org\r\n"
#define FROM "MAIL FROM:<a@example.org>\r\n"
#define TO "RCPT TO:<b@example.org>\r\n"
/* alice, secret */
#define PLAIN "AGFsaWNlAHNlY3JldA=="

#define CLEAR 1u /* not yet in TLS */
#define LOGIN 2u /* alice has to authenticate with the password secret */
#define TOKEN 4u /* or with a token */

extern struct sink_stats stats;
extern struct sink_policy policy;
extern struct sink_smtp smtp;
/* What it has said, and a NUL. */
extern char out[65536];
extern size_t out_len;

/* Set the policy, which may be changed before a conversation is started. */
void prepare(unsigned int how, unsigned int extensions);
/* Start a conversation by the policy. */
void start(unsigned int how);
/* Both. */
void begin(unsigned int how, unsigned int extensions);

/* Move what the sink has to say to `out`. */
void collect(void);

/* As a connection does: what is not used comes again. */
void feed(const char *text);
/* The same in two pieces, the first one of `cut` octets. */
void feed_cut(const char *data, size_t len, size_t cut);

/*
 * The codes of whole replies, with blanks: easier to read than the texts. A
 * good server has said nothing else.
 */
const char *codes(void);

#endif
