/* SPDX-License-Identifier: MIT */
/*
 * Send one mail over verified TLS, or not at all.
 *
 * usage: send URL [CAFILE]
 *
 * cc send.c -o send $(pkg-config --cflags --libs smtptls)
 */
#include <stdio.h>
#include <string.h>

#include <smtptls/smtptls.h>

static const char mail[] = "From: Alice <alice@example.org>\n"
			   "To: Bob <bob@example.org>\n"
			   "Subject: hello\n"
			   "\n"
			   "Nobody on the way has read this.\n";

int
main(int argc, char *argv[])
{
	const char *url = argc > 1 ? argv[1] : "localhost";
	const char *cafile = argc > 2 ? argv[2] : NULL;
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	struct smtptls_message *message = NULL;
	int r;

	r = smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, cafile, NULL, NULL, 0, &context);
	if (r == SMTPTLS_OK)
		r = smtptls_client_new(url, context, &client);
	if (r == SMTPTLS_OK)
		r = smtptls_message_new(&message);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_sender(message, "alice@example.org");
	if (r == SMTPTLS_OK)
		r = smtptls_message_add_recipient(message, "bob@example.org");
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_body_mem(message, mail, strlen(mail));
	if (r == SMTPTLS_OK)
		r = smtptls_client_send(client, message);

	if (r == SMTPTLS_OK)
		printf(
		    "accepted: %s\n", smtptls_message_reply_text(message, 0));
	else
		fprintf(stderr, "%s\n",
		    message != NULL	 ? smtptls_message_error(message)
			: client != NULL ? smtptls_client_error(client)
					 : smtptls_context_error(context));

	smtptls_message_free(message);
	smtptls_client_free(client);
	smtptls_context_free(context);
	return r == SMTPTLS_OK ? 0 : 1;
}
