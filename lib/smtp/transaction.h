/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_TRANSACTION_H
#define STLS_SMTP_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smtptls/status.h>

#include "base/err.h"
#include "smtp/data.h"
#include "smtp/expected.h"
#include "smtp/reply.h"

/* What is kept of the text of the reply that decided about a recipient. */
#define STLS_OUTCOME_TEXT_CAP 512

struct stls_recipient {
	char *mailbox; /* as it is sent */
	bool needs_smtputf8;
	bool taken; /* RCPT was answered 250 in this attempt */
	enum smtptls_outcome outcome;
	int code;	     /* 0: no reply decided, text says why */
	enum stls_step step; /* what that was the reply to */
	char enhanced[STLS_ENHANCED_CAP];
	char *text; /* NULL: none */
};

/*
 * A mail transaction (RFC 5321 section 3.3): an envelope, what is known of
 * the content, and the outcomes. The engine works on it; who made it owns it
 * and lets it live until the engine has given it back as done.
 */
struct stls_transaction {
	struct stls_transaction *next; /* in a queue of the engine */

	char *sender; /* "" for the null reverse-path */
	bool sender_needs_smtputf8;
	struct stls_recipient *recipients;
	size_t count;
	bool smtputf8; /* asked for */
	bool all_or_nothing;
	bool reject_line_endings;
	bool size_is_known;
	bool is_7bit; /* known to be; 8-bit content is not */
	bool is_8bit; /* known to be */
	uint64_t size;

	size_t next_rcpt;    /* the recipient whose RCPT is sent next */
	size_t taken;	     /* recipients in this attempt */
	size_t decided;	     /* replies to the end of data, for LMTP */
	uint64_t end_offset; /* output offset behind the final dot; 0: none */
	int status;	     /* SMTPTLS_AGAIN until it is done */
	struct stls_err err;
};

/* Whether a recipient is still to be tried in a (second) attempt. */
bool stls_recipient_is_open(const struct stls_recipient *recipient);

/* Start an attempt: progress is zeroed, final outcomes stay. */
void stls_transaction_start(struct stls_transaction *txn);

/* Give one recipient the outcome that a reply means, and what it is to. */
void stls_recipient_decide(struct stls_recipient *recipient,
    enum stls_step step, const struct stls_reply *reply);

/* The same for each recipient that was taken, or that is open. */
void stls_transaction_decide_taken(struct stls_transaction *txn,
    enum stls_step step, const struct stls_reply *reply);
void stls_transaction_decide_open(struct stls_transaction *txn,
    enum stls_step step, const struct stls_reply *reply);

/*
 * End without a reply: recipients that were taken become in doubt where
 * in_doubt, else not tried, with err as the reason; those that have an
 * outcome keep it.
 */
void stls_transaction_fail(
    struct stls_transaction *txn, bool in_doubt, const struct stls_err *err);

/* Sum up into status and err. */
void stls_transaction_finish(struct stls_transaction *txn);

/* Free what it holds. */
void stls_transaction_done(struct stls_transaction *txn);

#endif
