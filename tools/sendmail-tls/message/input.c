/* SPDX-License-Identifier: MIT */
#include "message/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "system/ready.h"

#define BUFFER_SIZE 65536

void
input_init(struct input *input, int fd, bool dot_ends, stls_deadline deadline)
{
	memset(input, 0, sizeof(*input));
	input->fd = fd;
	input->dot_ends = dot_ends;
	input->deadline = deadline;
}

int
input_wait(struct stls_err *err, int fd, stls_deadline deadline)
{
	int n = ready_wait(fd, POLLIN, deadline);

	if (n < 0)
		return stls_err_errno(err, EX_NOINPUT, errno, "standard input");
	if (n == 0)
		return stls_err_set(err, EX_TEMPFAIL,
		    "standard input: the message is not complete within the "
		    "time that --timeout gives");
	return 0;
}

/* Read what fits behind what is there. */
static int
read_more(struct stls_err *err, struct input *input)
{
	ssize_t n;
	int r = 0;

	if (input->deadline != STLS_NEVER)
		r = input_wait(err, input->fd, input->deadline);
	if (r != 0)
		return r;
	n = read(input->fd, input->data + input->end, BUFFER_SIZE - input->end);
	if (n >= 0) {
		input->end += (size_t)n;
		input->is_at_end = n == 0;
		return 0;
	}
	if (errno == EINTR)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return input_wait(err, input->fd, input->deadline);
	return stls_err_errno(err, EX_NOINPUT, errno, "standard input");
}

/* More may have to come to tell. */
enum answer {
	NO,
	YES,
	PERHAPS
};

/* A line that begins so: is it a single dot? */
static enum answer
is_lone_dot(const char *line, size_t len)
{
	if (len == 0 || line[0] != '.')
		return NO;
	if (len > 1 && line[1] == '\n')
		return YES;
	if (len > 1 && line[1] != '\r')
		return NO;
	if (len > 2)
		return line[2] == '\n' ? YES : NO;
	return PERHAPS;
}

/*
 * How much can be given out: everything, but for a lone dot and what may become
 * one.
 */
static size_t
scan(struct input *input)
{
	const char *text = input->data;
	size_t at = input->begin;
	const char *line_end;
	enum answer found;

	while (at < input->end && input->dot_ends) {
		found = NO;
		if (!input->in_line)
			found = is_lone_dot(text + at, input->end - at);
		/* A last line needs no line end to be one. */
		if (found == PERHAPS && input->is_at_end)
			found = YES;
		input->has_ended = found == YES;
		if (found != NO)
			return at;
		line_end = memchr(text + at, '\n', input->end - at);
		input->in_line = line_end == NULL;
		if (line_end == NULL)
			break;
		at = (size_t)(line_end - text) + 1;
	}
	return input->end;
}

static int
make_room(struct stls_err *err, struct input *input)
{
	if (input->data == NULL)
		input->data = stls_alloc(BUFFER_SIZE);
	if (input->data == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	/* What is left over is the beginning of a line, and short. */
	memmove(
	    input->data, input->data + input->begin, input->end - input->begin);
	input->end -= input->begin;
	input->begin = 0;
	return 0;
}

int
input_next(struct stls_err *err, struct input *input, const char **out_text,
    size_t *out_len)
{
	size_t stop = input->begin;
	int r;

	while (stop == input->begin && !input->has_ended) {
		r = make_room(err, input);
		if (r == 0)
			r = read_more(err, input);
		if (r != 0)
			return r;
		stop = scan(input);
		input->has_ended |= input->is_at_end;
	}
	*out_text = input->data + input->begin;
	*out_len = stop - input->begin;
	input->begin = stop;
	return 0;
}

void
input_drain(struct input *input)
{
	struct stls_err ignored = { 0 };
	const char *text;
	size_t len;

	do {
		len = 0;
	} while (input_next(&ignored, input, &text, &len) == 0 && len > 0);
}

void
input_done(struct input *input)
{
	free(input->data);
	memset(input, 0, sizeof(*input));
}
