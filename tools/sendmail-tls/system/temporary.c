/* SPDX-License-Identifier: MIT */
#include "system/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/eintr.h"

/* /tmp is last: it may be memory. */
static const char *const folders[] = { "/var/tmp", "/tmp" };

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A file with a name, which it loses at once. */
static int
open_named(const char *folder)
{
	char path[4096];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/.sendmail-tls-XXXXXX", folder);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int
open_unnamed(const char *folder)
{
#ifdef O_TMPFILE
	int fd = UNINTERRUPTED(
	    open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));

	if (fd >= 0)
		return fd;
#endif
	/* Not every file system can do without a name. */
	return open_named(folder);
}

int
temporary_open(struct stls_err *err, const char *folder)
{
	int fd = folder != NULL ? open_unnamed(folder) : -1;
	size_t i;

	for (i = 0; i < ARRAY_LEN(folders) && fd < 0; i++)
		fd = open_unnamed(folders[i]);
	if (fd >= 0)
		return fd;
	stls_err_errno(err, EX_CANTCREAT, errno,
	    "no file for the message can be made in %s",
	    folders[ARRAY_LEN(folders) - 1]);
	return -1;
}
