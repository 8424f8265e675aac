/* SPDX-License-Identifier: MIT */
#include "spool/add.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/report.h"
#include "spool/dir.h"
#include "spool/options.h"
#include "spool/schedule.h"
#include "spool/state.h"

#define COPY_LEN 65536

static int
make_envelope(struct stls_err *err, const struct settings *settings,
    const struct mail *mail, time_t now, struct spool_message *message)
{
	size_t i;
	int r;

	message->arrived = now;
	message->sender = stls_strdup(mail->sender);
	message->account = stls_strdup(spool_account_of(settings));
	if (message->sender == NULL || message->account == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = spool_options_add(err, &mail->options, message);
	for (i = 0; i < mail->recipients.count && r == 0; i++)
		r = spool_message_add_recipient(
		    err, message, mail->recipients.items[i].mailbox);
	return r;
}

/* Who asked was told of those that are refused, so no bounce is due. */
static int
append_states(struct stls_err *err, const struct transfer *transfer,
    size_t count, time_t now, struct stls_buf *records)
{
	char reply[REPORT_REPLY_LEN_MAX + 1];
	enum spool_state state;
	size_t i;
	int r = 0;

	for (i = 0; i < count && r == 0; i++) {
		state = spool_state_of(transfer, i);
		if (state == SPOOL_REFUSED)
			state = SPOOL_TOLD;
		report_recipient_reply(
		    transfer->message, i, reply, sizeof(reply));
		if (state != SPOOL_WAITING || reply[0] != '\0')
			r = spool_file_append_state(
			    err, records, i, state, now, reply);
	}
	return r;
}

static int
make_records(struct stls_err *err, const struct settings *settings,
    const struct mail *mail, const struct transfer *transfer,
    struct delivery *delivery, struct stls_buf *records)
{
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	time_t now = time(NULL);
	struct spool_attempt attempt = {
		.when = now,
		/* Whoever runs the spool next is the first to try again. */
		.next = now,
		.status = delivery->status,
		.text = delivery->text,
	};
	int r;

	r = make_envelope(err, settings, mail, now, &message);
	if (r == 0)
		r = spool_file_append_envelope(err, records, &message);
	if (r == 0 && transfer->message != NULL)
		r = append_states(
		    err, transfer, message.recipient_count, now, records);
	if (r == 0)
		r = spool_file_append_attempt(err, records, &attempt);
	return r;
}

static int
copy_content(
    struct stls_err *err, struct content *content, struct spool_new *new_file)
{
	CLEANUP(free_ptr) char *buf = stls_alloc(COPY_LEN);
	size_t len;
	int r;

	if (buf == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	content_rewind(content);
	do {
		len = 0;
		r = content_read(content, buf, COPY_LEN, &len);
		if (r != 0)
			return stls_err_set(err, EX_TEMPFAIL,
			    "the content cannot be read a second time");
		r = spool_new_write(err, new_file, buf, len);
	} while (r == 0 && len > 0);
	return r;
}

/*
 * Zero only for a spool that something runs. One on the command line is the
 * affair of who named it there.
 */
static int
check_is_run(struct stls_err *err, const struct settings *settings,
    const struct spool *spool, struct delivery *delivery)
{
	if (spool_was_run(spool))
		return 0;
	if (settings->spool_is_configured)
		return stls_err_set(err, EX_TEMPFAIL,
		    "nothing was stored: nothing has ever run the spool %s: "
		    "have a timer or cron run " PROGRAM " -q5m",
		    settings->spool);
	snprintf(delivery->warning, sizeof(delivery->warning),
	    "warning: nothing has ever run the spool %s: what is in it leaves "
	    "with " PROGRAM " -q --spool %s%s%s",
	    settings->spool, settings->spool,
	    settings->url_is_given ? " and the same options about the "
				     "server, as --url "
				   : "",
	    settings->url_is_given ? settings->url : "");
	return 0;
}

int
spool_add(struct stls_err *err, const struct settings *settings,
    struct mail *mail, const struct transfer *transfer,
    struct delivery *delivery)
{
	CLEANUP(spool_close) struct spool spool = { 0 };
	CLEANUP(spool_new_done) struct spool_new new_file = { .fd = -1 };
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };
	int r;

	stls_buf_init(&records, SPOOL_FILE_RECORDS_MAX);
	r = make_records(err, settings, mail, transfer, delivery, &records);
	if (r == 0)
		r = spool_open(err, settings->spool, &spool);
	if (r == 0)
		r = check_is_run(err, settings, &spool, delivery);
	if (r == 0)
		r = spool_new_begin(
		    err, &spool, content_size(&mail->content), &new_file);
	if (r == 0)
		r = copy_content(err, &mail->content, &new_file);
	if (r == 0)
		r = spool_new_commit(
		    err, &new_file, &records, delivery->spool_id);
	return r;
}
