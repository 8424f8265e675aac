/* SPDX-License-Identifier: MIT */
/*
 * Send a file, and say for each recipient what became of it and what to do.
 *
 * usage: outcomes URL CAFILE SENDER RECIPIENT... < message
 *
 * One line for each recipient: `done`, `again`, `bounce` or `ask`, the
 * address, and why. Exit status 0: all are done.
 */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

static const char *
what_to_do(enum smtptls_outcome outcome)
{
	switch (outcome) {
	case SMTPTLS_OUTCOME_ACCEPTED:
		return "done";
	case SMTPTLS_OUTCOME_NOT_TRIED:
	case SMTPTLS_OUTCOME_REFUSED_LATER:
		return "again";
	case SMTPTLS_OUTCOME_REFUSED:
		return "bounce";
	case SMTPTLS_OUTCOME_IN_DOUBT:
		break;
	}
	/* To send it again may be once too often, not to, once too few. */
	return "ask";
}

static void
report(const struct smtptls_message *mail)
{
	size_t i;
	int code;

	for (i = 0; i < smtptls_message_recipients(mail); i++) {
		printf("%s %s:", what_to_do(smtptls_message_outcome(mail, i)),
		    smtptls_message_recipient(mail, i));
		code = smtptls_message_reply_code(mail, i);
		if (code != 0)
			printf(" %s: %d", smtptls_message_reply_step(mail, i),
			    code);
		printf(" %s\n", smtptls_message_reply_text(mail, i));
	}
}

static int
exit_status(int r)
{
	switch (r) {
	case SMTPTLS_OK:
		return EX_OK;
	case SMTPTLS_E_IN_DOUBT:
		return EX_IOERR;
	case SMTPTLS_E_PARTIAL:
	case SMTPTLS_E_REFUSED:
		return EX_UNAVAILABLE;
	case SMTPTLS_E_INVALID:
	case SMTPTLS_E_SOURCE:
	case SMTPTLS_E_UNSUPPORTED:
		return EX_DATAERR;
	default:
		return EX_TEMPFAIL;
	}
}

static int
send_from(struct smtptls_client *client, const char *sender, char **recipients)
{
	struct smtptls_message *mail = NULL;
	int r;

	smtptls_message_new(&mail);
	smtptls_message_set_sender(mail, sender);
	for (; *recipients != NULL; recipients++)
		smtptls_message_add_recipient(mail, *recipients);
	smtptls_message_set_body_fd(mail, STDIN_FILENO);
	r = smtptls_client_send(client, mail);
	if (r < 0)
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	/* There is an outcome only where it came to sending. */
	if (mail != NULL && smtptls_message_status(mail) != SMTPTLS_AGAIN)
		report(mail);
	smtptls_message_free(mail);
	return r;
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	int r;

	if (argc < 5) {
		fprintf(stderr,
		    "usage: outcomes URL CAFILE SENDER "
		    "RECIPIENT... < message\n");
		return EX_USAGE;
	}
	r = smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context);
	if (r == SMTPTLS_OK) {
		smtptls_client_new(argv[1], context, &client);
		r = send_from(client, argv[3], argv + 4);
		smtptls_client_quit(client);
		smtptls_client_free(client);
	} else {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
	}
	smtptls_context_free(context);
	return exit_status(r);
}
