/* SPDX-License-Identifier: MIT */
#ifndef STLS_MESSAGE_H
#define STLS_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <smtptls/message.h>

#include "base/err.h"
#include "mail/address.h"
#include "smtp/transaction.h"
#include "content.h"
#include "recipients.h"

struct smtptls_message {
	struct stls_transaction txn;  /* first: the engine gives this back */
	struct smtptls_message *next; /* in a client's list of done ones */
	atomic_uint holders;
	struct stls_err err;  /* of a call; the outcome's is in txn */
	bool is_spoiled;      /* a setter failed: err stays */
	bool submitted;	      /* and not done yet */
	bool is_in_done;      /* in that list: `next` is in use */
	bool hook_was_called; /* before_end, in this attempt, to its end */
	bool has_sender;
	bool size_was_set;
	struct stls_recipient_index index;
	struct stls_content content;
	smtptls_before_end_cb before_end;
	void *before_end_arg;
	smtptls_progress_cb progress; /* or NULL */
	void *progress_arg;
};

/* The message that a transaction of the engine belongs to. */
static inline struct smtptls_message *
stls_message_of(struct stls_transaction *txn)
{
	return (struct smtptls_message *)txn;
}

/* In front of every setter: SMTPTLS_OK, or why nothing may be set. */
int stls_message_check_open(struct smtptls_message *message);

/* A setter failed: who does not look must not send what lacks it. */
int stls_message_spoil(struct smtptls_message *message);

/* Whether it can be sent: SMTPTLS_E_INVALID, SMTPTLS_E_STATE. */
int stls_message_check(struct smtptls_message *message);

/* It never got to an engine: nobody was tried, for this reason. Its status. */
int stls_message_not_sent(
    struct smtptls_message *message, const struct stls_err *reason);

/* How many recipients the next attempt is for. */
size_t stls_message_count_open(const struct smtptls_message *message);

/*
 * Whether an attempt, for so many recipients, ended before the server had said
 * or can have done anything about it, and another one can be made at once.
 */
bool stls_message_is_untouched(
    const struct smtptls_message *message, size_t open);

/*
 * Make ready for an attempt: complete, rewound, its facts known.
 * SMTPTLS_E_INVALID, SMTPTLS_E_STATE, SMTPTLS_E_SOURCE with the sentence in
 * the message.
 */
int stls_message_prepare(struct smtptls_message *message);

#endif
