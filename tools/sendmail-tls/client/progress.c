/* SPDX-License-Identifier: MIT */
#include "client/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is smaller is gone before anybody has read it. */
#define LARGE ((uint64_t)1 << 20)

#define INTERVAL_MS 200

static double
in_mib(uint64_t octets)
{
	return (double)octets / (double)LARGE;
}

int
progress_format(
    char *out, size_t cap, uint64_t sent, uint64_t total, int64_t elapsed_ms)
{
	int percent = total > 0 ? (int)(100.0 * in_mib(sent) / in_mib(total))
				: 100;

	if (sent >= total)
		return snprintf(
		    out, cap, PROGRAM ": 100 %%, waiting for the answer");
	if (elapsed_ms <= 0)
		return snprintf(out, cap, PROGRAM ": %d %%, %.1f of %.1f MiB",
		    percent, in_mib(sent), in_mib(total));
	return snprintf(out, cap,
	    PROGRAM ": %d %%, %.1f of %.1f MiB, %.1f MiB/s", percent,
	    in_mib(sent), in_mib(total),
	    1000.0 * in_mib(sent) / (double)elapsed_ms);
}

/* Over what stands there, so blanks have to follow where that is longer. */
static void
draw(struct progress *progress, const char *line, int len)
{
	fprintf(stderr, "\r%-*s", progress->width > len ? progress->width : len,
	    line);
	fflush(stderr);
	progress->width = len;
}

static void
show(uint64_t sent, void *arg)
{
	struct progress *progress = arg;
	bool is_done = sent >= progress->total;
	char line[128];
	int len;

	if (!is_done && stls_deadline_left_ms(progress->next) > 0)
		return;
	progress->next = stls_deadline_in(INTERVAL_MS);
	len = progress_format(line, sizeof(line), sent, progress->total,
	    stls_now_ms() - progress->began_ms);
	draw(progress, line, len);
}

/* Whose terminal it is: a job in the background must not draw on it. */
static bool
is_in_front(void)
{
	return isatty(STDERR_FILENO) && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

void
progress_begin(struct progress *progress, const struct settings *settings,
    struct smtptls_message *message, uint64_t total)
{
	memset(progress, 0, sizeof(*progress));
	if (total <= LARGE || settings->verbose || !is_in_front())
		return;
	progress->is_on = true;
	progress->total = total;
	progress->began_ms = stls_now_ms();
	progress->next = stls_deadline_in(0);
	smtptls_message_set_progress(message, show, progress);
}

void
progress_end(struct progress *progress)
{
	if (progress->is_on && progress->width > 0)
		fprintf(stderr, "\r%*s\r", progress->width, "");
	progress->is_on = false;
}
