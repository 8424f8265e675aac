/* SPDX-License-Identifier: MIT */
/*
 * Threads share one context; each has its own client and message.
 *
 * usage: threads URL CAFILE
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <smtptls/smtptls.h>

#define THREADS 4

static const char text[] = "Subject: from a thread\n\nHello.\n";

/* Written before the threads start, read by all of them. */
static const char *url;
static struct smtptls_context *context;

static void *
send_one(void *arg)
{
	struct smtptls_client *client = NULL;
	struct smtptls_message *mail = NULL;
	int *result = arg;

	smtptls_client_new(url, context, &client);
	smtptls_message_new(&mail);
	smtptls_message_set_sender(mail, "threads@example.org");
	smtptls_message_add_recipient(mail, "bob@example.org");
	smtptls_message_set_body_mem(mail, text, strlen(text));
	*result = smtptls_client_send(client, mail);
	if (*result < 0)
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	smtptls_message_free(mail);
	smtptls_client_free(client);
	return NULL;
}

int
main(int argc, char *argv[])
{
	pthread_t threads[THREADS];
	int results[THREADS], sent = 0, i;

	if (argc != 3) {
		fprintf(stderr, "usage: threads URL CAFILE\n");
		return 64;
	}
	url = argv[1];
	if (smtptls_context_new_default(
		SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return 1;
	}
	for (i = 0; i < THREADS; i++) {
		results[i] = SMTPTLS_E_NOMEM;
		if (pthread_create(&threads[i], NULL, send_one, &results[i]) !=
		    0)
			break;
	}
	while (i-- > 0) {
		pthread_join(threads[i], NULL);
		if (results[i] == SMTPTLS_OK)
			sent++;
	}
	smtptls_context_free(context);
	printf("%d sent\n", sent);
	return sent == THREADS ? 0 : 1;
}
