/* SPDX-License-Identifier: MIT */
/*
 * libESMTP: all messages are handed over before the session begins. What it
 * trusts stands in ~/.config/libesmtp/ca.pem, which is --ca here: set HOME.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <auth-client.h>
#include <libesmtp.h>

#include "options.h"

struct job {
	const struct bench_options *options;
	struct bench_content content;
	struct bench_report report;
};

static void
check(const void *result)
{
	char text[256];

	if (result == NULL)
		bench_fail("libESMTP",
		    smtp_strerror(smtp_errno(), text, sizeof(text)));
}

/* Called with a NULL length to rewind, else for a piece; 0 is the end. */
static const char *
give(void **state, int *len, void *arg)
{
	static char buf[65536];
	struct job *job = arg;
	size_t *at = *state;
	ssize_t n = 0;

	if (at == NULL)
		at = *state = calloc(1, sizeof(*at));
	check(at);
	if (len == NULL) {
		*at = 0;
		return NULL;
	}
	if (job->content.data != NULL && *at < job->content.len) {
		*len = (int)job->content.len;
		*at = job->content.len;
		return job->content.data;
	}
	if (job->content.data == NULL)
		n = pread(job->content.fd, buf, sizeof(buf), (off_t)*at);
	*len = n > 0 ? (int)n : 0;
	*at += (size_t)*len;
	return buf;
}

static void
on_event(smtp_session_t session, int event, void *arg, ...)
{
	(void)session;
	(void)event;
	(void)arg;
}

static int
answer(auth_client_request_t request, char **result, int fields, void *arg)
{
	const struct bench_options *options = arg;
	int i;

	for (i = 0; i < fields; i++)
		result[i] = (char *)((request[i].flags & AUTH_PASS) != 0
			? options->password
			: options->user);
	return 1;
}

static void
set_authentication(smtp_session_t session, const struct bench_options *options)
{
	auth_context_t auth = auth_create_context();

	check(auth);
	auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0);
	auth_set_interact_cb(auth, answer, (void *)options);
	smtp_auth_set_context(session, auth);
}

static void
count(smtp_message_t message, void *arg)
{
	const smtp_status_t *status = smtp_message_transfer_status(message);
	struct job *job = arg;

	if (status == NULL || status->code != 250)
		bench_fail("a message was not accepted",
		    status != NULL && status->text != NULL ? status->text
							   : "no answer");
	job->report.accepted++;
}

static void
add_message(smtp_session_t session, struct job *job)
{
	smtp_message_t message = smtp_add_message(session);
	long i;

	check(message);
	smtp_set_reverse_path(message, BENCH_SENDER);
	smtp_set_messagecb(message, give, job);
	for (i = 0; i < job->options->recipients; i++)
		check(smtp_add_recipient(message, bench_recipient(i)));
}

static void
run(struct job *job)
{
	smtp_session_t session = smtp_create_session();
	char text[64];
	long i;

	check(session);
	snprintf(text, sizeof(text), "localhost:%d", job->options->port);
	smtp_set_server(session, text);
	smtp_set_hostname(session, "localhost");
	smtp_starttls_enable(session, Starttls_REQUIRED);
	smtp_set_eventcb(session, on_event, NULL);
	if (job->options->user != NULL)
		set_authentication(session, job->options);
	for (i = 0; i < job->options->messages; i++)
		add_message(session, job);
	if (smtp_start_session(session) == 0)
		check(NULL);
	smtp_enumerate_messages(session, count, job);
	smtp_destroy_session(session);
}

int
main(int argc, char **argv)
{
	struct bench_options options;
	struct job job = { .options = &options };
	long i;

	bench_options_parse(argc, argv, &options);
	if (options.is_implicit || options.hold)
		bench_fail("libESMTP", "has no implicit TLS and does not hold");
	signal(SIGPIPE, SIG_IGN);
	bench_content_open(&options, &job.content);
	auth_client_init();
	job.report.rss_before = bench_memory("VmRSS");
	job.report.started = bench_now();
	for (i = 0; i < options.connections; i++)
		run(&job);
	bench_report(&job.report);
	auth_client_exit();
	bench_content_close(&job.content);
	return 0;
}
