/* SPDX-License-Identifier: MIT */
#include "spool/run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/log.h"
#include "client/transfer.h"
#include "settings/spool.h"
#include "spool/add-bounce.h"
#include "spool/dir.h"
#include "spool/link.h"
#include "spool/options.h"
#include "spool/schedule.h"
#include "spool/settle.h"

/* What a message looked like when the run began. */
struct look {
	bool is_there;
	off_t size;
	struct timespec changed;
};

struct run {
	const struct settings *settings;
	const struct identity *identity;
	struct spool spool;
	struct spool_links links;
	struct spool_ids reports; /* which this run put there */
	size_t found;		  /* messages that were asked for */
	int status;		  /* of the run */
};

static void
item_done(struct spool_item *item)
{
	spool_file_close(&item->file);
	spool_message_done(&item->message);
	mail_done(&item->mail);
	free(item->is_tried);
	memset(item, 0, sizeof(*item));
	item->file.fd = -1;
}

/* Say what is wrong, and go on with the next message. */
static void
complain(struct run *run, const struct stls_err *err)
{
	fprintf(stderr, PROGRAM ": %s\n", stls_err_text(err));
	if (run->status == 0 || run->status == EX_TEMPFAIL)
		run->status = err->code == EX_DATAERR ? EX_CANTCREAT
						      : err->code;
}

static bool
is_asked_for(const struct settings *settings, const struct spool_item *item)
{
	const char *key = settings_queue_key(settings);
	size_t i;

	if (settings->queue_kind == QUEUE_ID)
		return strcmp(item->file.id, key) == 0;
	if (settings->queue_kind != QUEUE_RECIPIENT)
		return true;
	for (i = 0; i < item->message.recipient_count; i++) {
		if (strcasestr(item->message.recipients[i].address, key) !=
		    NULL)
			return true;
	}
	return false;
}

static bool
is_asked_by_name(const struct settings *settings)
{
	return settings->queue_kind == QUEUE_ID ||
	    settings->queue_kind == QUEUE_RECIPIENT;
}

/* Whether it is time, and there is somebody to send to. */
static bool
is_to_be_sent(const struct settings *settings, const struct spool_item *item,
    const struct spool_wish *wish)
{
	const struct spool_message *message = &item->message;
	size_t i;

	if (settings->queue_kind == QUEUE_DUE && message->attempts > 0 &&
	    !schedule_is_due(
		message->last.when, message->last.next, time(NULL)))
		return false;
	for (i = 0; i < message->recipient_count; i++) {
		if (spool_item_is_wanted(&message->recipients[i], wish))
			return true;
	}
	return false;
}

/* Whether there is nobody to send to, and something to be done all the same. */
static bool
is_to_be_settled(
    const struct settings *settings, const struct spool_message *message)
{
	size_t waiting = spool_message_count(message, SPOOL_WAITING);
	size_t doubt = spool_message_count(message, SPOOL_IN_DOUBT);

	if (waiting + doubt == 0)
		return true;
	return waiting == 0 && spool_item_is_too_old(settings, message);
}

static void
note_outcome(struct run *run, const struct delivery *delivery)
{
	int status = delivery->status;

	if (status == 0)
		return;
	if (is_asked_by_name(run->settings) ||
	    (transfer_needs_attention(status) && run->status != status)) {
		delivery_print(delivery, stderr);
		run->status = status;
	}
}

static int
note_report(struct stls_err *err, struct run *run, const char *id)
{
	void *grown;

	if (id[0] == '\0')
		return 0;
	grown = stls_realloc(run->reports.ids,
	    (run->reports.count + 1) * sizeof(run->reports.ids[0]));
	if (grown == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	run->reports.ids = grown;
	memcpy(run->reports.ids[run->reports.count++], id, SPOOL_ID_LEN + 1);
	return 0;
}

static void
write_log(const struct settings *settings, const struct spool_item *item,
    struct delivery *delivery)
{
	const struct spool_message *message = &item->message;

	snprintf(delivery->spool_id, sizeof(delivery->spool_id), "%s",
	    item->file.id);
	if (delivery->status == 0)
		delivery->outcome = "accepted";
	else if (spool_message_count(message, SPOOL_WAITING) +
		spool_message_count(message, SPOOL_IN_DOUBT) ==
	    0)
		delivery->outcome = "failed";
	else
		delivery->outcome = delivery->is_in_doubt ? "in-doubt"
							  : "deferred";
	log_delivery(settings, &item->mail, delivery);
}

/* The settings are those of the account, here and in settle_only(). */
static int
send_and_settle(struct stls_err *err, struct run *run,
    const struct settings *settings, struct spool_item *item,
    const struct spool_wish *wish)
{
	CLEANUP(delivery_done) struct delivery delivery = { 0 };
	char report[SPOOL_ID_LEN + 1];
	bool is_in_loop = false;
	int r;

	r = spool_is_in_loop(err, &item->file, &is_in_loop);
	if (r == 0 && is_in_loop && run->settings->queue_kind != QUEUE_ID) {
		fprintf(stderr,
		    PROGRAM ": message %s is in a loop: it went to %s/dead\n",
		    item->file.id, run->spool.path);
		return spool_file_bury(err, &item->file);
	}
	if (r == 0)
		r = spool_send(err, &run->links, item, wish, &delivery);
	if (r != 0)
		return stls_err_prefix(err, "message %s", item->file.id);
	note_outcome(run, &delivery);
	r = spool_settle(err, settings, run->identity, item, &delivery, report);
	write_log(settings, item, &delivery);
	return r == 0 ? note_report(err, run, report) : r;
}

static int
settle_only(struct stls_err *err, struct run *run,
    const struct settings *settings, struct spool_item *item)
{
	struct delivery nothing = { .status = item->message.last.status };
	char report[SPOOL_ID_LEN + 1];
	int r;

	r = spool_settle(err, settings, run->identity, item, &nothing, report);
	return r == 0 ? note_report(err, run, report) : r;
}

/* As the settings of its account have it. */
static int
send_or_settle(struct stls_err *err, struct run *run,
    const struct settings *settings, struct spool_item *item)
{
	/* Whoever names a message knows what has become of it. */
	bool is_named = run->settings->queue_kind == QUEUE_ID;
	const struct spool_wish wish = {
		.in_doubt = !settings->spool_holds_doubt || is_named,
		.refused = is_named,
	};

	if (is_to_be_sent(run->settings, item, &wish))
		return send_and_settle(err, run, settings, item, &wish);
	if (is_to_be_settled(settings, &item->message))
		return settle_only(err, run, settings, item);
	return 0;
}

static int
run_locked(struct stls_err *err, struct run *run, struct spool_item *item)
{
	struct spool_link *link;
	int r;

	r = spool_file_load(err, &item->file, &item->message);
	if (r == 0)
		r = spool_options_get(err, &item->message, &item->options);
	if (r != 0)
		return r;
	if (!is_asked_for(run->settings, item))
		return 0;
	run->found++;
	r = spool_links_get(err, &run->links, item->message.account, &link);
	return r == 0 ? send_or_settle(err, run, link->settings, item) : r;
}

static void
look_at(const struct spool *spool, const char *id, struct look *look)
{
	struct stat st;

	memset(look, 0, sizeof(*look));
	if (fstatat(spool->queue, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	look->is_there = true;
	look->size = st.st_size;
	look->changed = st.st_mtim;
}

/*
 * What changed since this run began was tried by another one. Comparing with
 * what it was needs no clock.
 */
static bool
has_changed(const struct spool *spool, const char *id, const struct look *then)
{
	struct look now;

	look_at(spool, id, &now);
	return now.size != then->size ||
	    now.changed.tv_sec != then->changed.tv_sec ||
	    now.changed.tv_nsec != then->changed.tv_nsec;
}

static void
run_one(struct run *run, const char *id, const struct look *look)
{
	CLEANUP(item_done) struct spool_item item = { .file = { .fd = -1 } };
	struct stls_err err = { 0 };
	int r;

	if (run->settings->queue_kind == QUEUE_ID &&
	    strcmp(id, settings_queue_key(run->settings)) != 0)
		return;
	r = spool_file_lock(&err, &run->spool, id, &item.file);
	if (r == 0 && item.file.fd >= 0 &&
	    (look == NULL || !has_changed(&run->spool, id, look)))
		r = run_locked(&err, run, &item);
	if (r != 0)
		complain(run, &err);
}

/* Nobody tries what is left, so that nothing is put off by it. */
static bool
is_over(const struct run *run)
{
	return spool_links_were_cancelled(&run->links) ||
	    stls_deadline_left_ms(run->settings->deadline) == 0;
}

static int
run_all(struct stls_err *err, struct run *run)
{
	CLEANUP(spool_ids_done) struct spool_ids ids = { 0 };
	CLEANUP(free_ptr) struct look *looks = NULL;
	size_t i;
	int r;

	r = spool_list(err, &run->spool, &ids);
	if (r != 0 || ids.count == 0)
		return r;
	looks = stls_alloc_array(ids.count, sizeof(looks[0]));
	if (looks == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	for (i = 0; i < ids.count; i++)
		look_at(&run->spool, ids.ids[i], &looks[i]);
	for (i = 0; i < ids.count && !is_over(run); i++)
		run_one(run, ids.ids[i], &looks[i]);
	/* A report about a report there is none, so this comes to an end. */
	for (i = 0; i < run->reports.count && !is_over(run); i++)
		run_one(run, run->reports.ids[i], NULL);
	return 0;
}

static void
run_done(struct run *run)
{
	spool_links_done(&run->links);
	spool_ids_done(&run->reports);
	spool_close(&run->spool);
}

int
spool_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity)
{
	CLEANUP(run_done)
	struct run run = {
		.settings = settings,
		.identity = identity,
		.links = { .settings = settings, .identity = identity },
	};
	int r;

	if (settings->spool == NULL)
		return 0;
	r = spool_open(err, settings->spool, &run.spool);
	if (r == 0)
		r = spool_note_run(err, &run.spool);
	if (r != 0)
		return r;
	spool_sweep(&run.spool);
	if (settings->queue_kind == QUEUE_ID)
		r = spool_revive(err, &run.spool, settings_queue_key(settings));
	if (r == 0)
		r = run_all(err, &run);
	if (r == 0 && settings->queue_kind == QUEUE_ID && run.found == 0 &&
	    run.status == 0)
		r = stls_err_set(err, EX_NOINPUT,
		    "there is no message %s in the spool %s, or another run "
		    "has it",
		    settings_queue_key(settings), settings->spool);
	if (r != 0)
		return r;
	stls_err_clear(err);
	return run.status;
}
