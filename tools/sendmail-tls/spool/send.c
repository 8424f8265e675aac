/* SPDX-License-Identifier: MIT */
#include "spool/send.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/report.h"
#include "client/transfer.h"
#include "spool/doubt.h"
#include "spool/state.h"

bool
spool_item_is_wanted(
    const struct spool_recipient *recipient, const struct spool_wish *wish)
{
	return recipient->state == SPOOL_WAITING ||
	    (recipient->state == SPOOL_IN_DOUBT && wish->in_doubt) ||
	    (recipient->state == SPOOL_REFUSED && wish->refused);
}

static int
add_recipient(struct stls_err *err, struct mail *mail, const char *address)
{
	struct stls_address parsed = { 0 };
	size_t count = mail->recipients.count;

	if (stls_address_parse(err, address, strlen(address), false, &parsed) <
		0 ||
	    stls_address_list_add(err, &mail->recipients, &parsed) < 0)
		return stls_err_set(err,
		    err->code == SMTPTLS_E_NOMEM ? EX_OSERR : EX_DATAERR,
		    "recipient %s is not valid", address);
	if (mail->recipients.count == count)
		return stls_err_set(
		    err, EX_DATAERR, "recipient %s is there twice", address);
	return 0;
}

static int
make_mail(struct stls_err *err, struct spool_item *item,
    const struct spool_wish *wish)
{
	struct mail *mail = &item->mail;
	struct spool_message *message = &item->message;
	size_t i;
	int r = 0;

	mail->options = item->options;
	mail->sender = stls_strdup(message->sender);
	item->is_tried = stls_alloc_zero(message->recipient_count);
	if (mail->sender == NULL || item->is_tried == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	for (i = 0; i < message->recipient_count && r == 0; i++) {
		item->is_tried[i] = spool_item_is_wanted(
		    &message->recipients[i], wish);
		if (item->is_tried[i] &&
		    message->recipients[i].state == SPOOL_REFUSED)
			message->recipients[i].state = SPOOL_WAITING;
		if (item->is_tried[i])
			r = add_recipient(
			    err, mail, message->recipients[i].address);
	}
	content_borrow(&mail->content, item->file.fd, SPOOL_FILE_HEAD_LEN,
	    item->file.content_len);
	return r;
}

/* Nobody has it, and nobody may have it, through this attempt. */
static bool
is_untouched(const struct transfer *transfer, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (spool_state_of(transfer, i) != SPOOL_WAITING)
			return false;
	}
	return true;
}

static int
take_reply(struct stls_err *err, struct spool_recipient *recipient,
    const struct transfer *transfer, size_t i, const char *text)
{
	char reply[REPORT_REPLY_LEN_MAX + 1];

	report_recipient_reply(transfer->message, i, reply, sizeof(reply));
	/* It was not the server that refused it. */
	if (reply[0] == '\0' && recipient->state == SPOOL_REFUSED)
		snprintf(
		    reply, sizeof(reply), "%.*s", REPORT_REPLY_LEN_MAX, text);
	/* Who is put off with the same words for days needs them once. */
	if (reply[0] == '\0' ||
	    (recipient->reply != NULL && strcmp(recipient->reply, reply) == 0))
		return 0;
	free(recipient->reply);
	recipient->reply = stls_strdup(reply);
	recipient->is_reply_new = true;
	return recipient->reply != NULL
	    ? 0
	    : stls_err_set(err, EX_OSERR, "out of memory");
}

/*
 * Who was in doubt before stays so, and since then, unless a server has now
 * decided.
 */
static void
take_state(struct spool_recipient *recipient, enum spool_state state)
{
	if (recipient->state == SPOOL_IN_DOUBT && state != SPOOL_ACCEPTED &&
	    state != SPOOL_REFUSED)
		return;
	if (recipient->state == state)
		return;
	recipient->state = state;
	recipient->since = time(NULL);
}

static int
take_outcomes(struct stls_err *err, struct spool_item *item,
    const struct transfer *transfer, const char *text)
{
	struct spool_recipient *recipient = item->message.recipients;
	size_t i, k = 0;
	int r = 0;

	for (i = 0; i < item->message.recipient_count; i++, recipient++) {
		if (!item->is_tried[i])
			continue;
		take_state(recipient, spool_state_of(transfer, k));
		if (r == 0)
			r = take_reply(err, recipient, transfer, k, text);
		k++;
	}
	return r;
}

/* One attempt; *out_again tells that it is worth another one at once. */
static int
try_once(struct stls_err *err, struct spool_links *links,
    struct spool_link *link, struct spool_item *item, struct delivery *delivery,
    bool *out_again)
{
	CLEANUP(transfer_done) struct transfer transfer = { 0 };
	struct spool_doubt doubt = { .item = item };
	size_t len;
	int r;

	*out_again = false;
	delivery_done(delivery);
	r = transfer_begin(err, &item->mail, &transfer);
	if (r == EX_OSERR)
		return r;
	if (r == 0)
		r = spool_link_prepare(err, links, link);
	if (r == 0) {
		spool_doubt_watch(&doubt, transfer.message);
		transfer_run(
		    &transfer, link->settings, link->client, false, delivery);
		len = strlen(delivery->text);
		if (doubt.err.code != 0)
			snprintf(delivery->text + len,
			    sizeof(delivery->text) - len, ": %s",
			    doubt.err.text);
		*out_again = spool_link_settle(link, delivery->status,
		    delivery->text,
		    is_untouched(&transfer, item->mail.recipients.count));
	} else {
		delivery->status = r;
		/* A server that cannot be asked has refused nobody. */
		if (link->status != 0)
			transfer.status = EX_TEMPFAIL;
		snprintf(delivery->text, sizeof(delivery->text), "%s",
		    link->status != 0 ? link->text : stls_err_text(err));
	}
	return *out_again ? 0
			  : take_outcomes(err, item, &transfer, delivery->text);
}

int
spool_send(struct stls_err *err, struct spool_links *links,
    struct spool_item *item, const struct spool_wish *wish,
    struct delivery *delivery)
{
	struct spool_link *link;
	bool again = false;
	int r;

	r = make_mail(err, item, wish);
	if (r == 0)
		r = spool_links_get(err, links, item->message.account, &link);
	if (r == 0)
		r = try_once(err, links, link, item, delivery, &again);
	if (r == 0 && again)
		r = try_once(err, links, link, item, delivery, &again);
	return r;
}
