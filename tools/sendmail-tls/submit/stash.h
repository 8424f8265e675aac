/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SUBMIT_STASH_H
#define SENDMAIL_SUBMIT_STASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"

/*
 * Bytes put aside behind a descriptor that nobody else has: in memory while
 * they are few, since a mail that says that the disk is full must go out, and
 * in an unlinked file from then on.
 */
struct stash {
	int fd;
	bool in_memory;
	uint64_t size;
	uint64_t size_max;
};

/* EX_CANTCREAT. A size_max of 0 is no limit. */
int stash_open(struct stls_err *err, uint64_t size_max, struct stash *stash);

/*
 * EX_DATAERR: more than size_max; EX_CANTCREAT: there can be no file, or none
 * so long; EX_TEMPFAIL: it cannot be written now.
 */
int stash_add(
    struct stls_err *err, struct stash *stash, const void *data, size_t len);

/*
 * Open one and fill it from a descriptor up to its end, or with dot_ends up to
 * a line that is a single dot, then go back to its start. EX_NOINPUT: it
 * cannot be read; EX_TEMPFAIL: the deadline passed.
 */
int stash_read(struct stls_err *err, int fd, bool dot_ends,
    stls_deadline deadline, struct stash *stash);

/* Copes with an fd of -1. */
void stash_done(struct stash *stash);

#endif
