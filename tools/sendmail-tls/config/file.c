/* SPDX-License-Identifier: MIT */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/eintr.h"

enum config_opened
config_file_open(struct stls_err *err, const char *what, const char *path,
    struct stat *out_st, int *out_fd)
{
	/* O_NONBLOCK: what is no file shall not make anybody wait. */
	int fd = UNINTERRUPTED(
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));

	if (fd < 0) {
		stls_err_errno(err, EX_CONFIG, errno, "%s %s", what, path);
		if (errno == EACCES)
			return CONFIG_OUT_OF_REACH;
		return errno == ENOENT || errno == ENOTDIR ? CONFIG_ABSENT
							   : CONFIG_BROKEN;
	}
	*out_fd = fd;
	if (fstat(fd, out_st) < 0) {
		stls_err_errno(err, EX_CONFIG, errno, "%s %s", what, path);
		return CONFIG_BROKEN;
	}
	return CONFIG_OPENED;
}

bool
config_file_is_foreign(const struct stat *st)
{
	return st->st_uid != 0 && st->st_uid != getuid();
}

int
config_file_check(struct stls_err *err, const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return stls_err_set(
		    err, EX_CONFIG, "%s is not a regular file", path);
	if (config_file_is_foreign(st))
		return stls_err_set(err, EX_CONFIG,
		    "%s belongs to user %ld, who is neither root nor you: "
		    "chown it",
		    path, (long)st->st_uid);
	if ((st->st_mode & 022) != 0)
		return stls_err_set(err, EX_CONFIG,
		    "%s can be changed by others (mode %04o): chmod go-w %s",
		    path, (unsigned int)(st->st_mode & 07777), path);
	return 0;
}

int
config_file_check_secret(
    struct stls_err *err, const char *path, const struct stat *st)
{
	if ((st->st_mode & 077) == 0)
		return 0;
	return stls_err_set(err, EX_CONFIG,
	    "%s has a password in it and is open to others (mode %04o): chmod "
	    "600 %s",
	    path, (unsigned int)(st->st_mode & 07777), path);
}

int
config_file_read(
    struct stls_err *err, int fd, const char *path, struct stls_buf *text)
{
	unsigned char *place;
	ssize_t n;

	for (;;) {
		if (stls_buf_room(text) == 0)
			return stls_err_set(err, EX_CONFIG,
			    "%s is longer than %zu bytes", path, text->max - 1);
		place = stls_buf_reserve(text, 1);
		if (place == NULL)
			return stls_err_set(err, EX_OSERR, "out of memory");
		n = read(fd, place, text->cap - text->tail);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stls_err_errno(
			    err, EX_CONFIG, errno, "%s", path);
		if (n == 0)
			return 0;
		stls_buf_commit(text, (size_t)n);
	}
}

int
config_file_load(struct stls_err *err, const char *what, const char *path,
    bool has_secret, struct stls_buf *text)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;
	int r;

	if (config_file_open(err, what, path, &st, &fd) != CONFIG_OPENED)
		return EX_CONFIG;
	r = config_file_check(err, path, &st);
	if (r == 0 && has_secret)
		r = config_file_check_secret(err, path, &st);
	return r == 0 ? config_file_read(err, fd, path, text) : r;
}
