/* SPDX-License-Identifier: MIT */
#include "conversation/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define MAIL_BUF_SIZE 32768
#define PATH_SIZE (SINK_NAME_MAX + 8)

static int
make_dir(struct stls_err *err, int at, const char *path)
{
	if (mkdirat(at, path, 0700) < 0 && errno != EEXIST)
		return stls_err_errno(
		    err, SMTPTLS_E_IO, errno, "folder %s", path);
	return SMTPTLS_OK;
}

int
sink_maildir_open(struct stls_err *err, const char *path, int *out_dir)
{
	static const char *const folders[] = { "tmp", "new", "cur" };
	CLEANUP(close_fd) int dir = -1;
	size_t i;
	int r;

	r = make_dir(err, AT_FDCWD, path);
	if (r < 0)
		return r;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return stls_err_errno(err, SMTPTLS_E_IO, errno, "%s", path);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		r = make_dir(err, dir, folders[i]);
		if (r < 0)
			return stls_err_prefix(err, "%s", path);
	}
	*out_dir = dir;
	dir = -1;
	return SMTPTLS_OK;
}

void
sink_mail_init(struct sink_mail *mail, int dir)
{
	memset(mail, 0, sizeof(*mail));
	mail->dir = dir;
	mail->fd = -1;
}

/* Time, process and a count: the way of maildir(5) to an unused name. */
static void
choose_name(struct sink_mail *mail)
{
	static unsigned long count;
	struct timeval now;

	gettimeofday(&now, NULL);
	snprintf(mail->name, sizeof(mail->name),
	    "%lld.M%06ldP%ldQ%lu.localhost", (long long)now.tv_sec,
	    (long)now.tv_usec, (long)getpid(), ++count);
}

static void
path_in(char *path, const char *folder, const struct sink_mail *mail)
{
	snprintf(path, PATH_SIZE, "%s/%s", folder, mail->name);
}

int
sink_mail_begin(struct sink_mail *mail)
{
	char path[PATH_SIZE];

	if (mail->dir < 0)
		return SMTPTLS_OK;
	choose_name(mail);
	mail->used = 0;
	mail->has_failed = false;
	mail->buf = stls_alloc(MAIL_BUF_SIZE);
	if (mail->buf == NULL)
		return SMTPTLS_E_NOMEM;
	path_in(path, "tmp", mail);
	mail->fd = openat(mail->dir, path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (mail->fd >= 0)
		return SMTPTLS_OK;
	free(TAKE(mail->buf));
	return SMTPTLS_E_IO;
}

static void
write_out(struct sink_mail *mail, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0 && !mail->has_failed) {
		n = write(mail->fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			mail->has_failed = true;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

static void
flush(struct sink_mail *mail)
{
	write_out(mail, mail->buf, mail->used);
	mail->used = 0;
}

void
sink_mail_write(struct sink_mail *mail, const void *data, size_t len)
{
	if (mail->fd < 0 || len == 0)
		return;
	if (len > MAIL_BUF_SIZE - mail->used)
		flush(mail);
	if (len > MAIL_BUF_SIZE) {
		write_out(mail, data, len);
		return;
	}
	memcpy(mail->buf + mail->used, data, len);
	mail->used += len;
}

static int
publish(struct sink_mail *mail)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	int fd = mail->fd;

	flush(mail);
	mail->fd = -1;
	if (close(fd) < 0 || mail->has_failed)
		return SMTPTLS_E_IO;
	path_in(from, "tmp", mail);
	path_in(to, "new", mail);
	return renameat(mail->dir, from, mail->dir, to) < 0 ? SMTPTLS_E_IO
							    : SMTPTLS_OK;
}

static void
remove_tmp(struct sink_mail *mail)
{
	char path[PATH_SIZE];

	path_in(path, "tmp", mail);
	unlinkat(mail->dir, path, 0);
}

int
sink_mail_commit(struct sink_mail *mail)
{
	int r;

	if (mail->fd < 0)
		return SMTPTLS_OK;
	r = publish(mail);
	if (r < 0)
		remove_tmp(mail);
	free(TAKE(mail->buf));
	return r;
}

void
sink_mail_abort(struct sink_mail *mail)
{
	if (mail->fd < 0)
		return;
	close(mail->fd);
	mail->fd = -1;
	remove_tmp(mail);
	free(TAKE(mail->buf));
}
