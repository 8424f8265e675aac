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
	if (r < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return 1;
	}
	smtptls_client_new(url, context, &client);
	smtptls_message_new(&message);
	smtptls_message_set_sender(message, "alice@example.org");
	smtptls_message_add_recipient(message, "bob@example.org");
	smtptls_message_set_body_mem(message, mail, strlen(mail));

	/* Whatever failed above is told here. */
	r = smtptls_client_send(client, message);
	if (r == SMTPTLS_OK) {
		printf("accepted by %s: %s\n", smtptls_client_peer(client),
		    smtptls_message_reply_text(message, 0));
		smtptls_client_quit(client);
	} else {
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	}

	smtptls_message_free(message);
	smtptls_client_free(client);
	smtptls_context_free(context);
	return r == SMTPTLS_OK ? 0 : 1;
}
