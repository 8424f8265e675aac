/* SPDX-License-Identifier: MIT */
#ifndef COMMON_NARROW_H
#define COMMON_NARROW_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a command gives up of what its user may do, so that whoever makes it
 * run his code by a fault of it has little of it. The second line of defence:
 * where a system has no such thing, the command does its work without.
 *
 * Each call is 0, also where the system does not know what was asked for or
 * does not let it happen (ENOSYS, EINVAL, EPERM, EOPNOTSUPP), else a negative
 * errno: then the system has it, and it did not work.
 */

/*
 * Nothing of this process for others: no core dump, nobody of the same user
 * reads its memory or traces it, and memory that could be written is never
 * executed. To be called before there is a secret. Programs that it starts
 * make no core dump either, and are free to do the rest.
 */
int narrow_memory(void);

enum narrow_kind {
	/* It connects to servers, and starts no program. */
	NARROW_CLIENT,
	/* Its sockets are open, and it makes no connection. */
	NARROW_SERVER,
};

/*
 * No program is started any more, and no process; no rights are gained; what
 * a mail program never asks of a kernel is refused: other processes' memory,
 * mounts, modules, keys, clocks, sockets but for IP, unix and netlink. For all
 * threads, and it cannot be undone.
 */
int narrow_calls(enum narrow_kind kind);

/*
 * Of the file system only these are left to write to, nothing to read, and
 * TCP sockets are neither bound nor connected. A path of NULL is passed over.
 * What is open stays.
 */
struct narrow_place {
	const char *path;
	bool is_folder; /* files in it are made, renamed and removed, too */
};

int narrow_files(const struct narrow_place *places, size_t count);

#endif
