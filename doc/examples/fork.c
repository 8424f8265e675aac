/* SPDX-License-Identifier: MIT */
/*
 * A child uses the context of its parent, and not the parent's connection,
 * which goes on.
 *
 * usage: fork URL CAFILE
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

static const char text[] = "Subject: from a child\n\nHello.\n";

static int
send_one(struct smtptls_client *client)
{
	struct smtptls_message *mail = NULL;
	int r;

	smtptls_message_new(&mail);
	smtptls_message_set_sender(mail, "fork@example.org");
	smtptls_message_add_recipient(mail, "bob@example.org");
	smtptls_message_set_body_mem(mail, text, strlen(text));
	r = smtptls_client_send(client, mail);
	if (r < 0)
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	smtptls_message_free(mail);
	return r;
}

/* In the child: `parents` is of no use here, the context is. */
static int
run_child(const char *url, struct smtptls_context *context,
    struct smtptls_client *parents)
{
	struct smtptls_client *client = NULL;
	int r;

	r = smtptls_client_noop(parents);
	printf("child, connection of the parent: %s\n", smtptls_strerror(r));
	smtptls_client_free(parents); /* says nothing to the server */

	smtptls_client_new(url, context, &client);
	r = send_one(client);
	printf("child, connection of its own: %s\n", smtptls_strerror(r));
	smtptls_client_free(client);
	fflush(stdout);
	return r == SMTPTLS_OK ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	int r, status = 1;
	pid_t child;

	if (argc != 3) {
		fprintf(stderr, "usage: fork URL CAFILE\n");
		return 64;
	}
	if (smtptls_context_new_default(
		SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return 1;
	}
	smtptls_client_new(argv[1], context, &client);
	r = smtptls_client_connect(client);
	if (r < 0)
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	child = fork();
	if (child == 0)
		_exit(run_child(argv[1], context, client));
	if (child > 0)
		waitpid(child, &status, 0);

	r = send_one(client);
	printf("parent: %s\n", smtptls_strerror(r));
	smtptls_client_quit(client);
	smtptls_client_free(client);
	smtptls_context_free(context);
	return r == SMTPTLS_OK && status == 0 ? 0 : 1;
}
