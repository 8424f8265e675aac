/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
stls_content_init_fd(struct stls_content *content, struct stls_err *err, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return stls_err_errno(
		    err, SMTPTLS_E_INVALID, errno, "descriptor %d", fd);
	*content = (struct stls_content){ .kind = STLS_CONTENT_FD, .fd = fd };
	if (S_ISREG(st.st_mode)) {
		content->start = lseek(fd, 0, SEEK_CUR);
		content->is_regular = content->start >= 0;
	}
	return SMTPTLS_OK;
}

static int
read_fd(struct stls_content *content, struct stls_err *err, char *scratch,
    size_t cap, size_t *out_len)
{
	struct pollfd pfd = { .fd = content->fd, .events = POLLIN };
	ssize_t n;

	/* A pipe that blocks must not keep deadlines and cancelling waiting. */
	if (!content->is_regular && poll(&pfd, 1, 0) == 0)
		return SMTPTLS_AGAIN;
	do {
		if (content->is_regular)
			n = pread(content->fd, scratch, cap,
			    content->start + (off_t)content->offset);
		else
			n = read(content->fd, scratch, cap);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return SMTPTLS_AGAIN;
	if (n < 0)
		return stls_err_errno(
		    err, SMTPTLS_E_SOURCE, errno, "content cannot be read");
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

static int
read_cb(struct stls_content *content, struct stls_err *err, char *scratch,
    size_t cap, size_t *out_len)
{
	size_t len = 0;
	int r;

	r = content->read(scratch, cap, &len, content->arg);
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

int
stls_content_read(struct stls_content *content, struct stls_err *err,
    char *scratch, size_t cap, const char **out_data, size_t *out_len)
{
	size_t len = 0;
	int r = SMTPTLS_OK;

	switch (content->kind) {
	case STLS_CONTENT_MEM:
		len = content->len - (size_t)content->offset;
		if (len > cap)
			len = cap;
		*out_data = content->data + content->offset;
		break;
	case STLS_CONTENT_FD:
		r = read_fd(content, err, scratch, cap, &len);
		*out_data = scratch;
		break;
	case STLS_CONTENT_CB:
		r = read_cb(content, err, scratch, cap, &len);
		*out_data = scratch;
		break;
	default:
		return stls_err_set(
		    err, SMTPTLS_E_SOURCE, "the message has no content");
	}
	if (r != SMTPTLS_OK)
		return r;
	content->offset += len;
	*out_len = len;
	return SMTPTLS_OK;
}

bool
stls_content_can_rewind(const struct stls_content *content)
{
	return content->kind == STLS_CONTENT_MEM || content->is_regular ||
	    content->rewind != NULL;
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
	content->offset = 0;
	return SMTPTLS_OK;
}

int
stls_content_look(struct stls_content *content, struct stls_err *err,
    struct stls_data_facts *out_facts, bool *out_known)
{
	struct stls_data_look look = { 0 };
	char scratch[STLS_DATA_CHUNK_MAX];
	const char *data = NULL;
	size_t len = 0;
	int r;

	*out_known = content->kind == STLS_CONTENT_MEM || content->is_regular;
	if (!*out_known)
		return SMTPTLS_OK;
	do {
		r = stls_content_read(
		    content, err, scratch, sizeof(scratch), &data, &len);
		if (r != SMTPTLS_OK)
			return r;
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
