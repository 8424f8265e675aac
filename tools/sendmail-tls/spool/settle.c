/* SPDX-License-Identifier: MIT */
#include "spool/settle.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "crypto/random.h"
#include "spool/add-bounce.h"
#include "spool/schedule.h"

static long
age_now(const struct settings *settings, const struct spool_message *message)
{
	time_t since = message->attempts > 0 ? message->last.when
					     : message->arrived;

	return schedule_age(
	    message->last.age_s, since, time(NULL), settings->spool_lifetime_s);
}

bool
spool_item_is_too_old(
    const struct settings *settings, const struct spool_message *message)
{
	/* What has just been put there is tried once, however old it can be. */
	return message->attempts > 0 &&
	    age_now(settings, message) >= settings->spool_lifetime_s;
}

static int
give_up(struct stls_err *err, struct spool_recipient *recipient,
    const char *last_text)
{
	char text[SPOOL_FILE_TEXT_MAX];

	snprintf(text, sizeof(text),
	    recipient->state == SPOOL_IN_DOUBT ? BOUNCE_TIME_IS_OVER
		", and it may have been delivered, since the answer of the "
		"server was lost: %s"
					       : BOUNCE_TIME_IS_OVER
		", and it was not delivered: %s",
	    recipient->reply != NULL ? recipient->reply : last_text);
	free(recipient->reply);
	recipient->reply = stls_strdup(text);
	recipient->state = SPOOL_REFUSED;
	recipient->since = time(NULL);
	recipient->is_reply_new = true;
	return recipient->reply != NULL
	    ? 0
	    : stls_err_set(err, EX_OSERR, "out of memory");
}

static int
give_all_up(struct stls_err *err, struct spool_message *message,
    const struct delivery *delivery)
{
	struct spool_recipient *recipient = message->recipients;
	const char *text = delivery->text;
	size_t i;
	int r = 0;

	if (text[0] == '\0' && message->last.text != NULL)
		text = message->last.text;
	for (i = 0; i < message->recipient_count && r == 0; i++, recipient++) {
		if (recipient->state == SPOOL_WAITING ||
		    recipient->state == SPOOL_IN_DOUBT)
			r = give_up(err, recipient, text);
	}
	return r;
}

static int
append_states(struct stls_err *err, const struct spool_message *message,
    bool with_text, struct stls_buf *records)
{
	const struct spool_recipient *recipient = message->recipients;
	size_t i;
	int r = 0;

	for (i = 0; i < message->recipient_count && r == 0; i++, recipient++) {
		bool with_reply = with_text && recipient->is_reply_new;

		if (recipient->state != recipient->noted || with_reply)
			r = spool_file_append_state(err, records, i,
			    recipient->state, recipient->since,
			    with_reply ? recipient->reply : NULL);
	}
	return r;
}

static int
append_attempt(struct stls_err *err, const struct settings *settings,
    const struct spool_message *message, const struct delivery *delivery,
    bool with_text, struct stls_buf *records)
{
	time_t now = time(NULL);
	uint32_t random = 0;
	const char *text = delivery->text[0] != '\0' ? delivery->text
						     : delivery->reply;
	struct spool_attempt attempt = {
		.when = now,
		.age_s = age_now(settings, message),
		.status = delivery->status,
		.text = (char *)(with_text ? text : ""),
	};

	if (stls_random(err, &random, sizeof(random)) < 0)
		stls_err_clear(err);
	attempt.next = schedule_next(message->attempts + 1, now, random);
	return spool_file_append_attempt(err, records, &attempt);
}

/*
 * A disk that is full has place for what the hook reserved, which is the
 * states without any words. A file that is full of them gets no more either.
 */
static int
write_outcomes(struct stls_err *err, const struct settings *settings,
    struct spool_item *item, const struct delivery *delivery, bool with_text)
{
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };
	bool durable = item->has_doubt ||
	    spool_message_count(&item->message, SPOOL_REFUSED) > 0 ||
	    spool_message_count(&item->message, SPOOL_ACCEPTED) > 0;
	int r;

	stls_buf_init(&records, SPOOL_FILE_RECORDS_MAX);
	r = append_states(err, &item->message, with_text, &records);
	if (r == 0)
		r = append_attempt(err, settings, &item->message, delivery,
		    with_text, &records);
	if (r == 0 && with_text &&
	    !spool_file_has_room(
		&item->file, stls_buf_len(&records), SPOOL_QUARTERS_FOR_WORDS))
		return stls_err_set(err, EX_CANTCREAT, "no room for words");
	if (r == 0)
		r = spool_file_append(err, &item->file, &records, 0, durable);
	return r;
}

static size_t
count_unsettled(const struct spool_message *message)
{
	return spool_message_count(message, SPOOL_WAITING) +
	    spool_message_count(message, SPOOL_IN_DOUBT);
}

/* The report is durable, so that those it is about are done. */
static int
write_told(struct stls_err *err, struct spool_item *item)
{
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };
	struct spool_recipient *recipient = item->message.recipients;
	size_t i;
	int r = 0;

	stls_buf_init(&records, SPOOL_FILE_RECORDS_MAX);
	for (i = 0; i < item->message.recipient_count && r == 0;
	     i++, recipient++) {
		if (recipient->state != SPOOL_REFUSED)
			continue;
		recipient->state = SPOOL_TOLD;
		r = spool_file_append_state(
		    err, &records, i, SPOOL_TOLD, time(NULL), NULL);
	}
	if (r == 0)
		r = spool_file_append(err, &item->file, &records, 0, true);
	return r;
}

/* Nothing is removed before what is to take its place is durable. */
static int
tell_and_remove(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct spool_item *item,
    char out_bounce_id[SPOOL_ID_LEN + 1])
{
	struct spool_message *message = &item->message;
	bool is_done = count_unsettled(message) == 0;
	int r;

	if (spool_message_count(message, SPOOL_REFUSED) == 0)
		return is_done ? spool_file_remove(err, &item->file) : 0;
	if (!bounce_is_wanted(message, &item->options))
		return is_done ? spool_file_bury(err, &item->file) : 0;
	r = spool_bounce(err, settings, identity, item, out_bounce_id);
	if (r == 0)
		r = is_done ? spool_file_remove(err, &item->file)
			    : write_told(err, item);
	return r;
}

int
spool_settle(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct spool_item *item,
    const struct delivery *delivery, char out_bounce_id[SPOOL_ID_LEN + 1])
{
	struct spool_message *message = &item->message;
	int r = 0;

	out_bounce_id[0] = '\0';
	if (count_unsettled(message) > 0 &&
	    spool_item_is_too_old(settings, message))
		r = give_all_up(err, message, delivery);
	if (r != 0)
		return r;
	/* What everybody has needs no more words; only its name has to go. */
	if (count_unsettled(message) == 0 &&
	    spool_message_count(message, SPOOL_REFUSED) == 0 &&
	    spool_file_remove(err, &item->file) == 0)
		return 0;
	r = write_outcomes(err, settings, item, delivery, true);
	if (r != 0)
		r = write_outcomes(err, settings, item, delivery, false);
	return r == 0
	    ? tell_and_remove(err, settings, identity, item, out_bounce_id)
	    : r;
}
