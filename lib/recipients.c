/* SPDX-License-Identifier: MIT */
#include "recipients.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define FIRST_CAP 4
/* So many are compared one by one. */
#define FEW 8

/* FNV-1a; who crafts collisions makes his own mail slow. */
static uint32_t
hash(const char *mailbox)
{
	uint32_t h = 2166136261u;

	for (; *mailbox != '\0'; mailbox++)
		h = (h ^ (unsigned char)*mailbox) * 16777619u;
	return h;
}

/* The slot where the mailbox is or belongs; there is always a free one. */
static size_t
find_slot(const struct stls_recipient_index *index,
    const struct stls_transaction *txn, const char *mailbox)
{
	size_t mask = index->slot_count - 1, slot = hash(mailbox) & mask;
	unsigned int found;

	while ((found = index->slots[slot]) != 0) {
		if (strcmp(txn->recipients[found - 1].mailbox, mailbox) == 0)
			break;
		slot = (slot + 1) & mask;
	}
	return slot;
}

/* Slots for twice as many as there is place for. */
static int
rehash(struct stls_recipient_index *index, const struct stls_transaction *txn)
{
	unsigned int *slots;
	size_t i;

	if (index->cap <= FEW)
		return SMTPTLS_OK;
	slots = stls_alloc_array(2 * index->cap, sizeof(*slots));
	if (slots == NULL)
		return SMTPTLS_E_NOMEM;
	free(index->slots);
	index->slots = slots;
	index->slot_count = 2 * index->cap;
	for (i = 0; i < txn->count; i++)
		slots[find_slot(index, txn, txn->recipients[i].mailbox)] =
		    (unsigned int)i + 1;
	return SMTPTLS_OK;
}

static int
grow(struct stls_recipient_index *index, struct stls_transaction *txn)
{
	size_t cap = index->cap > 0 ? 2 * index->cap : FIRST_CAP, old;
	struct stls_recipient *recipients;
	int r;

	if (txn->count < index->cap)
		return SMTPTLS_OK;
	recipients = stls_realloc(txn->recipients, cap * sizeof(*recipients));
	if (recipients == NULL)
		return SMTPTLS_E_NOMEM;
	txn->recipients = recipients;
	old = index->cap;
	index->cap = cap;
	r = rehash(index, txn);
	if (r < 0)
		index->cap = old;
	return r;
}

static bool
is_among_few(const struct stls_transaction *txn, const char *mailbox)
{
	size_t i;

	for (i = 0; i < txn->count; i++) {
		if (strcmp(txn->recipients[i].mailbox, mailbox) == 0)
			return true;
	}
	return false;
}

int
stls_recipient_index_add(struct stls_recipient_index *index,
    struct stls_transaction *txn, struct stls_address *address)
{
	size_t slot = 0;
	int r;

	r = grow(index, txn);
	if (r < 0)
		return r;
	/* Written anew from its parts, a mailbox has one spelling only. */
	if (index->slots == NULL) {
		if (is_among_few(txn, address->mailbox))
			return SMTPTLS_OK;
	} else {
		slot = find_slot(index, txn, address->mailbox);
		if (index->slots[slot] != 0)
			return SMTPTLS_OK;
		index->slots[slot] = (unsigned int)txn->count + 1;
	}
	txn->recipients[txn->count++] = (struct stls_recipient){
		.mailbox = TAKE(address->mailbox),
		.needs_smtputf8 = address->needs_smtputf8,
	};
	return SMTPTLS_OK;
}

void
stls_recipient_index_done(struct stls_recipient_index *index)
{
	free(index->slots);
	memset(index, 0, sizeof(*index));
}
