/* SPDX-License-Identifier: MIT */
/*
 * Send files by the library's blocking calls, one connection for all.
 *
 * usage: send URL CAFILE USER PASSWORD FROM TO FILE...    ("" is none)
 *
 * The exit status is the status code without its sign; stdout says the step,
 * and the sentence.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

static int
send_fd(struct smtptls_client *client, char *argv[], int fd)
{
	struct smtptls_message *message = NULL;
	int r;

	r = smtptls_message_new(&message);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_sender(message, argv[5]);
	if (r == SMTPTLS_OK)
		r = smtptls_message_add_recipient(message, argv[6]);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_body_fd(message, fd);
	if (r == SMTPTLS_OK)
		r = smtptls_client_send(client, message);
	if (r != SMTPTLS_OK)
		printf("message: %s\n", smtptls_message_error(message));
	smtptls_message_free(message);
	return r;
}

static int
send_files(struct smtptls_client *client, char *argv[])
{
	int i, fd, r = SMTPTLS_OK;

	if (argv[3][0] != '\0')
		r = smtptls_client_set_credentials(client, argv[3], argv[4]);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_deadline_ms(client, 60000);
	if (r == SMTPTLS_OK)
		r = smtptls_client_connect(client);
	for (i = 7; argv[i] != NULL && r == SMTPTLS_OK; i++) {
		fd = open(argv[i], O_RDONLY);
		r = send_fd(client, argv, fd);
		close(fd);
	}
	if (r == SMTPTLS_OK)
		r = smtptls_client_quit(client);
	return r;
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	int r;

	if (argc < 8)
		return 64;
	r = smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context);
	if (r == SMTPTLS_OK)
		r = smtptls_client_new(argv[1], context, &client);
	else
		printf("context: %s\n", smtptls_context_error(context));
	if (r == SMTPTLS_OK)
		r = send_files(client, argv);
	printf("%s: %s\n", client != NULL ? smtptls_client_step(client) : "",
	    smtptls_client_error(client));
	smtptls_client_free(client);
	smtptls_context_free(context);
	return -r;
}
