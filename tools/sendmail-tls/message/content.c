/* SPDX-License-Identifier: MIT */
#include "message/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "system/temporary.h"

#define FIRST_CAP 65536

static int
write_out(
    struct stls_err *err, struct content *content, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(content->fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stls_err_errno(err, EX_TEMPFAIL, errno,
			    "the file that holds the message cannot be "
			    "written");
		data += n;
		len -= (size_t)n;
		content->size += (uint64_t)n;
	}
	return 0;
}

/* From memory to a file. */
static int
leave_memory(struct stls_err *err, struct content *content, const char *folder)
{
	size_t len = (size_t)content->size;
	int r;

	content->fd = temporary_open(err, folder);
	if (content->fd < 0)
		return err->code;
	content->is_in_file = true;
	content->size = 0;
	r = write_out(err, content, content->data, len);
	free(content->data);
	content->data = NULL;
	content->cap = 0;
	return r;
}

static int
append_to_memory(
    struct stls_err *err, struct content *content, const void *data, size_t len)
{
	size_t cap = content->cap, used = (size_t)content->size;
	char *grown;

	if (content->data == NULL || len > cap - used) {
		cap = cap < FIRST_CAP ? FIRST_CAP : cap * 2;
		if (cap - used < len)
			cap = used + len;
		grown = stls_realloc(content->data, cap);
		if (grown == NULL)
			return stls_err_set(err, EX_OSERR,
			    "out of memory for a message of more than %zu "
			    "bytes",
			    used);
		content->data = grown;
		content->cap = cap;
	}
	memcpy(content->data + used, data, len);
	content->size += len;
	return 0;
}

int
content_append(struct stls_err *err, struct content *content,
    const char *folder, const void *data, size_t len)
{
	int r = 0;

	/* There may be no memory yet, and that is nothing to copy to. */
	if (len == 0)
		return 0;
	if (!content->is_in_file && len > CONTENT_MEMORY_MAX - content->size)
		r = leave_memory(err, content, folder);
	if (r != 0)
		return r;
	return content->is_in_file ? write_out(err, content, data, len)
				   : append_to_memory(err, content, data, len);
}

void
content_borrow(struct content *content, int fd, uint64_t start, uint64_t size)
{
	content_done(content);
	content->is_in_file = true;
	content->is_borrowed = true;
	content->fd = fd;
	content->start = start;
	content->size = size;
}

static int
read_file(struct content *content, void *buf, size_t len, size_t *out_len)
{
	ssize_t n;

	do {
		n = pread(content->fd, buf, len,
		    (off_t)(content->start + content->offset));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = EIO;
	if (n <= 0)
		return EX_TEMPFAIL;
	*out_len = (size_t)n;
	return 0;
}

int
content_read(struct content *content, void *buf, size_t cap, size_t *out_len)
{
	uint64_t left = content->size - content->offset;
	size_t len = left < cap ? (size_t)left : cap;

	if (content->is_in_file && len > 0) {
		if (read_file(content, buf, len, &len) != 0)
			return EX_TEMPFAIL;
	} else if (len > 0) {
		memcpy(buf, content->data + content->offset, len);
	}
	content->offset += len;
	*out_len = len;
	return 0;
}

void
content_rewind(struct content *content)
{
	content->offset = 0;
}

uint64_t
content_size(const struct content *content)
{
	return content->size;
}

int
content_get_fd(struct stls_err *err, struct content *content,
    const char *folder, int *out_fd)
{
	int r = 0;

	if (!content->is_in_file)
		r = leave_memory(err, content, folder);
	if (r == 0 && lseek(content->fd, (off_t)content->start, SEEK_SET) < 0)
		r = stls_err_errno(
		    err, EX_OSERR, errno, "the file that holds the message");
	if (r == 0)
		*out_fd = content->fd;
	return r;
}

int
content_give(struct content *content, struct smtptls_message *message)
{
	content_rewind(content);
	if (!content->is_in_file)
		return smtptls_message_set_body_mem(
		    message, content->data, (size_t)content->size);
	if (content->is_borrowed)
		return smtptls_message_set_body_range(
		    message, content->fd, content->start, content->size);
	/* A file of its own: the library can look at it, as at memory. */
	if (lseek(content->fd, 0, SEEK_SET) < 0)
		return SMTPTLS_E_SOURCE;
	return smtptls_message_set_body_fd(message, content->fd);
}

void
content_done(struct content *content)
{
	free(content->data);
	if (content->is_in_file && !content->is_borrowed)
		close(content->fd);
	memset(content, 0, sizeof(*content));
}
