/* SPDX-License-Identifier: MIT */
#include "send.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtptls/client.h>
#include <smtptls/message.h>

#include "base/cleanup.h"
#include "connection.h"
#include "mail.h"
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
    const struct mail *mail, struct smtptls_message **out_message)
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
		r = smtptls_message_set_body_mem(
		    message, mail->content, mail->content_len);
	return r < 0 ? message_failed(err, r, message) : 0;
}

static void
cancel(void *arg)
{
	smtptls_client_cancel(arg);
}

static int
deliver(const struct settings *settings, struct smtptls_client *client,
    struct smtptls_message *message)
{
	int r;

	process_on_interrupt(cancel, client);
	r = smtptls_client_send_last(client, message);
	process_on_interrupt(NULL, NULL);
	if (r == 0)
		return 0;
	report_failure(r, settings, client, message);
	return report_status(r, client, message);
}

/* Content with LF line ends, as text on a terminal or in a pipe. */
static void
print_content(const char *content, size_t len)
{
	const char *cr;
	size_t n;

	while (len > 0) {
		cr = memchr(content, '\r', len);
		n = cr != NULL ? (size_t)(cr - content) : len;
		fwrite(content, 1, n, stdout);
		content += n;
		len -= n;
		if (cr == NULL)
			continue;
		putchar('\n');
		n = len > 1 && content[1] == '\n' ? 2 : 1;
		content += n;
		len -= n;
	}
}

static int
print_mail(struct stls_err *err, const struct mail *mail)
{
	size_t i;

	printf("MAIL FROM:<%s>\n", mail->sender);
	for (i = 0; i < mail->recipients.count; i++)
		printf("RCPT TO:<%s>\n", mail->recipients.items[i].mailbox);
	putchar('\n');
	print_content(mail->content, mail->content_len);
	if (mail->content_len > 0 &&
	    mail->content[mail->content_len - 1] != '\n')
		putchar('\n');
	if (fflush(stdout) != 0)
		return stls_err_set(
		    err, EX_SOFTWARE, "standard output cannot be written");
	return 0;
}

int
send_mail(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, bool stdin_was_closed)
{
	CLEANUP(mail_done) struct mail mail = { 0 };
	CLEANUP(free_client) struct smtptls_client *client = NULL;
	CLEANUP(free_message) struct smtptls_message *message = NULL;
	int r;

	r = mail_prepare(err, settings, identity, stdin_was_closed, &mail);
	if (r == 0)
		r = make_message(err, settings, &mail, &message);
	if (r == 0)
		r = connection_prepare(err, settings, identity, &client);
	if (r != 0)
		return r;
	stls_err_clear(err);
	if (settings->dry_run)
		return print_mail(err, &mail);
	return deliver(settings, client, message);
}
