/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_CONTENT_H
#define SENDMAIL_MESSAGE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smtptls/message.h>

#include "base/err.h"

/* What is longer goes to a file. */
#define CONTENT_MEMORY_MAX ((size_t)1 << 20)

/*
 * The content of a message as it is sent, header and body: in memory while it
 * is small, then in a file without a name, so that a message of any size takes
 * the same memory. Or a part of a file that somebody else has, as a spool.
 * Zero-initialised it is empty.
 */
struct content {
	char *data; /* while it is in memory, or a copy of what is small */
	size_t cap;
	bool is_in_file;
	bool is_borrowed; /* the descriptor is not ours to close */
	int fd;
	uint64_t start;	 /* where it begins in the file */
	uint64_t size;	 /* in octets, line ends as they are */
	uint64_t offset; /* what content_read() has given out */
};

/*
 * Append. When it has to leave memory the file is made in `folder`, which may
 * be NULL, or where that cannot be, in /var/tmp or /tmp.
 *
 * EX_OSERR: memory ran out; EX_CANTCREAT: no file can be made; EX_TEMPFAIL:
 * the disk is full, or what else kept it from being written.
 */
int content_append(struct stls_err *err, struct content *content,
    const char *folder, const void *data, size_t len);

/*
 * Take `size` octets of a regular file, from `start` on, for the content. The
 * descriptor is borrowed, its position neither used nor changed.
 */
void content_borrow(
    struct content *content, int fd, uint64_t start, uint64_t size);

/*
 * Read on: zero, *out_len is 0 at the end only. EX_TEMPFAIL with errno: the
 * file cannot be read, or has become shorter, then EIO. It fits a
 * smtptls_source_read_cb: zero is SMTPTLS_OK, and all others end a message.
 */
int content_read(
    struct content *content, void *buf, size_t cap, size_t *out_len);

/* Be at the beginning again. */
void content_rewind(struct content *content);

uint64_t content_size(const struct content *content);

/*
 * A descriptor from which it can be read, at its beginning; it stays that of
 * the content, which has been moved to a file if need be.
 */
int content_get_fd(struct stls_err *err, struct content *content,
    const char *folder, int *out_fd);

/*
 * Make it the content of a message of the library, which borrows it: it is not
 * changed or freed before the outcome. What smtptls_message_set_... say, or
 * SMTPTLS_E_SOURCE: its file cannot be read.
 */
int content_give(struct content *content, struct smtptls_message *message);

/* Free, close; copes with a zeroed struct. */
void content_done(struct content *content);

#endif
