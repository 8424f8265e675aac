/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"

#define FIRST_CAP 65536

/* Where the search for the dot stands. */
struct lines {
	size_t start;	/* of the line that is not complete */
	size_t scanned; /* no line end between start and here */
};

int
input_reserve(struct stls_err *err, struct input *input, size_t extra)
{
	size_t cap = input->cap;
	char *data;

	if (extra <= cap - input->len)
		return 0;
	cap = cap < FIRST_CAP ? FIRST_CAP : cap * 2;
	if (cap - input->len < extra)
		cap = input->len + extra;
	data = cap > input->cap ? stls_realloc(input->data, cap) : NULL;
	if (data == NULL)
		return stls_err_set(err, EX_OSERR,
		    "out of memory for a message of more than %zu bytes",
		    input->len);
	input->data = data;
	input->cap = cap;
	return 0;
}

static bool
is_lone_dot(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return len == 1 && line[0] == '.';
}

/* Look at the lines that have come in, and cut the text at a lone dot. */
static bool
cut_at_dot(struct input *input, struct lines *lines)
{
	const char *end;
	size_t len;

	for (;;) {
		end = memchr(input->data + lines->scanned, '\n',
		    input->len - lines->scanned);
		if (end == NULL)
			break;
		len = (size_t)(end - input->data) - lines->start;
		if (is_lone_dot(input->data + lines->start, len)) {
			input->len = lines->start;
			return true;
		}
		lines->start = lines->scanned = (size_t)(end - input->data) + 1;
	}
	lines->scanned = input->len;
	return false;
}

static int
wait_readable(struct stls_err *err, int fd, stls_deadline deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	do {
		n = poll(&pfd, 1, stls_deadline_left_ms(deadline));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return stls_err_errno(err, EX_NOINPUT, errno, "standard input");
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "standard input: the message is not complete within the "
		    "time that --timeout gives");
	return 0;
}

/* Read some bytes; *out_end tells that there are no more. */
static int
read_more(struct stls_err *err, int fd, stls_deadline deadline,
    struct input *input, bool *out_end)
{
	ssize_t n;
	int r;

	r = input_reserve(err, input, 1);
	if (r == 0 && deadline != STLS_NEVER)
		r = wait_readable(err, fd, deadline);
	if (r != 0)
		return r;

	n = read(fd, input->data + input->len, input->cap - input->len);
	if (n >= 0) {
		input->len += (size_t)n;
		*out_end = n == 0;
		return 0;
	}
	if (errno == EINTR)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return wait_readable(err, fd, deadline);
	return stls_err_errno(err, EX_NOINPUT, errno, "standard input");
}

int
input_read(struct stls_err *err, int fd, bool dot_ends, stls_deadline deadline,
    struct input *input)
{
	struct lines lines = { 0, 0 };
	bool end = false;
	int r;

	while (!end) {
		r = read_more(err, fd, deadline, input, &end);
		if (r != 0)
			return r;
		if (dot_ends && cut_at_dot(input, &lines))
			return 0;
	}
	/* A last line needs no line end to be one. */
	if (dot_ends &&
	    is_lone_dot(input->data + lines.start, input->len - lines.start))
		input->len = lines.start;
	return 0;
}

void
input_done(struct input *input)
{
	free(input->data);
	memset(input, 0, sizeof(*input));
}
