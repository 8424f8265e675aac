/* SPDX-License-Identifier: MIT */
/*
 * Hold many connections in one thread, by epoll(7); each sends one mail.
 *
 * usage: epoll URL CAFILE [COUNT [ADDRESS...]]
 *
 * COUNT is 10 by default. Each connection looks the host of the URL up, unless
 * it is told ADDRESSes with a port: for thousands a program does that once.
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

#define EVENTS_MAX 64
#define NEVER LLONG_MAX

static const char text[] = "Subject: one of many\n\nHello.\n";

struct sender {
	struct smtptls_client *client; /* NULL: it is done */
	struct smtptls_message *mail;
	long long due_ms; /* when to go on without an event */
};

static struct {
	int epoll;
	struct sender *senders;
	long count, open, accepted;
	long long first_due_ms; /* nobody is due before */
} many;

static long long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A smtptls_socket_cb: the event leads back to its sender. */
static void
watch(struct smtptls_client *client, int fd, short events, void *arg)
{
	struct epoll_event event = { .data.ptr = arg };

	if (events & POLLIN)
		event.events |= EPOLLIN;
	if (events & POLLOUT)
		event.events |= EPOLLOUT;
	if (events == 0)
		epoll_ctl(many.epoll, EPOLL_CTL_DEL, fd, &event);
	else if (epoll_ctl(many.epoll, EPOLL_CTL_MOD, fd, &event) < 0 &&
	    epoll_ctl(many.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		smtptls_client_cancel(client);
}

static void
finish(struct sender *sender)
{
	const char *why = smtptls_client_error(sender->client);

	/* The connection may be fine, and only the mail was refused. */
	if (why[0] == '\0')
		why = smtptls_message_error(sender->mail);
	if (smtptls_message_status(sender->mail) == SMTPTLS_OK)
		many.accepted++;
	else
		fprintf(stderr, "%s\n", why);
	smtptls_client_free(sender->client);
	smtptls_message_free(sender->mail);
	sender->client = NULL;
	many.open--;
}

static void
drive(struct sender *sender)
{
	int timeout_ms;

	if (smtptls_client_drive(sender->client) != SMTPTLS_AGAIN) {
		finish(sender);
		return;
	}
	timeout_ms = smtptls_client_timeout_ms(sender->client);
	sender->due_ms = timeout_ms < 0 ? NEVER : now_ms() + timeout_ms;
	if (sender->due_ms < many.first_due_ms)
		many.first_due_ms = sender->due_ms;
}

/* Time has passed: go on with those who wait for it. */
static void
drive_due(void)
{
	long long now = now_ms();
	struct sender *sender;
	long i;

	many.first_due_ms = NEVER;
	for (i = 0; i < many.count; i++) {
		sender = &many.senders[i];
		if (sender->client == NULL)
			continue;
		if (sender->due_ms <= now)
			drive(sender);
		else if (sender->due_ms < many.first_due_ms)
			many.first_due_ms = sender->due_ms;
	}
}

static void
begin(struct sender *sender, const char *url, struct smtptls_context *context,
    char **addresses)
{
	smtptls_client_new(url, context, &sender->client);
	smtptls_message_new(&sender->mail);
	many.open++;
	for (; *addresses != NULL; addresses++)
		smtptls_client_add_address(sender->client, *addresses);
	smtptls_client_set_socket_cb(sender->client, watch, sender);
	smtptls_client_set_deadline_ms(sender->client, 5 * 60 * 1000);
	smtptls_message_set_sender(sender->mail, "many@example.org");
	smtptls_message_add_recipient(sender->mail, "bob@example.org");
	smtptls_message_set_body_mem(sender->mail, text, strlen(text));
	smtptls_client_start(sender->client);
	smtptls_client_submit(sender->client, sender->mail);
	smtptls_client_start_quit(sender->client);
	/* Whatever failed above is told here. */
	drive(sender);
}

static void
run(void)
{
	struct epoll_event events[EVENTS_MAX];
	struct sender *sender;
	long long left;
	int i, n;

	while (many.open > 0) {
		left = many.first_due_ms - now_ms();
		left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
		n = epoll_wait(many.epoll, events, EVENTS_MAX, (int)left);
		for (i = 0; i < n; i++) {
			sender = events[i].data.ptr;
			/* It may have finished by another of its events. */
			if (sender->client != NULL)
				drive(sender);
		}
		if (now_ms() >= many.first_due_ms)
			drive_due();
	}
}

/* As many descriptors as the system lets us have. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	long i;

	many.count = argc > 3 ? strtol(argv[3], NULL, 10) : 10;
	if (argc < 3 || many.count < 1) {
		fprintf(
		    stderr, "usage: epoll URL CAFILE [COUNT [ADDRESS...]]\n");
		return 64;
	}
	if (smtptls_context_new_default(
		SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return 1;
	}
	raise_limit();
	many.first_due_ms = NEVER;
	many.epoll = epoll_create1(EPOLL_CLOEXEC);
	many.senders = calloc((size_t)many.count, sizeof(*many.senders));
	for (i = 0; many.senders != NULL && i < many.count; i++)
		begin(&many.senders[i], argv[1], context,
		    argc > 4 ? argv + 4 : argv + argc);
	run();
	printf("%ld accepted, %ld failed\n", many.accepted,
	    many.count - many.accepted);
	free(many.senders);
	close(many.epoll);
	smtptls_context_free(context);
	return many.accepted == many.count ? 0 : 1;
}
