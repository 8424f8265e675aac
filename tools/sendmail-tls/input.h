/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_INPUT_H
#define SENDMAIL_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"

/* The text of a message, as it was handed over. */
struct input {
	char *data;
	size_t len;
	size_t cap;
};

/*
 * Read a descriptor from where it stands to its end, or with dot_ends to a
 * line that is a single dot, whatever kind it is and blocking or not.
 *
 * EX_NOINPUT: it cannot be read; EX_TEMPFAIL: the deadline passed; EX_OSERR:
 * memory ran out.
 */
int input_read(struct stls_err *err, int fd, bool dot_ends,
    stls_deadline deadline, struct input *input);

/* Make place for `extra` more bytes behind the text. EX_OSERR. */
int input_reserve(struct stls_err *err, struct input *input, size_t extra);

/* Free; copes with a zeroed struct. */
void input_done(struct input *input);

#endif
