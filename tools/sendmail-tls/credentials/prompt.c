/* SPDX-License-Identifier: MIT */
#include "credentials/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "credentials/line.h"
#include "system/process.h"

#define TERMINAL "/dev/tty"

static void
say(int tty, const char *text)
{
	/* A terminal that takes nothing does not answer either. */
	if (write(tty, text, strlen(text)) < 0)
		return;
}

/* Wait until something was typed, the deadline passes or a signal comes. */
static int
wait_for_key(
    struct stls_err *err, int tty, stls_deadline deadline, const sigset_t *mask)
{
	int left_ms = stls_deadline_left_ms(deadline);
	struct timespec timeout = {
		.tv_sec = left_ms / 1000,
		.tv_nsec = (long)(left_ms % 1000) * 1000000,
	};
	struct pollfd pfd = { .fd = tty, .events = POLLIN };
	int n;

	n = ppoll(&pfd, 1, left_ms >= 0 ? &timeout : NULL, mask);
	if (process_watch_was_hit())
		return stls_err_set(err, EX_TEMPFAIL, "interrupted");
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "no password was typed within the time that --timeout "
		    "gives");
	return 0;
}

static int
read_line(struct stls_err *err, int tty, stls_deadline deadline,
    const sigset_t *mask, struct first_line *line)
{
	char chunk[128];
	ssize_t n;
	int r;

	while (!line->is_complete) {
		r = wait_for_key(err, tty, deadline, mask);
		if (r != 0)
			return r;
		n = read(tty, chunk, sizeof(chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return stls_err_errno(err, EX_CONFIG, errno, TERMINAL);
		if (n == 0)
			break;
		first_line_add(line, chunk, (size_t)n);
		stls_wipe(chunk, (size_t)n);
	}
	return 0;
}

static int
ask_without_echo(struct stls_err *err, int tty, const char *question,
    stls_deadline deadline, struct first_line *line)
{
	struct process_watch watch;
	struct termios before, silent;
	int r;

	/* From here on a signal waits until echo is on again. */
	process_watch_begin(&watch);
	if (tcgetattr(tty, &before) < 0) {
		process_watch_end(&watch);
		return stls_err_errno(err, EX_CONFIG, errno, TERMINAL);
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	tcsetattr(tty, TCSAFLUSH, &silent);
	say(tty, question);
	r = read_line(err, tty, deadline, &watch.poll_mask, line);
	say(tty, "\n");
	tcsetattr(tty, TCSAFLUSH, &before);
	process_watch_end(&watch);
	return r;
}

int
prompt_secret(struct stls_err *err, const char *question,
    stls_deadline deadline, struct stls_secret *out_secret)
{
	CLEANUP(close_fd) int tty = -1;
	CLEANUP(first_line_done) struct first_line line = { 0 };
	int r;

	tty = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0)
		return stls_err_set(err, EX_CONFIG,
		    "there is no password and no terminal to ask on: use "
		    "--password-file or --password-command");
	r = ask_without_echo(err, tty, question, deadline, &line);
	if (r != 0)
		return r;
	if (line.len == 0)
		return stls_err_set(err, EX_CONFIG, "no password was typed in");
	return first_line_take(err, "password", &line, out_secret);
}
