/* SPDX-License-Identifier: MIT */
#include "recipients.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* So many are compared one by one. */
#define FEW 8

/* An odd number without a pattern: 2^64 divided by the golden ratio. */
#define FACTOR 0x9e3779b97f4a7c15u

static uint64_t
stir(uint64_t h, uint64_t word)
{
	h = (h ^ word) * FACTOR;
	return h ^ h >> 32;
}

/* A word at a time; who crafts collisions makes his own mail slow. */
static uint32_t
hash(const struct stls_mailbox *mailbox)
{
	const char *text = mailbox->text;
	size_t left = mailbox->len;
	uint64_t h = 0, word;

	for (; left >= sizeof(word); text += sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		h = stir(h, word);
		left -= sizeof(word);
	}
	for (; left > 0; text++, left--)
		h = stir(h, (unsigned char)*text);
	return (uint32_t)h;
}

/* Written anew from its parts, a mailbox has one spelling only. */
static bool
is_at(const struct stls_recipient *recipient, uint32_t wanted,
    const struct stls_mailbox *mailbox)
{
	return recipient->hash == wanted &&
	    strcmp(recipient->mailbox, mailbox->text) == 0;
}

/* The slot where a mailbox is or belongs; there is always a free one. */
static unsigned int *
find_slot(const struct stls_recipient_index *index,
    const struct stls_transaction *txn, uint32_t wanted,
    const struct stls_mailbox *mailbox)
{
	size_t mask = index->slot_count - 1, slot = wanted & mask;
	unsigned int found;

	while ((found = index->slots[slot]) != 0) {
		if (is_at(&txn->recipients[found - 1], wanted, mailbox))
			break;
		slot = (slot + 1) & mask;
	}
	return &index->slots[slot];
}

/* The first free slot of a hash, where nobody has to be compared. */
static unsigned int *
free_slot(unsigned int *slots, size_t slot_count, uint32_t h)
{
	size_t slot = h & (slot_count - 1);

	while (slots[slot] != 0)
		slot = (slot + 1) & (slot_count - 1);
	return &slots[slot];
}

/* The first slots, or twice as many. */
static int
rehash(struct stls_recipient_index *index, const struct stls_transaction *txn)
{
	size_t slot_count = index->slot_count > 0 ? 2 * index->slot_count
						  : 4 * FEW,
	       i;
	unsigned int *slots;

	slots = stls_alloc_array(slot_count, sizeof(*slots));
	if (slots == NULL)
		return SMTPTLS_E_NOMEM;
	for (i = 0; i < txn->count; i++)
		*free_slot(slots, slot_count,
		    txn->recipients[i].hash) = (unsigned int)i + 1;
	free(index->slots);
	index->slots = slots;
	index->slot_count = slot_count;
	return SMTPTLS_OK;
}

static bool
is_among_few(const struct stls_transaction *txn, uint32_t wanted,
    const struct stls_mailbox *mailbox)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (is_at(&txn->recipients[i], wanted, mailbox))
			return true;
	}
	return false;
}

int
stls_recipient_index_add(struct stls_recipient_index *index,
    struct stls_transaction *txn, const struct stls_mailbox *mailbox)
{
	uint32_t wanted = hash(mailbox);
	unsigned int *slot = NULL;
	int r;

	if (txn->count >= FEW && txn->count >= index->slot_count / 2 &&
	    rehash(index, txn) < 0)
		return SMTPTLS_E_NOMEM;
	if (index->slots != NULL)
		slot = find_slot(index, txn, wanted, mailbox);
	if (slot != NULL ? *slot != 0 : is_among_few(txn, wanted, mailbox))
		return SMTPTLS_OK;
	r = stls_transaction_add_recipient(
	    txn, mailbox->text, mailbox->len, mailbox->needs_smtputf8);
	if (r < 0)
		return r;
	txn->recipients[txn->count - 1].hash = wanted;
	if (slot != NULL)
		*slot = (unsigned int)txn->count;
	return SMTPTLS_OK;
}

void
stls_recipient_index_done(struct stls_recipient_index *index)
{
	free(index->slots);
	memset(index, 0, sizeof(*index));
}
