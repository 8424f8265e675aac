/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/eintr.h"
#include "spool/dir.h"
#include "spool/durable.h"

static int
failed(struct stls_err *err, int status, const struct spool_file *file)
{
	return stls_err_errno(err, status, errno, "spool %s: message %s",
	    file->spool->path, file->id);
}

static int
broken(struct stls_err *err, const struct spool_file *file, const char *why)
{
	return stls_err_set(err, EX_DATAERR, "spool %s: message %s: %s",
	    file->spool->path, file->id, why);
}

static int
check_kind(struct stls_err *err, const struct spool_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return failed(err, EX_NOINPUT, file);
	if (!S_ISREG(st.st_mode))
		return broken(err, file, "it is no regular file");
	if (st.st_uid != geteuid())
		return broken(err, file, "it belongs to somebody else");
	return 0;
}

static int
open_file(struct stls_err *err, const struct spool *spool, const char *id,
    int mode, struct spool_file *file)
{
	*file = (struct spool_file){ .spool = spool, .fd = -1 };
	snprintf(file->id, sizeof(file->id), "%s", id);
	file->fd = UNINTERRUPTED(openat(spool->queue, id,
	    mode | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	if (file->fd >= 0)
		return check_kind(err, file);
	if (errno == ENOENT)
		return 0;
	if (errno == ELOOP || errno == EMLINK)
		return broken(err, file, "it is a symbolic link");
	return failed(err, EX_CANTCREAT, file);
}

/*
 * It may have been removed, or another put in its place, before the lock: then
 * it is closed.
 */
static int
check_name(struct stls_err *err, struct spool_file *file)
{
	struct stat here, there = { 0 };

	if (fstat(file->fd, &here) < 0 ||
	    (fstatat(file->spool->queue, file->id, &there,
		 AT_SYMLINK_NOFOLLOW) < 0 &&
		errno != ENOENT))
		return failed(err, EX_CANTCREAT, file);
	if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
		spool_file_close(file);
	return 0;
}

int
spool_file_lock(struct stls_err *err, const struct spool *spool, const char *id,
    struct spool_file *file)
{
	int r;

	r = open_file(err, spool, id, O_RDWR, file);
	if (r == 0 && file->fd >= 0 && flock(file->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			r = failed(err, EX_CANTCREAT, file);
		else
			spool_file_close(file);
	}
	if (r == 0 && file->fd >= 0)
		r = check_name(err, file);
	if (r != 0)
		spool_file_close(file);
	return r;
}

int
spool_file_open(struct stls_err *err, const struct spool *spool, const char *id,
    struct spool_file *file)
{
	int r = open_file(err, spool, id, O_RDONLY, file);

	if (r != 0)
		spool_file_close(file);
	return r;
}

void
spool_file_close(struct spool_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* *out_len is what there is of it; less is where the file ends. */
static int
read_some(struct stls_err *err, const struct spool_file *file, void *buf,
    size_t len, off_t offset, size_t *out_len)
{
	char *p = buf;
	ssize_t n;

	*out_len = 0;
	while (*out_len < len) {
		n = pread(file->fd, p + *out_len, len - *out_len,
		    offset + (off_t)*out_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(err, EX_NOINPUT, file);
		if (n == 0)
			break;
		*out_len += (size_t)n;
	}
	return 0;
}

static int
read_at(struct stls_err *err, const struct spool_file *file, void *buf,
    size_t len, off_t offset)
{
	size_t n;
	int r = read_some(err, file, buf, len, offset, &n);

	return r == 0 && n < len
	    ? broken(err, file, "it is shorter than it says")
	    : r;
}

static int
load_head(struct stls_err *err, struct spool_file *file)
{
	char head[SPOOL_FILE_HEAD_LEN];
	struct stat st;
	int r;

	if (fstat(file->fd, &st) < 0)
		return failed(err, EX_NOINPUT, file);
	file->size = st.st_size;
	r = read_at(err, file, head, sizeof(head), 0);
	if (r != 0)
		return r;
	r = spool_file_parse_head(err, head, sizeof(head), &file->content_len);
	if (r != 0)
		return stls_err_prefix(
		    err, "spool %s: message %s", file->spool->path, file->id);
	if (file->content_len > (uint64_t)(file->size - SPOOL_FILE_HEAD_LEN))
		return broken(err, file, "it is shorter than it says");
	return 0;
}

int
spool_file_load(struct stls_err *err, struct spool_file *file,
    struct spool_message *message)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len, used;
	off_t offset;
	int r;

	r = load_head(err, file);
	if (r != 0)
		return r;
	offset = SPOOL_FILE_HEAD_LEN + (off_t)file->content_len;
	if (file->size - offset > (off_t)SPOOL_FILE_RECORDS_MAX)
		return broken(err, file, "it has too many records");
	len = (size_t)(file->size - offset);
	text = stls_alloc(len + 1);
	if (text == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	r = read_some(err, file, text, len, offset, &len);
	if (r != 0)
		return r;
	/* A run may have cut off meanwhile what it had reserved. */
	file->size = offset + (off_t)len;
	r = spool_file_parse(err, text, len, message, &used);
	if (r != 0)
		return stls_err_prefix(
		    err, "spool %s: message %s", file->spool->path, file->id);
	file->end = offset + (off_t)used;
	return 0;
}

int
spool_file_read(struct stls_err *err, const struct spool_file *file,
    uint64_t offset, void *buf, size_t cap, size_t *out_len)
{
	uint64_t left = file->content_len - offset;
	int r;

	if (cap > left)
		cap = (size_t)left;
	r = read_at(err, file, buf, cap, SPOOL_FILE_HEAD_LEN + (off_t)offset);
	if (r == 0)
		*out_len = cap;
	return r;
}

/*
 * What is reserved is blanks in a line that does not end: a tail, to whoever
 * reads it before it was written over.
 */
static int
write_blanks(int fd, off_t offset, size_t len)
{
	char blanks[4096];
	size_t n;

	memset(blanks, ' ', sizeof(blanks));
	for (; len > 0; len -= n, offset += (off_t)n) {
		n = len < sizeof(blanks) ? len : sizeof(blanks);
		if (durable_write_at(fd, blanks, n, offset) < 0)
			return -1;
	}
	return 0;
}

/*
 * Blanks first: what a torn tail, or a write for which there was no place, has
 * left behind there must never look like a record behind a bad one.
 */
static int
write_records(const struct spool_file *file, const struct stls_buf *records,
    off_t end, off_t size, bool durable)
{
	off_t blank_to = file->size > size ? file->size : size;

	if (write_blanks(file->fd, end, (size_t)(blank_to - end)) < 0 ||
	    durable_write_at(file->fd, stls_buf_data(records),
		stls_buf_len(records), file->end) < 0 ||
	    (file->size > size && UNINTERRUPTED(ftruncate(file->fd, size)) < 0))
		return -1;
	return durable ? durable_data(file->fd) : 0;
}

bool
spool_file_has_room(
    const struct spool_file *file, size_t len, unsigned int quarters)
{
	uint64_t used = (uint64_t)file->end - SPOOL_FILE_HEAD_LEN -
	    file->content_len;

	return used + len <= SPOOL_FILE_RECORDS_MAX / 4 * quarters;
}

int
spool_file_append(struct stls_err *err, struct spool_file *file,
    const struct stls_buf *records, size_t reserve, bool durable)
{
	off_t end = file->end + (off_t)stls_buf_len(records);
	off_t size = end + (off_t)reserve;
	int r;

	/* It could not be read again. */
	if (!spool_file_has_room(file, stls_buf_len(records) + reserve, 4))
		return stls_err_set(err, EX_CANTCREAT,
		    "spool %s: message %s: there is no room for more records",
		    file->spool->path, file->id);
	if (write_records(file, records, end, size, durable) < 0) {
		r = failed(err, EX_CANTCREAT, file);
		/* Where even that fails the tail is torn, and ignored. */
		(void)!ftruncate(file->fd, file->size);
		return r;
	}
	file->end = end;
	file->size = size;
	return 0;
}

int
spool_file_remove(struct stls_err *err, const struct spool_file *file)
{
	if (unlinkat(file->spool->queue, file->id, 0) < 0 ||
	    durable_folder(file->spool->queue) < 0)
		return failed(err, EX_CANTCREAT, file);
	return 0;
}

int
spool_file_bury(struct stls_err *err, const struct spool_file *file)
{
	const struct spool *spool = file->spool;

	/* At its new place before it is gone from the old one. */
	if (renameat(spool->queue, file->id, spool->dead, file->id) < 0 ||
	    durable_folder(spool->dead) < 0 || durable_folder(spool->queue) < 0)
		return failed(err, EX_CANTCREAT, file);
	return 0;
}
