/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_TRANSACTION_H
#define STLS_SMTP_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smtptls/status.h>

#include "base/arena.h"
#include "base/err.h"
#include "smtp/data.h"
#include "smtp/demands.h"
#include "smtp/expected.h"
#include "smtp/reply.h"

/* What is kept of the text of the reply that decided about a recipient. */
#define STLS_OUTCOME_TEXT_CAP 512

struct stls_shared_text;

struct stls_recipient {
	const char *mailbox; /* as it is sent */
	uint32_t hash;	     /* of it, for who looks for doubles */
	bool needs_smtputf8;
	bool asked;   /* RCPT was written in this attempt */
	bool taken;   /* and answered 250, and nothing more yet */
	bool settled; /* has its outcome, as far as this submission goes */
	enum smtptls_outcome outcome;
	int code;	     /* 0: no reply decided, text says why */
	enum stls_step step; /* what that was the reply to */
	char enhanced[STLS_ENHANCED_CAP];
	struct stls_shared_text *shared; /* NULL: no text */
};

/* How the content gets to the server. */
enum stls_transfer {
	STLS_BY_DATA,
	STLS_BY_BDAT,	     /* when the recipients have been answered */
	STLS_BY_BDAT_AT_ONCE /* in one flight with the envelope */
};

/*
 * A mail transaction (RFC 5321 section 3.3): an envelope, what is known of
 * the content, and the outcomes. The engine works on it; who made it owns it
 * and lets it live until the engine has given it back as done. Where the
 * server takes not all recipients at once it is as many transactions, one
 * after another, each of which is an attempt. It has places of its own for what
 * a usual envelope needs, so it must not be moved.
 */
struct stls_transaction {
	struct stls_transaction *next; /* in a queue of the engine */

	struct stls_arena mailboxes; /* of the envelope, each a string */
	const char *sender;	     /* "" for the null reverse-path */
	bool sender_needs_smtputf8;
	struct stls_recipient *recipients;
	size_t count;
	size_t cap; /* that recipients has place for */
	/* So many need no memory but that of the transaction. */
	struct stls_recipient few[2];
	struct stls_demands *demands; /* NULL: none */
	bool smtputf8;		      /* asked for */
	bool all_or_nothing;
	bool reject_line_endings;
	bool size_is_known;
	bool is_7bit;	 /* known to be; 8-bit content is not */
	bool is_8bit;	 /* known to be */
	bool is_exact;	 /* content_size is to the octet */
	bool can_rewind; /* the content can be had a second time */
	uint64_t size;	 /* for SIZE */
	uint64_t content_size;

	/* Of this attempt. */
	enum stls_transfer transfer;
	size_t next_rcpt;    /* the recipient whose RCPT is sent next */
	size_t asked;	     /* recipients */
	size_t taken;	     /* of these */
	size_t put_off;	     /* recipients left to another attempt */
	size_t due;	     /* replies that have not come */
	size_t envelope_due; /* of these, to MAIL and RCPT */
	uint64_t end_offset; /* output offset behind its end; 0: none */
	bool mail_was_refused;
	bool is_stopped;      /* refused while its content is on its way */
	bool follows_refusal; /* which left the server in the middle */
	bool follows_reset;   /* so nothing in front of it is left */
	bool is_repeated;     /* the content was begun by another attempt */

	int status; /* SMTPTLS_AGAIN until it is done */
	struct stls_err err;
};

/*
 * Set the sender, or append a recipient, who gets the next place: mailboxes as
 * they are sent, which are copied. SMTPTLS_E_NOMEM: nothing was changed.
 */
int stls_transaction_set_sender(struct stls_transaction *txn,
    const char *mailbox, size_t len, bool needs_smtputf8);
int stls_transaction_add_recipient(struct stls_transaction *txn,
    const char *mailbox, size_t len, bool needs_smtputf8);

/* Keep a reason, or none where memory ran out: the outcome does not need it. */
void stls_recipient_set_text(
    struct stls_recipient *recipient, const char *text);

/* The reason, or what the reply said; "" where there is none. */
const char *stls_recipient_text(const struct stls_recipient *recipient);

/* Whether a recipient may be tried by another submission. */
bool stls_recipient_is_open(const struct stls_recipient *recipient);

/* Start the first attempt: progress is zeroed, final outcomes stay. */
void stls_transaction_start(struct stls_transaction *txn);

/* Start another attempt, for those that are not settled. */
void stls_transaction_start_again(struct stls_transaction *txn);

/*
 * Whether another attempt could have the whole content: again, or for the first
 * time, because by DATA none is asked for where MAIL was refused.
 */
bool stls_transaction_can_repeat(const struct stls_transaction *txn);

/* Whether anybody is not settled. */
bool stls_transaction_is_open(const struct stls_transaction *txn);

/* Give one recipient the outcome that a reply means, and what it is to. */
void stls_recipient_decide(struct stls_recipient *recipient,
    enum stls_step step, const struct stls_reply *reply);

/* The same for each recipient that was taken, or that is not settled. */
void stls_transaction_decide_taken(struct stls_transaction *txn,
    enum stls_step step, const struct stls_reply *reply);
void stls_transaction_decide_open(struct stls_transaction *txn,
    enum stls_step step, const struct stls_reply *reply);

/*
 * End without a reply: recipients that were asked become in doubt where
 * in_doubt, else not tried, with err as the reason; those that have an
 * outcome keep it.
 */
void stls_transaction_fail(
    struct stls_transaction *txn, bool in_doubt, const struct stls_err *err);

/*
 * What was decided at a step of this attempt is in doubt after all, with err as
 * the reason.
 */
void stls_transaction_doubt(struct stls_transaction *txn, enum stls_step step,
    const struct stls_err *err);

/* Sum up into status and err. */
void stls_transaction_finish(struct stls_transaction *txn);

/* Free what it holds. */
void stls_transaction_done(struct stls_transaction *txn);

/* Transactions one after another; zero-initialised it is empty. */
struct stls_queue {
	struct stls_transaction *first, *last;
	size_t len;
};

void stls_queue_append(struct stls_queue *queue, struct stls_transaction *txn);
struct stls_transaction *stls_queue_take(struct stls_queue *queue);

#endif
