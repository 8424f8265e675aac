/* SPDX-License-Identifier: MIT */
#include "spool/doubt.h"

#include <stdint.h>
#include <sysexits.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* What a record about a recipient takes, without the server's words. */
#define STATE_LEN 64

/*
 * What the file is to say of a recipient from now on. A no is heard again by
 * who asks again, so that until its words are written nobody has decided.
 */
static enum spool_state
state_now(const struct spool_recipient *recipient, enum smtptls_outcome outcome,
    bool is_leaving)
{
	if (outcome == SMTPTLS_OUTCOME_ACCEPTED)
		return SPOOL_ACCEPTED;
	if (outcome == SMTPTLS_OUTCOME_IN_DOUBT ||
	    recipient->state == SPOOL_IN_DOUBT)
		return SPOOL_IN_DOUBT;
	if (outcome == SMTPTLS_OUTCOME_NOT_TRIED)
		return is_leaving ? SPOOL_IN_DOUBT : recipient->noted;
	return SPOOL_WAITING;
}

/* All of them, those that are not tried as they are; EX_OSERR. */
static int
states_now(
    const struct spool_doubt *doubt, bool is_leaving, enum spool_state **out)
{
	const struct spool_item *item = doubt->item;
	const struct spool_recipient *recipient = item->message.recipients;
	enum spool_state *states;
	size_t i, k = 0;

	states = stls_alloc_array(
	    item->message.recipient_count, sizeof(states[0]));
	if (states == NULL)
		return EX_OSERR;
	for (i = 0; i < item->message.recipient_count; i++, recipient++) {
		states[i] = recipient->noted;
		if (item->is_tried[i])
			states[i] = state_now(recipient,
			    smtptls_message_outcome(doubt->message, k++),
			    is_leaving);
	}
	*out = states;
	return 0;
}

/*
 * One record takes all that wait into doubt. It is worth it where those that
 * go on waiting, and need one of their own behind it, are the fewer.
 */
static bool
is_for_all(const struct spool_message *message, const enum spool_state *states)
{
	size_t i, doubt = 0, waiting = 0;

	for (i = 0; i < message->recipient_count; i++) {
		if (message->recipients[i].noted != SPOOL_WAITING)
			continue;
		doubt += states[i] == SPOOL_IN_DOUBT;
		waiting += states[i] == SPOOL_WAITING;
	}
	return doubt > waiting;
}

/* Append what is different from what is there. */
static int
append_states(struct stls_err *err, const struct spool_message *message,
    const enum spool_state *states, struct stls_buf *records)
{
	const struct spool_recipient *recipient = message->recipients;
	bool for_all = is_for_all(message, states);
	time_t now = time(NULL);
	enum spool_state there;
	size_t i;
	int r = 0;

	if (for_all)
		r = spool_file_append_doubt(err, records, now);
	for (i = 0; i < message->recipient_count && r == 0; i++, recipient++) {
		there = for_all && recipient->noted == SPOOL_WAITING
		    ? SPOOL_IN_DOUBT
		    : recipient->noted;
		if (states[i] != there)
			r = spool_file_append_state(err, records, i, states[i],
			    states[i] == SPOOL_WAITING ? recipient->since : now,
			    NULL);
	}
	return r;
}

/* Write it, with a place for what is going to be said of who is left. */
static int
write_states(struct stls_err *err, struct spool_item *item,
    const enum spool_state *states, const struct stls_buf *records)
{
	struct spool_message *message = &item->message;
	size_t i, reserve = STATE_LEN;
	int r;

	for (i = 0; i < message->recipient_count; i++)
		reserve += states[i] != SPOOL_ACCEPTED ? STATE_LEN : 0;
	if (!spool_file_has_room(&item->file, stls_buf_len(records) + reserve,
		SPOOL_QUARTERS_FOR_DOUBT))
		return stls_err_set(err, EX_CANTCREAT,
		    "its file in the spool has no room for more records");
	r = spool_file_append(err, &item->file, records, reserve, true);
	for (i = 0; i < message->recipient_count && r == 0; i++)
		message->recipients[i].noted = states[i];
	return r;
}

static int
note_states(struct stls_err *err, struct spool_doubt *doubt, bool is_leaving)
{
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };
	CLEANUP(free_ptr) enum spool_state *states = NULL;
	struct spool_item *item = doubt->item;
	int r;

	stls_buf_init(&records, SPOOL_FILE_RECORDS_MAX);
	if (states_now(doubt, is_leaving, &states) != 0)
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = append_states(err, &item->message, states, &records);
	/* Where nothing is new, a place is to be taken all the same. */
	if (r == 0 && (is_leaving || stls_buf_len(&records) > 0))
		r = write_states(err, item, states, &records);
	return r;
}

/*
 * A smtptls_before_end_cb: the last octet leaves when the disk knows that it
 * may have. What is going to be said about each recipient has its place there
 * by then, so that a full disk does not make a message go twice. Where the
 * server takes not all at once this is so for one transaction after another,
 * and who got it by one is not in doubt by the next.
 */
static int
note_doubt(struct smtptls_message *message, void *arg)
{
	struct spool_doubt *doubt = arg;
	int r;

	(void)message;
	r = note_states(&doubt->err, doubt, true);
	doubt->item->has_doubt = doubt->item->has_doubt || r == 0;
	return r == 0 ? SMTPTLS_OK : SMTPTLS_E_IO;
}

/*
 * A smtptls_progress_cb: what the transaction before this one has settled is
 * written while the content of this one is still to be sent. Where that fails
 * the hook tries again.
 */
static void
note_answers(uint64_t sent, void *arg)
{
	struct spool_doubt *doubt = arg;
	struct stls_err err = { 0 };

	if (sent == 0 && doubt->item->has_doubt)
		(void)note_states(&err, doubt, false);
}

void
spool_doubt_watch(struct spool_doubt *doubt, struct smtptls_message *message)
{
	doubt->message = message;
	smtptls_message_set_before_end(message, note_doubt, doubt);
	smtptls_message_set_progress(message, note_answers, doubt);
}
