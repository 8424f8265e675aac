/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_DURABLE_H
#define SENDMAIL_SPOOL_DURABLE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * What it takes for something to be there after the power failed. All answer 0,
 * or -1 with errno.
 */

/* Content and length of a file. */
int durable_file(int fd);

/* The same, where only what was appended is new. */
int durable_data(int fd);

/* The names in a folder. */
int durable_folder(int fd);

/* Write everything, at an offset; what was written before a failure stays. */
int durable_write_at(int fd, const void *data, size_t len, off_t offset);

#endif
