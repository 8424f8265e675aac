/* SPDX-License-Identifier: MIT */
#include "spool/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
durable_file(int fd)
{
	int r;

#ifdef F_FULLFSYNC
	/* fsync(2) of macOS leaves it in the cache of the drive. */
	if (fcntl(fd, F_FULLFSYNC) == 0)
		return 0;
#endif
	do {
		r = fsync(fd);
	} while (r < 0 && errno == EINTR);
	return r;
}

int
durable_data(int fd)
{
#if defined(_POSIX_SYNCHRONIZED_IO) && _POSIX_SYNCHRONIZED_IO > 0 &&           \
    !defined(F_FULLFSYNC)
	int r;

	do {
		r = fdatasync(fd);
	} while (r < 0 && errno == EINTR);
	return r;
#else
	return durable_file(fd);
#endif
}

int
durable_folder(int fd)
{
	/* Some file systems cannot, and have nothing to do either. */
	if (durable_file(fd) == 0 || errno == EINVAL)
		return 0;
	return -1;
}

int
durable_write_at(int fd, const void *data, size_t len, off_t offset)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, p, len, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}
