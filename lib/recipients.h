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
	size_t cap;	     /* that txn->recipients has place for */
	unsigned int *slots; /* index + 1 by hash, 0 is free; NULL for few */
	size_t slot_count;   /* a power of two; half of them are free */
};

/*
 * Append a recipient, once: takes address->mailbox, and leaves NULL there,
 * unless it is there. SMTPTLS_E_NOMEM: nothing was changed.
 */
int stls_recipient_index_add(struct stls_recipient_index *index,
    struct stls_transaction *txn, struct stls_address *address);

void stls_recipient_index_done(struct stls_recipient_index *index);

#endif
