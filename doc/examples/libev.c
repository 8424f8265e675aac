/* SPDX-License-Identifier: MIT */
/*
 * Inside of an event loop that is somebody else's, here libev's: send a mail
 * for each TEXT, all over one connection.
 *
 * usage: libev URL CAFILE TEXT...
 *
 * cc libev.c -o libev -lev $(pkg-config --cflags --libs smtptls)
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include <smtptls/smtptls.h>

struct watch {
	ev_io io;
	struct watch *next;
};

struct mailer {
	struct ev_loop *loop;
	struct smtptls_client *client;
	struct watch *watches;
	ev_timer timer;
	int failed;
};

static void
report(struct mailer *mailer, struct smtptls_message *mail)
{
	if (smtptls_message_status(mail) == SMTPTLS_OK) {
		printf("accepted: %s\n", smtptls_message_reply_text(mail, 0));
		return;
	}
	printf("failed: %s\n", smtptls_message_error(mail));
	mailer->failed = 1;
}

/* Go on; then either wait, or it is over and the loop has nothing of ours. */
static void
drive(struct mailer *mailer)
{
	struct smtptls_message *mail;
	int r, timeout_ms;

	r = smtptls_client_drive(mailer->client);
	while ((mail = smtptls_client_next_done(mailer->client)) != NULL) {
		report(mailer, mail);
		smtptls_message_free(mail);
	}
	ev_timer_stop(mailer->loop, &mailer->timer);
	if (r != SMTPTLS_AGAIN) {
		if (r < 0)
			fprintf(stderr, "%s\n",
			    smtptls_client_error(mailer->client));
		smtptls_client_free(mailer->client);
		mailer->client = NULL;
		return;
	}
	timeout_ms = smtptls_client_timeout_ms(mailer->client);
	if (timeout_ms < 0)
		return;
	ev_timer_set(&mailer->timer, timeout_ms / 1000.0, 0.0);
	ev_timer_start(mailer->loop, &mailer->timer);
}

static void
on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	drive(io->data);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	drive(timer->data);
}

/* Make, or take, the watcher of a descriptor. */
static struct watch *
take_watch(struct mailer *mailer, int fd)
{
	struct watch **place = &mailer->watches, *found;

	while (*place != NULL && (*place)->io.fd != fd)
		place = &(*place)->next;
	found = *place;
	if (found == NULL)
		return calloc(1, sizeof(*found));
	*place = found->next;
	ev_io_stop(mailer->loop, &found->io);
	return found;
}

/* A smtptls_socket_cb. */
static void
watch(struct smtptls_client *client, int fd, short events, void *arg)
{
	struct mailer *mailer = arg;
	struct watch *found = take_watch(mailer, fd);

	if (found == NULL) {
		smtptls_client_cancel(client);
		return;
	}
	if (events == 0) {
		free(found);
		return;
	}
	ev_io_init(&found->io, on_socket, fd,
	    (events & POLLIN ? EV_READ : 0) |
		(events & POLLOUT ? EV_WRITE : 0));
	found->io.data = mailer;
	found->next = mailer->watches;
	mailer->watches = found;
	ev_io_start(mailer->loop, &found->io);
}

/* The content is borrowed until the outcome is known. */
static void
submit(struct mailer *mailer, const char *content)
{
	struct smtptls_message *mail = NULL;

	smtptls_message_new(&mail);
	smtptls_message_set_sender(mail, "daemon@example.org");
	smtptls_message_add_recipient(mail, "ops@example.org");
	smtptls_message_set_body_mem(mail, content, strlen(content));
	if (smtptls_client_submit(mailer->client, mail) < 0) {
		fprintf(stderr, "%s\n", smtptls_client_error(mailer->client));
		mailer->failed = 1;
	}
	smtptls_message_free(mail); /* the client has its own holder */
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct mailer mailer = { .loop = ev_default_loop(0) };
	int i;

	if (argc < 4) {
		fprintf(stderr, "usage: libev URL CAFILE TEXT...\n");
		return 64;
	}
	if (smtptls_context_new_default(
		SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return 1;
	}
	ev_init(&mailer.timer, on_timer);
	mailer.timer.data = &mailer;
	smtptls_client_new(argv[1], context, &mailer.client);
	smtptls_client_set_socket_cb(mailer.client, watch, &mailer);
	smtptls_client_start(mailer.client);
	for (i = 3; i < argc; i++)
		submit(&mailer, argv[i]);
	smtptls_client_start_quit(mailer.client);
	drive(&mailer);

	/* It returns when nothing is watched any more. */
	ev_run(mailer.loop, 0);
	smtptls_context_free(context);
	return mailer.failed;
}
