/* SPDX-License-Identifier: MIT */
/*
 * Send content that is made while it is sent, and never as a whole in memory.
 *
 * usage: callback URL CAFILE LINES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/smtptls.h>

static const char header[] = "From: Report <report@example.org>\r\n"
			     "To: Bob <bob@example.org>\r\n"
			     "Subject: a long report\r\n"
			     "\r\n";

#define LINE_LEN 19 /* "line 000000000000\r\n" */

struct report {
	unsigned long lines, next;
	int has_header;
};

/* A smtptls_source_read_cb: give a piece, or nothing at the end. */
static int
give(void *buf, size_t cap, size_t *out_len, void *arg)
{
	struct report *report = arg;
	char piece[sizeof(header)] = "";
	size_t len;

	if (!report->has_header)
		memcpy(piece, header, sizeof(header));
	else if (report->next < report->lines)
		snprintf(piece, sizeof(piece), "line %012lu\r\n", report->next);
	len = strlen(piece);
	/* cap is 16384 today; no number is promised. */
	if (len > cap)
		return SMTPTLS_E_LIMIT;
	if (report->has_header && len > 0)
		report->next++;
	report->has_header = 1;
	memcpy(buf, piece, len);
	*out_len = len;
	return SMTPTLS_OK;
}

/* A smtptls_source_rewind_cb: there may be a second attempt. */
static int
start_again(void *arg)
{
	struct report *report = arg;

	report->next = 0;
	report->has_header = 0;
	return SMTPTLS_OK;
}

int
main(int argc, char *argv[])
{
	struct report report = { 0 };
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	struct smtptls_message *mail = NULL;
	int r;

	if (argc != 4) {
		fprintf(stderr, "usage: callback URL CAFILE LINES\n");
		return 64;
	}
	report.lines = strtoul(argv[3], NULL, 10);
	if (smtptls_context_new_default(
		SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return 1;
	}
	smtptls_client_new(argv[1], context, &client);
	smtptls_message_new(&mail);
	smtptls_message_set_sender(mail, "report@example.org");
	smtptls_message_add_recipient(mail, "bob@example.org");
	smtptls_message_set_body_cb(mail, give, start_again, &report);
	/* A server with a limit refuses now, not after a gigabyte. */
	smtptls_message_set_size(
	    mail, strlen(header) + report.lines * LINE_LEN);

	r = smtptls_client_send(client, mail);
	if (r == SMTPTLS_OK)
		smtptls_client_quit(client);
	else
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	smtptls_message_free(mail);
	smtptls_client_free(client);
	smtptls_context_free(context);
	return r == SMTPTLS_OK ? 0 : 1;
}
