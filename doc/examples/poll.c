/* SPDX-License-Identifier: MIT */
/*
 * A daemon with an event loop: every line of standard input becomes a mail,
 * while it goes on to read. The connection stays open between mails, and is
 * made anew after it failed. At the end of input it finishes and quits.
 *
 * usage: poll URL CAFILE
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

#define FDS_MAX 8

/* The content is borrowed until the outcome is known. */
struct job {
	struct job *next;
	struct smtptls_message *mail;
	char text[1280];
};

struct daemon {
	const char *url;
	struct smtptls_context *context;
	struct smtptls_client *client; /* NULL until there is a mail */
	struct job *jobs;
	char line[512];
	size_t line_len;
	int at_end;
};

static void
finish_job(struct daemon *d, struct smtptls_message *mail)
{
	struct job **place = &d->jobs, *job;
	int r = smtptls_message_status(mail);

	if (r == SMTPTLS_OK)
		printf("accepted: %s\n", smtptls_message_reply_text(mail, 0));
	else
		printf("failed: %s\n", smtptls_message_error(mail));
	while (*place != NULL && (*place)->mail != mail)
		place = &(*place)->next;
	if (*place != NULL) {
		job = *place;
		*place = job->next;
		smtptls_message_free(job->mail);
		free(job);
	}
	smtptls_message_free(mail); /* the client's */
}

/* Go on with the conversation; take what is finished. */
static void
drive(struct daemon *d)
{
	struct smtptls_message *mail;
	int r;

	if (d->client == NULL)
		return;
	r = smtptls_client_drive(d->client);
	while ((mail = smtptls_client_next_done(d->client)) != NULL)
		finish_job(d, mail);
	/* Failed, or closed after QUIT: the next mail makes a new one. */
	if (r < 0 || (r == SMTPTLS_OK && d->at_end)) {
		smtptls_client_free(d->client);
		d->client = NULL;
	}
}

static void
submit(struct daemon *d, const char *line)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return;
	snprintf(job->text, sizeof(job->text),
	    "From: daemon@example.org\nTo: ops@example.org\n"
	    "Subject: %s\n\n%s\n",
	    line, line);
	smtptls_message_new(&job->mail);
	smtptls_message_set_sender(job->mail, "daemon@example.org");
	smtptls_message_add_recipient(job->mail, "ops@example.org");
	smtptls_message_set_body_mem(job->mail, job->text, strlen(job->text));
	job->next = d->jobs;
	d->jobs = job;

	if (d->client == NULL) {
		smtptls_client_new(d->url, d->context, &d->client);
		smtptls_client_start(d->client);
	}
	if (smtptls_client_submit(d->client, job->mail) < 0) {
		fprintf(stderr, "%s\n", smtptls_client_error(d->client));
		d->jobs = job->next;
		smtptls_message_free(job->mail);
		free(job);
	}
	drive(d);
}

/* poll(2) said that there is something, so this does not block. */
static void
read_input(struct daemon *d)
{
	char *end;
	ssize_t n;

	n = read(STDIN_FILENO, d->line + d->line_len,
	    sizeof(d->line) - 1 - d->line_len);
	if (n <= 0) {
		d->at_end = 1;
		if (d->client != NULL)
			smtptls_client_start_quit(d->client);
		return;
	}
	d->line_len += (size_t)n;
	d->line[d->line_len] = '\0';
	while ((end = strchr(d->line, '\n')) != NULL) {
		*end = '\0';
		submit(d, d->line);
		d->line_len -= (size_t)(end + 1 - d->line);
		memmove(d->line, end + 1, d->line_len + 1);
	}
	if (d->line_len == sizeof(d->line) - 1)
		d->line_len = 0; /* a line that is too long */
}

int
main(int argc, char *argv[])
{
	struct daemon d = { 0 };
	struct pollfd fds[FDS_MAX];
	size_t count;
	int timeout_ms;

	if (argc != 3) {
		fprintf(stderr, "usage: poll URL CAFILE\n");
		return 64;
	}
	d.url = argv[1];
	if (smtptls_context_new_default(
		SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &d.context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(d.context));
		smtptls_context_free(d.context);
		return 1;
	}
	while (!d.at_end || d.client != NULL) {
		count = 0;
		timeout_ms = -1;
		if (!d.at_end)
			fds[count++] = (struct pollfd){ .fd = STDIN_FILENO,
				.events = POLLIN };
		if (d.client != NULL) {
			count += smtptls_client_pollfds(
			    d.client, fds + count, FDS_MAX - count);
			timeout_ms = smtptls_client_timeout_ms(d.client);
		}
		poll(fds, (nfds_t)count, timeout_ms);
		if (!d.at_end && fds[0].revents != 0)
			read_input(&d);
		drive(&d);
	}
	smtptls_context_free(d.context);
	return 0;
}
