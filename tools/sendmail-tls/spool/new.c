/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/eintr.h"
#include "spool/dir.h"
#include "spool/durable.h"
#include "spool/id.h"

static int
failed(struct stls_err *err, const struct spool_new *new_file)
{
	return stls_err_errno(
	    err, EX_CANTCREAT, errno, "spool %s", new_file->spool->path);
}

static int
write_out(struct stls_err *err, struct spool_new *new_file, const void *data,
    size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(new_file->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(err, new_file);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
spool_new_begin(struct stls_err *err, const struct spool *spool,
    uint64_t content_len, struct spool_new *new_file)
{
	char id[SPOOL_ID_LEN + 1], head[SPOOL_FILE_HEAD_LEN + 1];
	int r;

	*new_file = (struct spool_new){ .spool = spool, .fd = -1 };
	new_file->left = content_len;
	r = spool_id_make(err, id);
	if (r != 0)
		return r;
	snprintf(new_file->temporary, sizeof(new_file->temporary),
	    SPOOL_TEMPORARY "%s", id);
	new_file->fd = UNINTERRUPTED(openat(spool->queue, new_file->temporary,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
	if (new_file->fd < 0) {
		new_file->temporary[0] = '\0';
		return failed(err, new_file);
	}
	/* So that a sweep knows that somebody is at it. */
	if (flock(new_file->fd, LOCK_EX | LOCK_NB) < 0)
		return failed(err, new_file);
	spool_file_format_head(content_len, head);
	return write_out(err, new_file, head, SPOOL_FILE_HEAD_LEN);
}

int
spool_new_write(struct stls_err *err, struct spool_new *new_file,
    const void *data, size_t len)
{
	if (len > new_file->left)
		return stls_err_set(err, EX_SOFTWARE,
		    "the content is longer than it was before");
	new_file->left -= len;
	return write_out(err, new_file, data, len);
}

/*
 * The content is on the disk before the name is, and the name before anybody
 * is told. The lock goes first: a run that is started by the new name would
 * pass over a message that is locked.
 */
static int
publish(struct stls_err *err, struct spool_new *new_file, const char *id)
{
	int queue = new_file->spool->queue;
	int fd = new_file->fd;

	if (durable_file(fd) < 0)
		return failed(err, new_file);
	new_file->fd = -1;
	if (close(fd) < 0 && errno != EINTR)
		return failed(err, new_file);
	if (renameat(queue, new_file->temporary, queue, id) < 0)
		return failed(err, new_file);
	/* From now on it is this that a failure has to take back. */
	snprintf(new_file->temporary, sizeof(new_file->temporary), "%s", id);
	if (durable_folder(queue) < 0)
		return failed(err, new_file);
	new_file->temporary[0] = '\0';
	return 0;
}

int
spool_new_commit(struct stls_err *err, struct spool_new *new_file,
    const struct stls_buf *records, char out_id[SPOOL_ID_LEN + 1])
{
	char id[SPOOL_ID_LEN + 1];
	int r;

	if (new_file->left > 0)
		return stls_err_set(err, EX_SOFTWARE,
		    "the content is shorter than it was before");
	snprintf(id, sizeof(id), "%s",
	    new_file->temporary + strlen(SPOOL_TEMPORARY));
	r = write_out(err, new_file, "\n", 1);
	if (r == 0)
		r = write_out(err, new_file, stls_buf_data(records),
		    stls_buf_len(records));
	if (r == 0)
		r = publish(err, new_file, id);
	if (r == 0)
		memcpy(out_id, id, sizeof(id));
	return r;
}

void
spool_new_done(struct spool_new *new_file)
{
	if (new_file->spool == NULL)
		return;
	if (new_file->temporary[0] != '\0')
		unlinkat(new_file->spool->queue, new_file->temporary, 0);
	if (new_file->fd >= 0)
		close(new_file->fd);
	*new_file = (struct spool_new){ .fd = -1 };
}
