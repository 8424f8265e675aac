/* SPDX-License-Identifier: MIT */
#ifndef STLS_RECIPIENTS_H
#define STLS_RECIPIENTS_H

#include <stddef.h>

#include "mail/address.h"
#include "smtp/transaction.h"

/*
 * Finds out whether a transaction has a recipient already, however many there
 * are. Zero-initialised it belongs to one that has none.
 */
struct stls_recipient_index {
	unsigned int *slots; /* index + 1 by hash, 0 is free; NULL for few */
	size_t slot_count;   /* a power of two; half of them are free */
};

/*
 * Append a recipient, unless it is there. SMTPTLS_E_NOMEM: there is no more
 * recipient than before.
 */
int stls_recipient_index_add(struct stls_recipient_index *index,
    struct stls_transaction *txn, const struct stls_mailbox *mailbox);

void stls_recipient_index_done(struct stls_recipient_index *index);

#endif
