/* SPDX-License-Identifier: MIT */
#include "serve/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "deliver/deliver.h"
#include "message/recipients.h"
#include "message/sender.h"
#include "submit/client.h"
#include "submit/wire.h"

/* A reply with a line for each recipient would be too long for many. */
#define OUTCOME_LINES_MAX 20

/* What becomes of a status in SMTP (RFC 5321 section 4.2.3, RFC 3463). */
static void
code_of(int status, int *out_code, const char **out_enhanced)
{
	static const struct {
		int status;
		int code;
		const char *enhanced;
	} codes[] = {
		{ 0, 250, "2.0.0" },
		{ EX_TEMPFAIL, 451, "4.3.0" },
		{ EX_OSERR, 451, "4.3.0" },
		{ EX_CANTCREAT, 451, "4.3.0" },
		{ EX_DATAERR, 554, "5.6.0" },
		{ EX_NOUSER, 554, "5.1.1" },
		{ EX_CONFIG, 554, "5.3.5" },
	};
	size_t i;

	*out_code = 554;
	*out_enhanced = "5.0.0";
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].status == status) {
			*out_code = codes[i].code;
			*out_enhanced = codes[i].enhanced;
		}
	}
}

static void
answer(struct smtp_server *server, int status, const char *text)
{
	const char *enhanced;
	int code;

	code_of(status, &code, &enhanced);
	smtp_server_answer(server, code, enhanced, text);
}

/* The first lines of the outcomes, behind what the text has. */
static void
add_outcomes(const char *outcomes, char *text, size_t cap)
{
	size_t used = strlen(text), len, lines;

	for (lines = 0;
	     outcomes != NULL && *outcomes != '\0' && lines < OUTCOME_LINES_MAX;
	     lines++) {
		len = strcspn(outcomes, "\n");
		used += (size_t)snprintf(
		    text + used, cap - used, "\n%.*s", (int)len, outcomes);
		if (used >= cap)
			return;
		outcomes += len + (outcomes[len] == '\n');
	}
}

static void
answer_delivery(struct smtp_server *server, const struct delivery *delivery)
{
	char text[8192];

	if (delivery->status != 0)
		snprintf(text, sizeof(text), "%s%s",
		    delivery->is_in_doubt ? "in doubt: " : "", delivery->text);
	else if (delivery->spool_id[0] != '\0')
		snprintf(
		    text, sizeof(text), "queued as %s", delivery->spool_id);
	else
		snprintf(text, sizeof(text), "accepted: %s", delivery->reply);
	if (delivery->status != 0)
		add_outcomes(delivery->outcomes, text, sizeof(text));
	answer(server, delivery->status, text);
}

static void
deliver_it(struct smtp_message *message, struct smtp_server *server)
{
	CLEANUP(delivery_done) struct delivery delivery = { 0 };
	struct stls_err err = { 0 };

	deliver(
	    &err, &message->own, message->identity, &message->mail, &delivery);
	delivery_print(&delivery, stderr);
	answer_delivery(server, &delivery);
}

/* What the helper has to know; the rest is its own business. */
static const char **
make_arguments(const struct smtp_message *message,
    struct mail_options_words *words, size_t *out_count)
{
	const struct mail *mail = &message->mail;
	const char **arguments;
	size_t count = 0, i;

	arguments = stls_alloc_array(
	    mail->recipients.count + 7 + MAIL_OPTIONS_ARGUMENTS_MAX,
	    sizeof(arguments[0]));
	if (arguments == NULL)
		return NULL;
	arguments[count++] = "-i";
	arguments[count++] = "-f";
	arguments[count++] = mail->sender;
	if (message->own.relay)
		arguments[count++] = "-G";
	if (message->own.log_tag != NULL) {
		arguments[count++] = "-L";
		arguments[count++] = message->own.log_tag;
	}
	count += mail_options_to_arguments(
	    &mail->options, words, arguments + count);
	arguments[count++] = "--";
	for (i = 0; i < mail->recipients.count; i++)
		arguments[count++] = mail->recipients.items[i].mailbox;
	*out_count = count;
	return arguments;
}

/* The words of the helper are those of a command, which say whose they are. */
static void
drop_prefixes(char *text)
{
	static const char prefix[] = PROGRAM ": ";
	size_t len = sizeof(prefix) - 1;
	char *line = text;

	while (line != NULL && *line != '\0') {
		if (strncmp(line, prefix, len) == 0)
			memmove(line, line + len, strlen(line + len) + 1);
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
}

static void
hand_it_over(struct smtp_message *message, struct smtp_server *server)
{
	CLEANUP(free_ptr) const char **arguments = NULL;
	struct mail_options_words words;
	char text[SUBMIT_TEXT_LEN_MAX + 1] = "";
	struct stls_err err = { 0 };
	size_t count = 0;
	int fd = -1, r;

	arguments = make_arguments(message, &words, &count);
	if (arguments == NULL)
		r = stls_err_set(&err, EX_OSERR, "out of memory");
	else
		r = content_get_fd(&err, &message->mail.content, NULL, &fd);
	if (r == 0)
		r = submit_client_send(&err, &message->own, count, arguments,
		    fd, text, sizeof(text));
	submit_client_report(&err, text);
	drop_prefixes(text);
	if (err.text[0] != '\0')
		snprintf(text, sizeof(text), "%s%s",
		    r == EX_IOERR ? "in doubt: " : "", err.text);
	else if (r == 0)
		snprintf(text, sizeof(text), "accepted");
	answer(server, r, text);
}

static bool
is_handed_over(const struct smtp_message *message)
{
	return message->hand_over && submit_client_is_needed(&message->own);
}

/* A sender chooses an account here as -f does it elsewhere. */
static int
choose_settings(struct smtp_message *message, const char *sender)
{
	const char *account;
	int r;

	message->own = *message->settings;
	r = settings_account_of_sender(
	    &message->err, message->settings, sender, &account);
	if (r != 0 || account == NULL ||
	    strcmp(account, message->settings->account) == 0)
		return r;
	r = settings_for_account(
	    &message->err, message->settings, account, &message->account);
	if (r != 0)
		return r;
	message->own = message->account;
	return message->own.url != NULL || is_handed_over(message)
	    ? 0
	    : settings_no_server(&message->err, &message->own);
}

void
smtp_message_begin(
    struct smtp_message *message, const struct smtp_server *server)
{
	struct stls_err *err = &message->err;

	smtp_message_done(message);
	if (choose_settings(message, server->sender) != 0)
		return;
	message->own.sender = server->sender;
	message->own.deadline = settings_deadline(&message->own);
	/* The intervals began with the program; this an account may say. */
	message->mail.options = message->settings->options;
	message->mail.options.require_tls = message->own.options.require_tls;
	message->mail.options.smtputf8 |= server->smtputf8;
	if (sender_choose(err, &message->own, message->identity,
		&message->mail.sender) == 0)
		mail_begin(err, &message->own, message->identity, false,
		    &message->mail, &message->draft);
	/* The submit helper may know of a domain that counts more. */
	if (is_handed_over(message))
		message->draft.submission.header_domain = message->own.domain;
}

void
smtp_message_add(struct smtp_message *message, const char *text, size_t len)
{
	if (message->err.code == 0)
		draft_add(&message->err, &message->draft, text, len);
}

static void
take_recipients(struct smtp_message *message, struct smtp_server *server)
{
	struct stls_err *err = &message->err;

	message->mail.recipients = server->recipients;
	memset(&server->recipients, 0, sizeof(server->recipients));
	if (recipients_resolve(err, &message->own, &message->mail.recipients) ==
		0 &&
	    message->mail.recipients.count == 0)
		stls_err_set(err, EX_DATAERR,
		    "the aliases of the recipients name nobody");
}

void
smtp_message_end(struct smtp_message *message, struct smtp_server *server)
{
	if (message->err.code == 0)
		draft_end(&message->err, &message->draft);
	if (message->err.code == 0)
		take_recipients(message, server);
	if (message->err.code != 0) {
		fprintf(stderr, PROGRAM ": %s\n", message->err.text);
		answer(server, message->err.code, message->err.text);
	} else if (is_handed_over(message)) {
		hand_it_over(message, server);
	} else {
		deliver_it(message, server);
	}
	smtp_message_done(message);
}

void
smtp_message_done(struct smtp_message *message)
{
	draft_done(&message->draft);
	mail_done(&message->mail);
	settings_done(&message->account);
	stls_err_clear(&message->err);
}
