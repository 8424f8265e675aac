/* SPDX-License-Identifier: MIT */
#include "narrow-linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Landlock, of which headers know less than kernels: the numbers are those of
 * linux/landlock.h, and are the same on each architecture.
 */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define RULE_PATH_BENEATH 1
#define CREATE_RULESET_VERSION 1u

#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)

#define OF_A_FILE (FS_WRITE_FILE | FS_TRUNCATE)
#define OF_A_FOLDER (OF_A_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_REFER)

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* All that each version of the interface can refuse. */
static void
demand_all(struct ruleset *ruleset, long version)
{
	/* Up to making symlinks; then REFER, TRUNCATE, IOCTL_DEV. */
	ruleset->fs = (UINT64_C(1) << 14) - 1;
	if (version >= 3)
		ruleset->fs |= FS_TRUNCATE;
	if (version >= 5)
		ruleset->fs |= UINT64_C(1) << 15;
	/* To bind TCP, to connect it. */
	ruleset->net = version >= 4 ? 3 : 0;
	/* Abstract unix sockets, and signals. */
	ruleset->scoped = version >= 6 ? 3 : 0;
}

static int
allow(int ruleset_fd, const struct ruleset *ruleset,
    const struct narrow_place *place)
{
	struct path_beneath rule = { 0, -1 };
	long r;
	int fd;

	fd = open(place->path, O_PATH | O_CLOEXEC);
	/* What is not there cannot be written to. */
	if (fd < 0)
		return 0;
	rule.allowed = ruleset->fs &
	    (place->is_folder ? OF_A_FOLDER : OF_A_FILE);
	rule.parent_fd = fd;
	r = syscall(
	    SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0u);
	/* A pipe is of no file system: it needs no rule. */
	r = r < 0 && errno != EBADFD ? -errno : 0;
	close(fd);
	return (int)r;
}

static int
restrict_to(int ruleset_fd, const struct ruleset *ruleset,
    const struct narrow_place *places, size_t count)
{
	size_t i;
	int r;

	for (i = 0; i < count; i++) {
		r = places[i].path != NULL
		    ? allow(ruleset_fd, ruleset, &places[i])
		    : 0;
		if (r < 0)
			return r;
	}
	r = narrow_no_new_privileges();
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset_fd, 0u) < 0)
		r = -errno;
	return r;
}

int
narrow_files(const struct narrow_place *places, size_t count)
{
	struct ruleset ruleset = { 0, 0, 0 };
	long version, fd;
	int r;

	if (NARROW_INSTRUMENTED)
		return 0;
	version = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (version < 0)
		return narrow_lacks(errno);
	/* The first one lets no file go from tmp to new. */
	if (version < 2)
		return 0;
	demand_all(&ruleset, version);
	fd = syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	if (fd < 0)
		return narrow_lacks(errno);
	r = restrict_to((int)fd, &ruleset, places, count);
	close((int)fd);
	return r < 0 ? narrow_lacks(-r) : 0;
}
