/* SPDX-License-Identifier: MIT */
#include "submit/stash.h"

#include <errno.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "message/input.h"
#include "system/temporary.h"

#define IN_MEMORY_MAX (1024 * 1024)

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
			/* A limit of ours stays, the disk has room later. */
			return stls_err_errno(err,
			    errno == EFBIG ? EX_CANTCREAT : EX_TEMPFAIL, errno,
			    "the file that holds the message cannot be "
			    "written");
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
		stash->fd = temporary_open(err, NULL);
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
	CLEANUP(close_fd) int fd = temporary_open(err, NULL);
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
fill(struct stls_err *err, int fd, bool dot_ends, stls_deadline deadline,
    struct stash *stash)
{
	enum dot dot = DOT_LINE_START;
	char block[65536];
	bool end = false;
	ssize_t n;
	int r = 0;

	while (!end && r == 0) {
		r = input_wait(err, fd, deadline);
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
