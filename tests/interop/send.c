/* SPDX-License-Identifier: MIT */
/*
 * Send files over one connection: one after another by the blocking calls, or,
 * with a level of pipelining, all at once.
 *
 * usage: send [-l LEVEL] URL CAFILE USER PASSWORD FROM TO FILE...
 *
 * "" is no user. The exit status is the status code without its sign; stdout
 * says the step, and the sentence.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

#define FILES_MAX 64

static const char *const levels[] = {
	[SMTPTLS_PIPELINING_STANDARD] = "standard",
	[SMTPTLS_PIPELINING_NONE] = "none",
	[SMTPTLS_PIPELINING_ONE_FLIGHT] = "one-flight",
	[SMTPTLS_PIPELINING_WINDOW] = "window",
};

static int
make_message(char *argv[], int fd, struct smtptls_message **out_message)
{
	struct smtptls_message *message;
	int r;

	r = smtptls_message_new(out_message);
	message = *out_message;
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_sender(message, argv[5]);
	if (r == SMTPTLS_OK)
		r = smtptls_message_add_recipient(message, argv[6]);
	if (r == SMTPTLS_OK)
		r = smtptls_message_set_body_fd(message, fd);
	return r;
}

static int
tell(const struct smtptls_message *message, int r)
{
	if (r != SMTPTLS_OK)
		printf("message: %s\n", smtptls_message_error(message));
	return r;
}

static int
send_one_by_one(struct smtptls_client *client, char *argv[])
{
	struct smtptls_message *message;
	int i, fd, r = SMTPTLS_OK;

	for (i = 7; argv[i] != NULL && r == SMTPTLS_OK; i++) {
		fd = open(argv[i], O_RDONLY);
		r = make_message(argv, fd, &message);
		if (r == SMTPTLS_OK)
			r = smtptls_client_send(client, message);
		tell(message, r);
		smtptls_message_free(message);
		close(fd);
	}
	return r;
}

static int
send_at_once(struct smtptls_client *client, char *argv[])
{
	struct smtptls_message *messages[FILES_MAX];
	int fds[FILES_MAX], i, r = SMTPTLS_OK, status;

	for (i = 0; argv[7 + i] != NULL && i < FILES_MAX; i++) {
		fds[i] = open(argv[7 + i], O_RDONLY);
		status = make_message(argv, fds[i], &messages[i]);
		if (status == SMTPTLS_OK)
			status = smtptls_client_submit(client, messages[i]);
		if (tell(messages[i], status) < 0)
			r = status;
	}
	status = smtptls_client_quit(client);
	while (i-- > 0) {
		if (r == SMTPTLS_OK)
			r = tell(
			    messages[i], smtptls_message_status(messages[i]));
		smtptls_message_free(messages[i]);
		close(fds[i]);
	}
	return r == SMTPTLS_OK ? status : r;
}

static int
send_files(struct smtptls_client *client, char *argv[], const char *level)
{
	int i, r = SMTPTLS_OK;

	for (i = 0; level != NULL && i < 4; i++) {
		if (strcmp(levels[i], level) == 0)
			r = smtptls_client_set_pipelining(
			    client, (enum smtptls_pipelining)i);
	}
	if (r == SMTPTLS_OK && argv[3][0] != '\0')
		r = smtptls_client_set_credentials(client, argv[3], argv[4]);
	if (r == SMTPTLS_OK)
		r = smtptls_client_set_deadline_ms(client, 60000);
	if (r == SMTPTLS_OK)
		r = smtptls_client_connect(client);
	if (r < 0)
		return r;
	if (level != NULL)
		return send_at_once(client, argv);
	r = send_one_by_one(client, argv);
	return r == SMTPTLS_OK ? smtptls_client_quit(client) : r;
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	const char *level = NULL;
	int r;

	if (argc > 3 && strcmp(argv[1], "-l") == 0) {
		level = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 8)
		return 64;
	r = smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context);
	if (r == SMTPTLS_OK)
		r = smtptls_client_new(argv[1], context, &client);
	else
		printf("context: %s\n", smtptls_context_error(context));
	if (r == SMTPTLS_OK)
		r = send_files(client, argv, level);
	printf("%s: %s\n", client != NULL ? smtptls_client_step(client) : "",
	    smtptls_client_error(client));
	smtptls_client_free(client);
	smtptls_context_free(context);
	return -r;
}
