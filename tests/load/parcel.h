/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_PARCEL_H
#define STLS_TEST_PARCEL_H

#include <smtptls/message.h>

#include "load/books.h"

/* How often what was not tried, or refused for now, is tried in all. */
#define ATTEMPTS_MAX 3

/* A letter on its way: a message with content, hook, and its attempts. */
struct parcel {
	struct books *books;
	uint32_t id;
	struct smtptls_message *message;
	char *content;
	size_t len, given; /* by the source */
	struct chance chance;
	unsigned int attempts;
	bool may_pause;	  /* the program goes on with it by itself */
	bool may_give_up; /* the hook does */
	bool *paused;	  /* set where source or hook has said "again" */
	struct parcel *next;
};

/* NULL: the books are full. */
struct parcel *parcel_new(
    struct books *books, bool may_pause, bool may_give_up);

/* Whether it is worth another attempt. */
bool parcel_is_open(const struct parcel *parcel);

/* Note what became of it, and free it. */
void parcel_settle(struct parcel *parcel);

#endif
