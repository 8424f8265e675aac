/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "command.h"
#include "line.h"
#include "prompt.h"

/* What a password manager gets where --timeout sets no limit, or a FIFO. */
#define PASSWORD_TIMEOUT_MS 60000

static int
check_file(struct stls_err *err, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return stls_err_errno(err, EX_CONFIG, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return stls_err_set(
		    err, EX_CONFIG, "%s is a directory, not a file", path);
	/* As ssh(1) does with keys: a shared secret is none. */
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return stls_err_set(err, EX_CONFIG,
		    "password file %s is open to others (mode %04o): chmod 600",
		    path, (unsigned int)(st.st_mode & 07777));
	return 0;
}

/* Only a FIFO or a terminal lets one wait. */
static int
wait_readable(
    struct stls_err *err, int fd, const char *path, stls_deadline deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	do {
		n = poll(&pfd, 1, stls_deadline_left_ms(deadline));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return stls_err_errno(
		    err, EX_CONFIG, errno, "password file %s", path);
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "password file %s: nothing was written to it in time",
		    path);
	return 0;
}

static int
read_file(struct stls_err *err, const char *path, stls_deadline deadline,
    struct stls_secret *out)
{
	CLEANUP(first_line_done) struct first_line line = { 0 };
	CLEANUP(close_fd) int fd = -1;
	char chunk[512];
	ssize_t n;
	int r;

	/* O_NONBLOCK: opening a FIFO that nobody writes to must not wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return stls_err_errno(
		    err, EX_CONFIG, errno, "password file %s", path);
	r = check_file(err, fd, path);
	if (r != 0)
		return r;
	while (!line.is_complete && !line.is_too_long) {
		r = wait_readable(err, fd, path, deadline);
		if (r != 0)
			return r;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return stls_err_errno(
			    err, EX_CONFIG, errno, "password file %s", path);
		if (n == 0)
			break;
		first_line_add(&line, chunk, (size_t)n);
		stls_wipe(chunk, (size_t)n);
	}
	return first_line_take(err, path, &line, out);
}

static int
ask(struct stls_err *err, const struct settings *settings,
    struct stls_secret *out)
{
	char question[512], user[200], server[200];

	stls_escape(user, sizeof(user), settings->user, strlen(settings->user));
	stls_escape(
	    server, sizeof(server), settings->url, strlen(settings->url));
	snprintf(
	    question, sizeof(question), "password of %s at %s: ", user, server);
	return prompt_secret(err, question, settings->deadline, out);
}

int
credentials_get(struct stls_err *err, const struct settings *settings,
    const struct identity *identity, struct stls_secret *out_password)
{
	stls_deadline deadline = stls_deadline_first(
	    settings->deadline, stls_deadline_in(PASSWORD_TIMEOUT_MS));

	const char *value = settings->password.value;

	switch (settings->password.source) {
	case PASSWORD_FILE:
		return read_file(err, value, deadline, out_password);
	case PASSWORD_COMMAND:
		return command_first_line(err, "the password command", value,
		    identity, deadline, out_password);
	case PASSWORD_GIVEN:
		if (stls_secret_set(out_password, value, strlen(value)) < 0)
			return stls_err_set(err, EX_OSERR, "out of memory");
		return 0;
	default:
		break;
	}
	if (settings->dry_run)
		return 0;
	return ask(err, settings, out_password);
}
