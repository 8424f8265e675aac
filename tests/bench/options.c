/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONTENT_LEN 2048
#define LINE_LEN 78

static const char help[] =
    "usage: driver --smtp PORT | --smtps PORT --ca FILE [options]\n"
    "\n"
    "Sends messages to localhost and prints one line of JSON.\n"
    "\n"
    "  --connections N   one after another, each with ... (1)\n"
    "  --messages N      ... so many messages ... (1)\n"
    "  --recipients N    ... to so many recipients (1)\n"
    "  --content FILE    what is sent, with CRLF; 2 KiB by default\n"
    "  --from-file       read it while sending, not from memory\n"
    "  --user NAME --password TEXT\n"
    "  --level LEVEL     none, standard, one-flight or window\n"
    "  --window N        messages that may be in the air\n"
    "  --no-chunking     DATA only\n"
    "  --resume          resume TLS sessions\n"
    "  --hold            open all connections before anything is sent\n";

enum option_id {
	ID_SMTP = 256,
	ID_SMTPS,
	ID_CA,
	ID_CONNECTIONS,
	ID_MESSAGES,
	ID_RECIPIENTS,
	ID_CONTENT,
	ID_FROM_FILE,
	ID_USER,
	ID_PASSWORD,
	ID_LEVEL,
	ID_WINDOW,
	ID_NO_CHUNKING,
	ID_RESUME,
	ID_HOLD
};

static const struct option long_options[] = {
	{ "smtp", required_argument, NULL, ID_SMTP },
	{ "smtps", required_argument, NULL, ID_SMTPS },
	{ "ca", required_argument, NULL, ID_CA },
	{ "connections", required_argument, NULL, ID_CONNECTIONS },
	{ "messages", required_argument, NULL, ID_MESSAGES },
	{ "recipients", required_argument, NULL, ID_RECIPIENTS },
	{ "content", required_argument, NULL, ID_CONTENT },
	{ "from-file", no_argument, NULL, ID_FROM_FILE },
	{ "user", required_argument, NULL, ID_USER },
	{ "password", required_argument, NULL, ID_PASSWORD },
	{ "level", required_argument, NULL, ID_LEVEL },
	{ "window", required_argument, NULL, ID_WINDOW },
	{ "no-chunking", no_argument, NULL, ID_NO_CHUNKING },
	{ "resume", no_argument, NULL, ID_RESUME },
	{ "hold", no_argument, NULL, ID_HOLD },
	{ NULL, 0, NULL, 0 },
};

void
bench_fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static long
parse_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number < 0)
		bench_fail(text, "no number");
	return number;
}

static void
set_option(struct bench_options *options, int id, const char *arg)
{
	switch (id) {
	case ID_SMTP:
	case ID_SMTPS:
		options->port = (int)parse_number(arg);
		options->is_implicit = id == ID_SMTPS;
		break;
	case ID_CA:
		options->ca = arg;
		break;
	case ID_CONNECTIONS:
		options->connections = parse_number(arg);
		break;
	case ID_MESSAGES:
		options->messages = parse_number(arg);
		break;
	case ID_RECIPIENTS:
		options->recipients = parse_number(arg);
		break;
	case ID_CONTENT:
		options->content = arg;
		break;
	case ID_FROM_FILE:
		options->from_file = true;
		break;
	case ID_USER:
		options->user = arg;
		break;
	case ID_PASSWORD:
		options->password = arg;
		break;
	case ID_LEVEL:
		options->level = arg;
		break;
	case ID_WINDOW:
		options->window = parse_number(arg);
		break;
	case ID_NO_CHUNKING:
		options->no_chunking = true;
		break;
	case ID_RESUME:
		options->resume = true;
		break;
	case ID_HOLD:
		options->hold = true;
		break;
	default:
		fputs(help, stderr);
		exit(EXIT_FAILURE);
	}
}

void
bench_options_parse(int argc, char **argv, struct bench_options *options)
{
	int id;

	memset(options, 0, sizeof(*options));
	options->connections = options->messages = options->recipients = 1;
	options->level = "standard";
	options->window = 16;
	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(options, id, optarg);
	if (optind < argc || options->port == 0 || options->ca == NULL)
		set_option(options, '?', NULL);
}

/* One line with its CRLF; some have a dot in front. */
static void
put_line(char *data, size_t len, size_t n)
{
	memset(data, 'a' + (int)(n % 26), len - 2);
	if (n % 16 == 15)
		data[0] = '.';
	memcpy(data + len - 2, "\r\n", 2);
}

static char *
make_content(void)
{
	static const char header[] = "From: <" BENCH_SENDER ">\r\n"
				     "Subject: benchmark\r\n\r\n";
	char *data = malloc(CONTENT_LEN);
	size_t at = sizeof(header) - 1, len, n;

	if (data == NULL)
		bench_fail("content", "out of memory");
	memcpy(data, header, at);
	for (n = 0; at < CONTENT_LEN; at += len, n++) {
		len = CONTENT_LEN - at;
		if (len > LINE_LEN + 2)
			len = LINE_LEN;
		put_line(data + at, len, n);
	}
	return data;
}

void
bench_content_open(
    const struct bench_options *options, struct bench_content *content)
{
	struct stat st;

	content->fd = -1;
	if (options->content == NULL) {
		content->data = make_content();
		content->len = CONTENT_LEN;
		return;
	}
	content->fd = open(options->content, O_RDONLY | O_CLOEXEC);
	if (content->fd < 0 || fstat(content->fd, &st) < 0)
		bench_fail(options->content, strerror(errno));
	content->len = (size_t)st.st_size;
	content->data = NULL;
	if (options->from_file)
		return;
	content->data = mmap(
	    NULL, content->len, PROT_READ, MAP_PRIVATE, content->fd, 0);
	if (content->data == MAP_FAILED)
		bench_fail(options->content, strerror(errno));
}

void
bench_content_close(struct bench_content *content)
{
	if (content->fd < 0)
		free((char *)content->data);
	else if (content->data != NULL)
		munmap((char *)content->data, content->len);
	if (content->fd >= 0)
		close(content->fd);
}

const char *
bench_recipient(long n)
{
	static char address[64];
	char *p = address + sizeof(address) - sizeof("@example.org");

	/* Digit by digit: printf(3) would cost more than what is measured. */
	memcpy(p, "@example.org", sizeof("@example.org"));
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	*--p = 'a';
	return p;
}

double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

long
bench_memory(const char *name)
{
	char line[256];
	size_t len = strlen(name);
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "re");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			kib = strtol(line + len + 1, NULL, 10);
	}
	fclose(f);
	return kib;
}

void
bench_report(const struct bench_report *report)
{
	printf("{\"seconds\": %.6f, \"accepted\": %ld, \"rss_before\": %ld, "
	       "\"rss_held\": %ld, \"own_held\": %zu, \"resumed\": %ld, "
	       "\"rss_peak\": %ld}\n",
	    bench_now() - report->started, report->accepted, report->rss_before,
	    report->rss_held, report->own_held, report->resumed,
	    bench_memory("VmHWM"));
}
