/* SPDX-License-Identifier: MIT */
#include "deliver.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <smtptls/session.h>

#include "base/cleanup.h"
#include "connection.h"
#include "log.h"
#include "process.h"
#include "report.h"

static void
free_client(struct smtptls_client **client)
{
	smtptls_client_free(*client);
}

static void
free_message(struct smtptls_message **message)
{
	smtptls_message_free(*message);
}

static int
message_failed(
    struct stls_err *err, int r, const struct smtptls_message *message)
{
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_set(err, EX_OSERR, "out of memory");
	return stls_err_set(
	    err, EX_DATAERR, "%s", smtptls_message_error(message));
}

static int
make_message(struct stls_err *err, const struct settings *settings,
    struct mail *mail, struct smtptls_message **out_message)
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
		r = smtptls_message_set_smtputf8(message, settings->smtputf8);
	if (r == 0)
		r = content_give(&mail->content, message);
	return r < 0 ? message_failed(err, r, message) : 0;
}

static void
cancel(void *arg)
{
	smtptls_client_cancel(arg);
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

static int
talk(const struct settings *settings, struct smtptls_client *client,
    struct smtptls_message *message, struct delivery *delivery)
{
	int r;

	process_on_interrupt(cancel, client);
	r = smtptls_client_send_last(client, message);
	process_on_interrupt(NULL, NULL);

	report_reply(message, delivery->reply, sizeof(delivery->reply));
	note_session(client, delivery);
	if (r == 0)
		return 0;
	delivery->is_in_doubt = r == SMTPTLS_E_IN_DOUBT;
	report_text(
	    settings, client, message, delivery->text, sizeof(delivery->text));
	delivery->outcomes = report_outcomes(r, message);
	return report_status(r, client, message);
}

static int
prepare(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct mail *mail,
    struct smtptls_client **out_client, struct smtptls_message **out_message)
{
	int r;

	r = make_message(err, settings, mail, out_message);
	if (r == 0)
		r = connection_prepare(err, settings, identity, out_client);
	return r;
}

int
deliver_check(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct mail *mail)
{
	CLEANUP(free_client) struct smtptls_client *client = NULL;
	CLEANUP(free_message) struct smtptls_message *message = NULL;

	return prepare(err, settings, identity, mail, &client, &message);
}

int
deliver(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct mail *mail,
    struct delivery *delivery)
{
	CLEANUP(free_client) struct smtptls_client *client = NULL;
	CLEANUP(free_message) struct smtptls_message *message = NULL;

	delivery->status = prepare(
	    err, settings, identity, mail, &client, &message);
	if (delivery->status == 0)
		delivery->status = talk(settings, client, message, delivery);
	else
		snprintf(delivery->text, sizeof(delivery->text), "%s",
		    stls_err_text(err));
	log_delivery(settings, mail, delivery);
	return delivery->status;
}

void
delivery_print(const struct delivery *delivery, FILE *file)
{
	const char *line = delivery->outcomes;
	size_t len;

	if (delivery->text[0] != '\0')
		fprintf(file, "%s: %s\n",
		    delivery->is_in_doubt ? "in doubt" : PROGRAM,
		    delivery->text);
	while (line != NULL && *line != '\0') {
		len = strcspn(line, "\n");
		fprintf(file, PROGRAM ": %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void
delivery_done(struct delivery *delivery)
{
	free(delivery->outcomes);
	memset(delivery, 0, sizeof(*delivery));
}
