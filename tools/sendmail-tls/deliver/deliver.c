/* SPDX-License-Identifier: MIT */
#include "deliver/deliver.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "client/confine.h"
#include "client/connection.h"
#include "client/log.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/transfer.h"
#include "spool/add.h"
#include "spool/state.h"

static void
free_client(struct smtptls_client **client)
{
	smtptls_client_free(*client);
}

/* How many recipients are in which state. */
struct counts {
	size_t of[SPOOL_STATE_COUNT];
};

static void
count_states(const struct mail *mail, const struct transfer *transfer,
    struct counts *counts)
{
	size_t i;

	memset(counts, 0, sizeof(*counts));
	for (i = 0; i < mail->recipients.count; i++)
		counts->of[spool_state_of(transfer, i)]++;
}

static bool
somebody_waits(const struct counts *counts)
{
	return counts->of[SPOOL_WAITING] > 0 || counts->of[SPOOL_IN_DOUBT] > 0;
}

__attribute__((format(printf, 2, 3))) static void
add_text(struct delivery *delivery, const char *fmt, ...)
{
	size_t len = strlen(delivery->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(
	    delivery->text + len, sizeof(delivery->text) - len, fmt, args);
	va_end(args);
}

/*
 * It is not stored. Where somebody may have it already the status stays, since
 * whoever reads it must not send it again.
 */
static void
note_not_stored(struct stls_err *err, const struct counts *counts,
    struct delivery *delivery)
{
	add_text(delivery, "; %s", stls_err_text(err));
	if (counts->of[SPOOL_ACCEPTED] == 0 && counts->of[SPOOL_IN_DOUBT] == 0)
		delivery->status = err->code;
}

/* It is stored, which is success but for who was refused. */
static void
note_stored(const struct counts *counts, const struct transfer *transfer,
    struct delivery *delivery)
{
	delivery->is_in_doubt = false;
	if (counts->of[SPOOL_REFUSED] > 0) {
		add_text(delivery,
		    "; those who were not refused are in the spool as %s",
		    delivery->spool_id);
		free(delivery->outcomes);
		delivery->outcomes = report_all_outcomes(transfer->message);
		delivery->status = EX_UNAVAILABLE;
		return;
	}
	if (transfer_needs_attention(delivery->status))
		snprintf(delivery->warning, sizeof(delivery->warning),
		    "warning: %.*s; it waits in the spool as %s until that is "
		    "mended",
		    (int)sizeof(delivery->warning) - 128, delivery->text,
		    delivery->spool_id);
	free(TAKE(delivery->outcomes));
	delivery->status = 0;
}

static void
keep(struct stls_err *err, const struct settings *settings, struct mail *mail,
    const struct transfer *transfer, struct delivery *delivery)
{
	struct counts counts;

	count_states(mail, transfer, &counts);
	if (settings->spool == NULL || !somebody_waits(&counts))
		return;
	if (spool_add(err, settings, mail, transfer, delivery) == 0)
		note_stored(&counts, transfer, delivery);
	else
		note_not_stored(err, &counts, delivery);
}

int
deliver_check(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct mail *mail)
{
	CLEANUP(free_client) struct smtptls_client *client = NULL;
	CLEANUP(transfer_done) struct transfer transfer = { 0 };
	int r;

	r = transfer_begin(err, mail, &transfer);
	return r == 0 ? connection_prepare(err, settings, identity, &client)
		      : r;
}

int
deliver(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct mail *mail,
    struct delivery *delivery)
{
	CLEANUP(free_client) struct smtptls_client *client = NULL;
	CLEANUP(transfer_done) struct transfer transfer = { 0 };
	struct progress progress;
	int r;

	r = transfer_begin(err, mail, &transfer);
	if (r == 0)
		r = connection_prepare(err, settings, identity, &client);
	/* A conversation may have another mail, of another account. */
	if (r == 0 && settings->mode != MODE_SMTP)
		r = confine(err);
	if (r == 0) {
		progress_begin(&progress, settings, transfer.message,
		    content_size(&mail->content));
		transfer_run(&transfer, settings, client, true, delivery);
		progress_end(&progress);
	} else {
		transfer.status = delivery->status = r;
		snprintf(delivery->text, sizeof(delivery->text), "%s",
		    stls_err_text(err));
	}
	if (delivery->status != 0)
		keep(err, settings, mail, &transfer, delivery);
	log_delivery(settings, mail, delivery);
	return delivery->status;
}
