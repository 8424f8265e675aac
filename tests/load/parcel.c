/* SPDX-License-Identifier: MIT */
#include "load/parcel.h"

#include <stdlib.h>
#include <string.h>

/* One in so many reads, or hooks, says "again"; and one in so many gives up. */
#define PAUSES_ONE_IN 8
#define GIVES_UP_ONE_IN 64

static bool
pauses(struct parcel *parcel)
{
	if (!parcel->may_pause || parcel->paused == NULL ||
	    !chance_one_in(&parcel->chance, PAUSES_ONE_IN))
		return false;
	*parcel->paused = true;
	return true;
}

static int
give(void *buf, size_t cap, size_t *out_len, void *arg)
{
	struct parcel *parcel = arg;
	size_t len = parcel->len - parcel->given;
	size_t some = 1 + chance_scale(&parcel->chance, 14);

	*out_len = 0;
	if (pauses(parcel))
		return SMTPTLS_AGAIN;
	if (len > some)
		len = some;
	if (len > cap)
		len = cap;
	memcpy(buf, parcel->content + parcel->given, len);
	parcel->given += len;
	*out_len = len;
	return SMTPTLS_OK;
}

static int
give_anew(void *arg)
{
	struct parcel *parcel = arg;

	parcel->given = 0;
	return SMTPTLS_OK;
}

static int
release(struct smtptls_message *message, void *arg)
{
	struct parcel *parcel = arg;

	(void)message;
	if (pauses(parcel))
		return SMTPTLS_AGAIN;
	if (parcel->may_give_up &&
	    chance_one_in(&parcel->chance, GIVES_UP_ONE_IN))
		return SMTPTLS_E_SOURCE;
	books_release(parcel->books, parcel->id);
	return SMTPTLS_OK;
}

struct parcel *
parcel_new(struct books *books, bool may_pause, bool may_give_up)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));

	if (parcel == NULL)
		abort();
	parcel->books = books;
	parcel->may_pause = may_pause;
	parcel->may_give_up = may_give_up;
	parcel->id = books_invent(books, &parcel->content, &parcel->len);
	if (parcel->id == books->letters_max) {
		free(parcel);
		return NULL;
	}
	parcel->chance = chance_of(books->seed, 'p', parcel->id);
	parcel->message = books_message(
	    books, parcel->id, parcel->content, parcel->len);
	if (parcel->message == NULL)
		abort();
	if (chance_one_in(&parcel->chance, 4))
		(void)smtptls_message_set_body_cb(
		    parcel->message, give, give_anew, parcel);
	(void)smtptls_message_set_before_end(parcel->message, release, parcel);
	return parcel;
}

bool
parcel_is_open(const struct parcel *parcel)
{
	size_t i, count = smtptls_message_recipients(parcel->message);

	if (parcel->attempts >= ATTEMPTS_MAX)
		return false;
	for (i = 0; i < count; i++) {
		switch (smtptls_message_outcome(parcel->message, i)) {
		case SMTPTLS_OUTCOME_NOT_TRIED:
		case SMTPTLS_OUTCOME_REFUSED_LATER:
			return true;
		default:
			break;
		}
	}
	return false;
}

void
parcel_settle(struct parcel *parcel)
{
	books_settle(parcel->books, parcel->id, parcel->message);
	smtptls_message_free(parcel->message);
	free(parcel->content);
	free(parcel);
}
