/* SPDX-License-Identifier: MIT */
/*
 * Many threads send by a few connections, which stay open in between.
 *
 * usage: pool URL [CAFILE]
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <smtptls/smtptls.h>

#define THREADS 8
#define MAILS 5 /* by each thread */

static const char text[] = "Subject: from a pool\n\nHello.\n";

/* A smtptls_pool_setup_cb: the same for every connection. */
static int
set_up(struct smtptls_client *client, void *arg)
{
	(void)arg;
	smtptls_client_set_ehlo_name(client, "pool.example.org");
	smtptls_client_set_timeout_ms(client, SMTPTLS_PHASE_CONNECT, 10000);
	return SMTPTLS_OK;
}

struct sender {
	pthread_t thread;
	struct smtptls_pool *pool;
	int sent;
};

static void *
send_some(void *arg)
{
	struct sender *sender = arg;
	int i;

	for (i = 0; i < MAILS; i++) {
		struct smtptls_message *mail = NULL;

		smtptls_message_new(&mail);
		smtptls_message_set_sender(mail, "pool@example.org");
		smtptls_message_add_recipient(mail, "bob@example.org");
		smtptls_message_set_body_mem(mail, text, strlen(text));
		if (smtptls_pool_send(sender->pool, mail) == SMTPTLS_OK)
			sender->sent++;
		else
			fprintf(stderr, "%s\n", smtptls_message_error(mail));
		smtptls_message_free(mail);
	}
	return NULL;
}

static int
send_from_threads(struct smtptls_pool *pool)
{
	struct sender senders[THREADS];
	int sent = 0, i;

	for (i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){ .pool = pool };
		if (pthread_create(
			&senders[i].thread, NULL, send_some, &senders[i]) != 0)
			break;
	}
	while (i-- > 0) {
		pthread_join(senders[i].thread, NULL);
		sent += senders[i].sent;
	}
	return sent;
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct smtptls_pool *pool = NULL;
	int sent;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: pool URL [CAFILE]\n");
		return 64;
	}
	/* Without a file argv[2] is NULL, which stands for the system's CAs. */
	smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context);
	smtptls_pool_new(argv[1], context, &pool);
	smtptls_context_free(context);
	smtptls_pool_set_connections_max(pool, 2);
	smtptls_pool_set_idle_ms(pool, 30000);
	smtptls_pool_set_setup(pool, set_up, NULL);

	/* Whatever failed above is told by each message. */
	sent = send_from_threads(pool);
	printf("%d sent\n", sent);
	smtptls_pool_free(pool);
	return sent == THREADS * MAILS ? 0 : 1;
}
