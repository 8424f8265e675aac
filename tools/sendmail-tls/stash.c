/* SPDX-License-Identifier: MIT */
#include "stash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"

#define IN_MEMORY_MAX (1024 * 1024)

/* Not /tmp before the others: it is memory on many systems. */
static const char *const templates[] = {
	"/var/tmp/sendmail-tls-XXXXXX",
	"/tmp/sendmail-tls-XXXXXX",
};

static int
open_unlinked(const char *template)
{
	char path[64];
	size_t i;
	int fd;

	for (i = 0; template[i] != '\0'; i++)
		path[i] = template[i];
	path[i] = '\0';
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int
open_file(struct stls_err *err)
{
	size_t i;
	int fd = -1;

	for (i = 0; i < sizeof(templates) / sizeof(templates[0]) && fd < 0; i++)
		fd = open_unlinked(templates[i]);
	if (fd < 0)
		stls_err_errno(err, EX_CANTCREAT, errno,
		    "a temporary file in /var/tmp or /tmp");
	return fd;
}

static int
open_memory(void)
{
#ifdef MFD_CLOEXEC
	return memfd_create("sendmail-tls", MFD_CLOEXEC);
#else
	return -1;
#endif
}

static int
write_all(struct stls_err *err, int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stls_err_errno(err, EX_CANTCREAT, errno,
			    "the temporary file of the message");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int
stash_open(struct stls_err *err, uint64_t size_max, struct stash *stash)
{
	stash->size = 0;
	stash->size_max = size_max;
	stash->fd = open_memory();
	stash->in_memory = stash->fd >= 0;
	if (!stash->in_memory)
		stash->fd = open_file(err);
	return stash->fd >= 0 ? 0 : err->code;
}

static int
copy(struct stls_err *err, int from, int to, uint64_t size)
{
	char block[16384];
	uint64_t done = 0;
	ssize_t n;
	int r = 0;

	while (done < size && r == 0) {
		n = pread(from, block, sizeof(block), (off_t)done);
		if (n <= 0)
			return stls_err_errno(err, EX_OSERR,
			    n < 0 ? errno : EIO, "the message in memory");
		r = write_all(err, to, block, (size_t)n);
		done += (uint64_t)n;
	}
	return r;
}

static int
leave_memory(struct stls_err *err, struct stash *stash)
{
	CLEANUP(close_fd) int fd = open_file(err);
	int r;

	if (fd < 0)
		return err->code;
	r = copy(err, stash->fd, fd, stash->size);
	if (r != 0)
		return r;
	close(stash->fd);
	stash->fd = fd;
	fd = -1;
	stash->in_memory = false;
	return 0;
}

int
stash_add(
    struct stls_err *err, struct stash *stash, const void *data, size_t len)
{
	int r = 0;

	if (stash->size_max != 0 && len > stash->size_max - stash->size)
		return stls_err_set(err, EX_DATAERR,
		    "the message has more than the %llu bytes that are allowed",
		    (unsigned long long)stash->size_max);
	if (stash->in_memory && stash->size + len > IN_MEMORY_MAX)
		r = leave_memory(err, stash);
	if (r == 0)
		r = write_all(err, stash->fd, data, len);
	if (r == 0)
		stash->size += len;
	return r;
}

/* How much of a line that is a single dot has come. */
enum dot {
	DOT_LINE_START,
	DOT_SEEN,
	DOT_CR_SEEN,
	DOT_NONE,
};

static bool
has_lone_dot(enum dot *dot, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] == '\n') {
			if (*dot == DOT_SEEN || *dot == DOT_CR_SEEN)
				return true;
			*dot = DOT_LINE_START;
		} else if (data[i] == '.' && *dot == DOT_LINE_START) {
			*dot = DOT_SEEN;
		} else if (data[i] == '\r' && *dot == DOT_SEEN) {
			*dot = DOT_CR_SEEN;
		} else {
			*dot = DOT_NONE;
		}
	}
	return false;
}

static int
wait_readable(struct stls_err *err, int fd, stls_deadline deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	do {
		n = poll(&pfd, 1, stls_deadline_left_ms(deadline));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return stls_err_errno(err, EX_NOINPUT, errno, "standard input");
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "standard input: the message is not complete within the "
		    "time that --timeout gives");
	return 0;
}

static int
fill(struct stls_err *err, int fd, bool dot_ends, stls_deadline deadline,
    struct stash *stash)
{
	enum dot dot = DOT_LINE_START;
	char block[65536];
	bool end = false;
	ssize_t n;
	int r = 0;

	while (!end && r == 0) {
		r = wait_readable(err, fd, deadline);
		if (r != 0)
			return r;
		n = read(fd, block, sizeof(block));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return stls_err_errno(
			    err, EX_NOINPUT, errno, "standard input");
		end = n == 0 ||
		    (dot_ends && has_lone_dot(&dot, block, (size_t)n));
		r = stash_add(err, stash, block, (size_t)n);
	}
	return r;
}

int
stash_read(struct stls_err *err, int fd, bool dot_ends, stls_deadline deadline,
    struct stash *stash)
{
	int r;

	r = stash_open(err, 0, stash);
	if (r == 0)
		r = fill(err, fd, dot_ends, deadline, stash);
	if (r == 0 && lseek(stash->fd, 0, SEEK_SET) < 0)
		r = stls_err_errno(err, EX_OSERR, errno, "lseek");
	return r;
}

void
stash_done(struct stash *stash)
{
	close_fd(&stash->fd);
	stash->fd = -1;
}
