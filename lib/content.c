/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/eintr.h"
#include "base/secret.h"

/* What one read(2) takes of a file, and of what holds less at a time. */
#define FILE_READ_MAX 262144
#define STREAM_READ_MAX 65536

/* That it is none is a mistake of the caller; anything else may pass. */
static int
cannot_be_looked_at(struct stls_err *err, int fd)
{
	return stls_err_errno(err,
	    errno == EBADF ? SMTPTLS_E_INVALID : SMTPTLS_E_SOURCE, errno,
	    "descriptor %d", fd);
}

int
stls_content_init_fd(struct stls_content *content, struct stls_err *err, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cannot_be_looked_at(err, fd);
	*content = (struct stls_content){ .kind = STLS_CONTENT_FD, .fd = fd };
	if (S_ISREG(st.st_mode)) {
		content->start = lseek(fd, 0, SEEK_CUR);
		content->is_regular = content->start >= 0;
		if (content->is_regular && st.st_size > content->start)
			content->size_hint = (uint64_t)(st.st_size -
			    content->start);
	}
	return SMTPTLS_OK;
}

int
stls_content_init_range(struct stls_content *content, struct stls_err *err,
    int fd, uint64_t offset, uint64_t len)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cannot_be_looked_at(err, fd);
	if (!S_ISREG(st.st_mode))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "descriptor %d is of no regular file", fd);
	if (offset > (uint64_t)st.st_size ||
	    len > (uint64_t)st.st_size - offset)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the file ends before the content does");
	*content = (struct stls_content){ .kind = STLS_CONTENT_FD,
		.fd = fd,
		.is_regular = true,
		.start = (off_t)offset,
		.is_range = true,
		.range = len,
		.size_hint = len };
	return SMTPTLS_OK;
}

/* How much the buffer holds; it stays the same for a content. */
static size_t
buffer_cap(const struct stls_content *content)
{
	if (content->kind == STLS_CONTENT_CB)
		return STLS_DATA_CHUNK_MAX;
	if (!content->is_regular)
		return STREAM_READ_MAX;
	/* A small file needs no large buffer, but may have grown. */
	if (content->size_hint < STLS_DATA_CHUNK_MAX)
		return STLS_DATA_CHUNK_MAX;
	return content->size_hint < FILE_READ_MAX ? (size_t)content->size_hint
						  : FILE_READ_MAX;
}

static int
read_fd(struct stls_content *content, struct stls_err *err, size_t *out_len)
{
	struct pollfd pfd = { .fd = content->fd, .events = POLLIN };
	size_t cap = buffer_cap(content);
	ssize_t n;

	if (content->is_range && cap > content->range - content->offset)
		cap = (size_t)(content->range - content->offset);

	/* A pipe that blocks must not keep deadlines and cancelling waiting. */
	if (!content->is_regular && UNINTERRUPTED(poll(&pfd, 1, 0)) == 0)
		return SMTPTLS_AGAIN;
	do {
		if (content->is_regular)
			n = pread(content->fd, content->buffer, cap,
			    content->start + (off_t)content->offset);
		else
			n = read(content->fd, content->buffer, cap);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return SMTPTLS_AGAIN;
	if (n < 0)
		return stls_err_errno(
		    err, SMTPTLS_E_SOURCE, errno, "content cannot be read");
	if (n == 0 && cap > 0 && content->is_range)
		return stls_err_set(err, SMTPTLS_E_SOURCE,
		    "the file of the content has become shorter");
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

static int
read_cb(struct stls_content *content, struct stls_err *err, size_t *out_len)
{
	size_t cap = buffer_cap(content), len = 0;
	int r;

	r = content->read(content->buffer, cap, &len, content->arg);
	if (r == SMTPTLS_AGAIN)
		return SMTPTLS_AGAIN;
	if (r != SMTPTLS_OK)
		return stls_err_set(
		    err, SMTPTLS_E_SOURCE, "the source of the content failed");
	if (len > cap)
		return stls_err_set(err, SMTPTLS_E_SOURCE,
		    "the source of the content gave %zu octets where %zu fit",
		    len, cap);
	*out_len = len;
	return SMTPTLS_OK;
}

/* Read into the buffer, which has been given out. */
static int
fill(struct stls_content *content, struct stls_err *err)
{
	size_t len = 0;
	int r;

	if (content->buffer == NULL)
		content->buffer = stls_alloc(buffer_cap(content));
	if (content->buffer == NULL)
		return stls_err_nomem(err);
	r = content->kind == STLS_CONTENT_FD ? read_fd(content, err, &len)
					     : read_cb(content, err, &len);
	if (r != SMTPTLS_OK)
		return r;
	content->begin = 0;
	content->end = len;
	return SMTPTLS_OK;
}

void
stls_content_release(struct stls_content *content)
{
	if (content->buffer != NULL)
		stls_wipe(content->buffer, buffer_cap(content));
	free(content->buffer);
	content->buffer = NULL;
	content->begin = content->end = 0;
}

/* As stls_content_read(), with at most `max` octets. */
static int
read_piece(struct stls_content *content, struct stls_err *err, size_t max,
    const char **out_data, size_t *out_len)
{
	size_t len;
	int r;

	switch (content->kind) {
	case STLS_CONTENT_MEM:
		*out_data = content->data + content->offset;
		len = content->len - (size_t)content->offset;
		break;
	case STLS_CONTENT_FD:
	case STLS_CONTENT_CB:
		if (content->begin == content->end) {
			r = fill(content, err);
			if (r != SMTPTLS_OK)
				return r;
		}
		*out_data = content->buffer + content->begin;
		len = content->end - content->begin;
		break;
	default:
		return stls_err_set(
		    err, SMTPTLS_E_SOURCE, "the message has no content");
	}
	if (len > max)
		len = max;
	if (content->kind != STLS_CONTENT_MEM)
		content->begin += len;
	content->offset += len;
	*out_len = len;
	if (len == 0) {
		stls_content_release(content);
		*out_data = "";
	}
	return SMTPTLS_OK;
}

int
stls_content_read(struct stls_content *content, struct stls_err *err,
    const char **out_data, size_t *out_len)
{
	return read_piece(content, err, STLS_DATA_CHUNK_MAX, out_data, out_len);
}

bool
stls_content_never_waits(const struct stls_content *content)
{
	return content->kind == STLS_CONTENT_MEM || content->is_regular;
}

bool
stls_content_can_rewind(const struct stls_content *content)
{
	return stls_content_never_waits(content) || content->rewind != NULL;
}

int
stls_content_rewind(struct stls_content *content, struct stls_err *err)
{
	bool can = content->offset == 0;

	if (content->kind == STLS_CONTENT_MEM || content->is_regular)
		can = true;
	else if (!can && content->rewind != NULL)
		can = content->rewind(content->arg) == SMTPTLS_OK;
	if (!can)
		return stls_err_set(err, SMTPTLS_E_SOURCE,
		    "the content cannot be read a second time");
	stls_content_release(content);
	content->offset = 0;
	return SMTPTLS_OK;
}

int
stls_content_look(struct stls_content *content, struct stls_err *err,
    struct stls_data_facts *out_facts, bool *out_known)
{
	struct stls_data_look look = { 0 };
	const char *data = NULL;
	size_t len = 0;
	int r;

	*out_known = content->kind == STLS_CONTENT_MEM || content->is_regular;
	if (!*out_known)
		return SMTPTLS_OK;
	do {
		r = read_piece(content, err, SIZE_MAX, &data, &len);
		if (r != SMTPTLS_OK) {
			stls_content_release(content);
			return r;
		}
		stls_data_look(&look, data, len);
	} while (len > 0);
	stls_data_look_end(&look);
	*out_facts = look.facts;
	return stls_content_rewind(content, err);
}

int
stls_content_poll_fd(const struct stls_content *content)
{
	return content->kind == STLS_CONTENT_FD ? content->fd : -1;
}
