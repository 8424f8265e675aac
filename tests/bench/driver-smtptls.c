/* SPDX-License-Identifier: MIT */
/* This library, by its non-blocking calls and nothing else. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/smtptls.h>

#include "heap.h"
#include "options.h"

/* Messages that are made and handed over at once; the library holds them. */
#define BATCH 512

struct job {
	const struct bench_options *options;
	struct bench_content content;
	struct smtptls_context *context;
	struct smtptls_session_cache *cache; /* NULL: none */
	struct bench_report report;
};

/* One connection and what is left to do on it. */
struct line {
	struct job *job;
	struct smtptls_client *client;
	long left;	/* messages to be submitted */
	long in_flight; /* submitted and not done */
	bool is_ending;
};

static void
check(const struct line *line, int r)
{
	if (r < 0)
		bench_fail("smtptls", smtptls_client_error(line->client));
}

static void
set_level(const struct line *line)
{
	static const struct {
		const char *name;
		enum smtptls_pipelining level;
	} levels[] = {
		{ "none", SMTPTLS_PIPELINING_NONE },
		{ "standard", SMTPTLS_PIPELINING_STANDARD },
		{ "one-flight", SMTPTLS_PIPELINING_ONE_FLIGHT },
		{ "window", SMTPTLS_PIPELINING_WINDOW },
	};
	const struct bench_options *options = line->job->options;
	size_t i;

	for (i = 0; strcmp(levels[i].name, options->level) != 0; i++) {
		if (i + 1 == sizeof(levels) / sizeof(levels[0]))
			bench_fail(options->level, "no such level");
	}
	check(
	    line, smtptls_client_set_pipelining(line->client, levels[i].level));
	check(line,
	    smtptls_client_set_window(line->client, (size_t)options->window));
	check(line,
	    smtptls_client_set_chunking(line->client, !options->no_chunking));
}

static void
begin(struct line *line, struct job *job)
{
	const struct bench_options *options = job->options;
	char text[64];

	memset(line, 0, sizeof(*line));
	line->job = job;
	line->left = options->messages;
	snprintf(text, sizeof(text), "smtp%s://localhost",
	    options->is_implicit ? "s" : "");
	check(line, smtptls_client_new(text, job->context, &line->client));
	snprintf(text, sizeof(text), "127.0.0.1:%d", options->port);
	check(line, smtptls_client_set_connect_to(line->client, text));
	check(line, smtptls_client_set_ehlo_name(line->client, "localhost"));
	if (options->user != NULL)
		check(line,
		    smtptls_client_set_credentials(
			line->client, options->user, options->password));
	check(line, smtptls_client_set_session_cache(line->client, job->cache));
	set_level(line);
	check(line, smtptls_client_start(line->client));
}

static struct smtptls_message *
make_message(struct job *job)
{
	struct smtptls_message *message;
	long i;

	if (smtptls_message_new(&message) < 0)
		bench_fail("smtptls", "out of memory");
	/* A setter that fails spoils the message, which shows when sending. */
	(void)smtptls_message_set_sender(message, BENCH_SENDER);
	for (i = 0; i < job->options->recipients; i++)
		(void)smtptls_message_add_recipient(
		    message, bench_recipient(i));
	if (job->content.data != NULL)
		(void)smtptls_message_set_body_mem(
		    message, job->content.data, job->content.len);
	else
		(void)smtptls_message_set_body_fd(message, job->content.fd);
	return message;
}

static void
submit(struct line *line)
{
	struct smtptls_message *message;

	while (line->left > 0 && line->in_flight < BATCH) {
		message = make_message(line->job);
		check(line, smtptls_client_submit(line->client, message));
		smtptls_message_free(message);
		line->left--;
		line->in_flight++;
	}
	if (line->left == 0 && !line->is_ending) {
		line->is_ending = true;
		check(line, smtptls_client_start_quit(line->client));
	}
}

static void
collect(struct line *line)
{
	struct smtptls_message *message;

	while ((message = smtptls_client_next_done(line->client)) != NULL) {
		if (smtptls_message_status(message) != SMTPTLS_OK)
			bench_fail("smtptls", smtptls_message_error(message));
		line->job->report.accepted++;
		line->in_flight--;
		smtptls_message_free(message);
	}
}

/* Go on with one connection; SMTPTLS_OK: nothing is left to do. */
static int
go_on(struct line *line)
{
	int r;

	r = smtptls_client_drive(line->client);
	collect(line);
	check(line, r);
	return r;
}

static void
end(struct line *line)
{
	struct smtptls_session *session = smtptls_client_session(line->client);

	if (session != NULL)
		line->job->report.resumed += smtptls_session_is_resumed(
		    session);
	smtptls_client_free(line->client);
}

static void
wait_for(struct line *line)
{
	struct pollfd fds[8];
	size_t count = smtptls_client_pollfds(line->client, fds, 8);
	int timeout_ms = smtptls_client_timeout_ms(line->client);

	if (poll(fds, (nfds_t)count, timeout_ms) < 0 && errno != EINTR)
		bench_fail("poll", strerror(errno));
}

static void
run_one(struct job *job)
{
	struct line line;

	begin(&line, job);
	for (;;) {
		submit(&line);
		if (go_on(&line) == SMTPTLS_AGAIN)
			wait_for(&line);
		else if (line.is_ending && line.in_flight == 0)
			break;
	}
	end(&line);
}

/*
 * Drive all connections until nothing is left to do on any of them. Each has
 * one descriptor: its address is given, so that nothing races.
 */
static void
drive_all(struct line *lines, struct pollfd *fds, size_t count)
{
	size_t i, left = count;

	for (i = 0; i < count; i++) {
		fds[i].fd = -1;
		fds[i].revents = POLLIN;
	}
	while (left > 0) {
		for (i = 0; i < count; i++) {
			if (fds[i].revents == 0)
				continue;
			fds[i].revents = 0;
			if (lines[i].is_ending)
				submit(&lines[i]);
			if (go_on(&lines[i]) == SMTPTLS_AGAIN) {
				(void)smtptls_client_pollfds(
				    lines[i].client, &fds[i], 1);
				continue;
			}
			fds[i].fd = -1;
			left--;
		}
		if (left > 0 && poll(fds, count, -1) < 0 && errno != EINTR)
			bench_fail("poll", strerror(errno));
	}
}

static void
run_held(struct job *job)
{
	size_t count = (size_t)job->options->connections, i;
	struct line *lines = calloc(count, sizeof(*lines));
	struct pollfd *fds = calloc(count, sizeof(*fds));
	size_t own = bench_heap_own();

	if (lines == NULL || fds == NULL)
		bench_fail("smtptls", "out of memory");
	for (i = 0; i < count; i++)
		begin(&lines[i], job);
	drive_all(lines, fds, count);
	job->report.rss_held = bench_memory("VmRSS");
	job->report.own_held = bench_heap_own() - own;
	for (i = 0; i < count; i++)
		submit(&lines[i]);
	drive_all(lines, fds, count);
	for (i = 0; i < count; i++)
		end(&lines[i]);
	free(lines);
	free(fds);
}

int
main(int argc, char **argv)
{
	struct bench_options options;
	struct job job = { .options = &options };
	long i;

	bench_options_parse(argc, argv, &options);
	bench_content_open(&options, &job.content);
	if (smtptls_context_new_default(SMTPTLS_SERVER_AUTH, options.ca, NULL,
		NULL, 0, &job.context) < 0)
		bench_fail("smtptls", smtptls_context_error(job.context));
	if (options.resume && smtptls_session_cache_new(16, &job.cache) < 0)
		bench_fail("smtptls", "no session cache");
	job.report.rss_before = bench_memory("VmRSS");
	job.report.started = bench_now();
	if (options.hold)
		run_held(&job);
	else
		for (i = 0; i < options.connections; i++)
			run_one(&job);
	bench_report(&job.report);
	smtptls_session_cache_free(job.cache);
	smtptls_context_free(job.context);
	bench_content_close(&job.content);
	return 0;
}
