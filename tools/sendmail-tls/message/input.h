/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_INPUT_H
#define SENDMAIL_MESSAGE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"

/*
 * A text that comes from a descriptor, from where that stands to its end, or
 * with dot_ends to a line that is a single dot, whatever kind it is and
 * blocking or not. It is read in pieces: its length takes no memory.
 */
struct input {
	int fd;
	bool dot_ends;
	stls_deadline deadline;

	char *data;
	size_t begin, end; /* what has been read and not given out */
	bool in_line;	   /* begin is not the start of a line */
	bool is_at_end;	   /* there is no more to read */
	bool has_ended;	   /* nor to give out */
};

/* The descriptor is borrowed. */
void input_init(
    struct input *input, int fd, bool dot_ends, stls_deadline deadline);

/*
 * Get the next piece, lent until the next call; *out_len is 0 at the end only.
 * Reading stops at the dot.
 *
 * EX_NOINPUT: it cannot be read; EX_TEMPFAIL: the deadline passed; EX_OSERR:
 * memory ran out.
 */
int input_next(struct stls_err *err, struct input *input, const char **out_text,
    size_t *out_len);

/* Wait until it can be read. EX_NOINPUT; EX_TEMPFAIL: the deadline passed. */
int input_wait(struct stls_err *err, int fd, stls_deadline deadline);

/* Read to the end, for a writer who would die of a pipe that is closed. */
void input_drain(struct input *input);

/* Free; copes with a zeroed struct. */
void input_done(struct input *input);

#endif
