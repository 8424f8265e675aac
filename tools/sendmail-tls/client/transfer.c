/* SPDX-License-Identifier: MIT */
#include "client/transfer.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include <smtptls/session.h>

#include "client/report.h"
#include "system/process.h"

static int
message_failed(
    struct stls_err *err, int r, const struct smtptls_message *message)
{
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_set(err, EX_OSERR, "out of memory");
	if (r == SMTPTLS_E_SOURCE)
		return stls_err_set(err, EX_TEMPFAIL,
		    "the file that holds the message cannot be read");
	return stls_err_set(
	    err, EX_DATAERR, "%s", smtptls_message_error(message));
}

static int
make_message(struct stls_err *err, struct mail *mail,
    struct smtptls_message **out_message)
{
	struct smtptls_message *message;
	size_t i;
	int r;

	r = smtptls_message_new(out_message);
	message = *out_message;
	if (r == 0)
		r = smtptls_message_set_sender(message, mail->sender);
	for (i = 0; i < mail->recipients.count && r == 0; i++)
		r = smtptls_message_add_recipient(
		    message, mail->recipients.items[i].mailbox);
	if (r == 0)
		r = content_give(&mail->content, message);
	if (r < 0)
		return message_failed(err, r, message);
	return mail_options_apply(err, &mail->options, time(NULL), message);
}

int
transfer_begin(
    struct stls_err *err, struct mail *mail, struct transfer *transfer)
{
	*transfer = (struct transfer){ .result = SMTPTLS_E_CANCELLED };
	transfer->status = make_message(err, mail, &transfer->message);
	return transfer->status;
}

/* What the session was, which is there still after QUIT. */
static void
note_session(struct smtptls_client *client, struct delivery *delivery)
{
	struct smtptls_session *session = smtptls_client_session(client);

	snprintf(delivery->relay, sizeof(delivery->relay), "%s",
	    smtptls_client_peer(client));
	if (session != NULL &&
	    smtptls_session_version(session) != SMTPTLS_TLS_NONE)
		snprintf(delivery->tls, sizeof(delivery->tls), "%s",
		    smtptls_tls_version_name(smtptls_session_version(session)));
}

static void
cancel(void *arg)
{
	smtptls_client_cancel(arg);
}

void
transfer_run(struct transfer *transfer, const struct settings *settings,
    struct smtptls_client *client, bool is_last, struct delivery *delivery)
{
	struct smtptls_message *message = transfer->message;
	int r;

	process_on_interrupt(cancel, client);
	r = is_last ? smtptls_client_send_last(client, message)
		    : smtptls_client_send(client, message);
	process_on_interrupt(NULL, NULL);

	transfer->result = r;
	transfer->status = report_status(r, client, message);
	delivery->status = transfer->status;
	report_reply(message, delivery->reply, sizeof(delivery->reply));
	note_session(client, delivery);
	if (r == 0)
		return;
	delivery->is_in_doubt = r == SMTPTLS_E_IN_DOUBT;
	report_text(
	    settings, client, message, delivery->text, sizeof(delivery->text));
	delivery->outcomes = report_outcomes(r, message);
}

bool
transfer_needs_attention(int status)
{
	return status == EX_PROTOCOL || status == EX_NOPERM ||
	    status == EX_CONFIG;
}

void
transfer_done(struct transfer *transfer)
{
	smtptls_message_free(transfer->message);
	*transfer = (struct transfer){ .message = NULL };
}
