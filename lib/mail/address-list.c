/* SPDX-License-Identifier: MIT */
#include "mail/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_SLOT_COUNT 16

/* FNV-1a; crafted collisions cost no more than STLS_ADDRESS_COUNT_MAX does. */
static uint32_t
hash(const struct stls_address *address)
{
	const char *s;
	uint32_t h = 2166136261u;

	for (s = address->mailbox; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* The slot where the address is or belongs; there is always a free one. */
static size_t
find_slot(
    const struct stls_address_list *list, const struct stls_address *address)
{
	size_t mask = list->slot_count - 1, slot = hash(address) & mask;
	unsigned int index;

	while ((index = list->slots[slot]) != 0) {
		if (stls_address_is_same(&list->items[index - 1], address))
			break;
		slot = (slot + 1) & mask;
	}
	return slot;
}

/* Make place for one more, with at least half of the slots free. */
static int
grow(struct stls_err *err, struct stls_address_list *list)
{
	size_t i, slot_count = list->slot_count * 2;
	struct stls_address *items;
	unsigned int *slots;

	if (list->count < list->slot_count / 2)
		return SMTPTLS_OK;
	if (slot_count == 0)
		slot_count = FIRST_SLOT_COUNT;

	slots = stls_alloc_array(slot_count, sizeof(*slots));
	if (slots == NULL)
		return stls_err_nomem(err);
	items = stls_realloc(list->items, slot_count / 2 * sizeof(*items));
	if (items == NULL) {
		free(slots);
		return stls_err_nomem(err);
	}

	free(list->slots);
	list->items = items;
	list->slots = slots;
	list->slot_count = slot_count;
	for (i = 0; i < list->count; i++)
		slots[find_slot(list, &items[i])] = (unsigned int)i + 1;
	return SMTPTLS_OK;
}

static int
add(struct stls_err *err, struct stls_address_list *list,
    const struct stls_address *address, bool *out_added)
{
	size_t slot;
	int r;

	r = grow(err, list);
	if (r < 0)
		return r;
	slot = find_slot(list, address);
	*out_added = list->slots[slot] == 0;
	if (!*out_added)
		return SMTPTLS_OK;
	if (list->count >= STLS_ADDRESS_COUNT_MAX)
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "more than %d recipients", STLS_ADDRESS_COUNT_MAX);
	list->items[list->count++] = *address;
	list->slots[slot] = (unsigned int)list->count;
	return SMTPTLS_OK;
}

int
stls_address_list_add(struct stls_err *err, struct stls_address_list *list,
    struct stls_address *address)
{
	bool added = false;
	int r;

	r = add(err, list, address, &added);
	if (r < 0 || !added)
		stls_address_done(address);
	memset(address, 0, sizeof(*address));
	return r;
}

void
stls_address_list_done(struct stls_address_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		stls_address_done(&list->items[i]);
	free(list->items);
	free(list->slots);
	memset(list, 0, sizeof(*list));
}
