/* SPDX-License-Identifier: MIT */
/* libcurl: easy where one transfer runs at a time, multi with --hold. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "options.h"

struct transfer {
	const struct bench_content *content;
	size_t at;
	long left; /* messages, this one included */
};

struct job {
	const struct bench_options *options;
	struct bench_content content;
	struct bench_report report;
	struct curl_slist *recipients;
	struct curl_slist *connect_to;
	CURLSH *share;
	char url[64];
};

static void
check(CURLcode code)
{
	if (code != CURLE_OK)
		bench_fail("libcurl", curl_easy_strerror(code));
}

static size_t
give(char *buf, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	const struct bench_content *content = transfer->content;
	size_t len = size * count;
	ssize_t n;

	if (len > content->len - transfer->at)
		len = content->len - transfer->at;
	if (content->data != NULL) {
		memcpy(buf, content->data + transfer->at, len);
	} else {
		n = pread(content->fd, buf, len, (off_t)transfer->at);
		if (n < 0)
			return CURL_READFUNC_ABORT;
		len = (size_t)n;
	}
	transfer->at += len;
	return len;
}

static CURL *
make_easy(struct job *job, struct transfer *transfer)
{
	const struct bench_options *options = job->options;
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		bench_fail("libcurl", "out of memory");
	transfer->content = &job->content;
	transfer->left = options->messages;
	check(curl_easy_setopt(easy, CURLOPT_URL, job->url));
	check(curl_easy_setopt(easy, CURLOPT_CONNECT_TO, job->connect_to));
	check(curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca));
	/* Else the CAs of the system are loaded as well. */
	check(curl_easy_setopt(easy, CURLOPT_CAPATH, NULL));
	check(curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL));
	check(curl_easy_setopt(easy, CURLOPT_MAIL_FROM, "<" BENCH_SENDER ">"));
	check(curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, job->recipients));
	check(curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L));
	check(curl_easy_setopt(easy, CURLOPT_READFUNCTION, give));
	check(curl_easy_setopt(easy, CURLOPT_READDATA, transfer));
	check(curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer));
	check(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
	if (options->user != NULL) {
		check(curl_easy_setopt(easy, CURLOPT_USERNAME, options->user));
		check(curl_easy_setopt(
		    easy, CURLOPT_PASSWORD, options->password));
	}
	if (options->resume)
		check(curl_easy_setopt(easy, CURLOPT_SHARE, job->share));
	else
		check(curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L));
	return easy;
}

/* All messages of one connection, which the handle keeps. */
static void
run_one(struct job *job)
{
	struct transfer transfer = { 0 };
	CURL *easy = make_easy(job, &transfer);

	for (; transfer.left > 0; transfer.left--) {
		transfer.at = 0;
		check(curl_easy_perform(easy));
		job->report.accepted++;
	}
	curl_easy_cleanup(easy);
}

/* A connection is there and idle once its first message was sent. */
static void
drive(struct job *job, CURLM *multi)
{
	CURLMsg *message;
	char *private;
	struct transfer *transfer;
	CURL *easy;
	int running, left;

	do {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			bench_fail("libcurl", "multi");
		while ((message = curl_multi_info_read(multi, &left)) != NULL) {
			check(message->data.result);
			easy = message->easy_handle;
			curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
			transfer = (struct transfer *)(void *)private;
			transfer->left--;
			transfer->at = 0;
			job->report.accepted++;
			curl_multi_remove_handle(multi, easy);
		}
		if (running > 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	} while (running > 0);
}

/*
 * Each handle finds its connection again in the cache of the multi handle,
 * because there are as many as handles. There is no way to open a connection
 * without sending a message, so the first one is sent before they are held.
 */
static void
run_held(struct job *job)
{
	size_t count = (size_t)job->options->connections, i;
	struct transfer *transfers = calloc(count, sizeof(*transfers));
	CURL **easies = calloc(count, sizeof(CURL *));
	CURLM *multi = curl_multi_init();
	long round;

	if (transfers == NULL || easies == NULL || multi == NULL)
		bench_fail("libcurl", "out of memory");
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)count);
	for (i = 0; i < count; i++)
		easies[i] = make_easy(job, &transfers[i]);
	for (round = 0; round < job->options->messages; round++) {
		for (i = 0; i < count; i++)
			curl_multi_add_handle(multi, easies[i]);
		drive(job, multi);
		if (round == 0)
			job->report.rss_held = bench_memory("VmRSS");
	}
	for (i = 0; i < count; i++)
		curl_easy_cleanup(easies[i]);
	curl_multi_cleanup(multi);
	free(easies);
	free(transfers);
}

static void
begin(struct job *job)
{
	const struct bench_options *options = job->options;
	char text[80];
	long i;

	check(curl_global_init(CURL_GLOBAL_DEFAULT));
	/* The path is the name to greet with. */
	snprintf(job->url, sizeof(job->url), "smtp%s://localhost:%d/localhost",
	    options->is_implicit ? "s" : "", options->port);
	snprintf(text, sizeof(text), "localhost:%d:127.0.0.1:%d", options->port,
	    options->port);
	job->connect_to = curl_slist_append(NULL, text);
	for (i = 0; i < options->recipients; i++) {
		snprintf(text, sizeof(text), "<%s>", bench_recipient(i));
		job->recipients = curl_slist_append(job->recipients, text);
	}
	job->share = curl_share_init();
	if (job->share == NULL)
		bench_fail("libcurl", "out of memory");
	curl_share_setopt(
	    job->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

int
main(int argc, char **argv)
{
	struct bench_options options;
	struct job job = { .options = &options };
	long i;

	bench_options_parse(argc, argv, &options);
	bench_content_open(&options, &job.content);
	begin(&job);
	job.report.rss_before = bench_memory("VmRSS");
	job.report.started = bench_now();
	if (options.hold)
		run_held(&job);
	else
		for (i = 0; i < options.connections; i++)
			run_one(&job);
	bench_report(&job.report);
	curl_slist_free_all(job.recipients);
	curl_slist_free_all(job.connect_to);
	curl_share_cleanup(job.share);
	curl_global_cleanup();
	bench_content_close(&job.content);
	return 0;
}
