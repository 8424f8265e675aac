/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/secret.h"

#define BUF_FIRST_CAP 512

void
stls_buf_init(struct stls_buf *buf, size_t max)
{
	memset(buf, 0, sizeof(*buf));
	buf->max = max;
}

void
stls_buf_done(struct stls_buf *buf)
{
	if (buf->data != NULL)
		stls_wipe(buf->data, buf->cap);
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

size_t
stls_buf_room(const struct stls_buf *buf)
{
	size_t used = stls_buf_len(buf);

	/* Whoever lowers the maximum below that gets no more in. */
	return used < buf->max ? buf->max - used : 0;
}

/* realloc(3) would leave the old bytes behind unwiped. */
static int
move_to(struct stls_buf *buf, size_t cap)
{
	size_t len = stls_buf_len(buf);
	unsigned char *data;

	data = stls_alloc(cap);
	if (data == NULL)
		return SMTPTLS_E_NOMEM;
	if (buf->data != NULL) {
		memcpy(data, buf->data + buf->head, len);
		stls_wipe(buf->data, buf->cap);
	}
	free(buf->data);
	buf->data = data;
	buf->head = 0;
	buf->tail = len;
	buf->cap = cap;
	return SMTPTLS_OK;
}

unsigned char *
stls_buf_reserve(struct stls_buf *buf, size_t len)
{
	size_t used = stls_buf_len(buf), from, cap;

	if (len > stls_buf_room(buf))
		return NULL;
	if (buf->data != NULL && len <= buf->cap - buf->tail)
		return buf->data + buf->tail;

	if (buf->data != NULL && used + len <= buf->cap) {
		memmove(buf->data, buf->data + buf->head, used);
		/* What is in front of that was wiped, or dropped. */
		from = buf->head > used ? buf->head : used;
		stls_wipe(buf->data + from, buf->tail - from);
		buf->head = 0;
		buf->tail = used;
		return buf->data + used;
	}

	cap = buf->cap > 0 ? buf->cap : BUF_FIRST_CAP;
	while (cap < used + len)
		cap = cap > buf->max / 2 ? buf->max : cap * 2;
	if (move_to(buf, cap) < 0)
		return NULL;
	return buf->data + buf->tail;
}

void
stls_buf_commit(struct stls_buf *buf, size_t len)
{
	assert(len <= buf->cap - buf->tail);
	buf->tail += len;
}

int
stls_buf_append(struct stls_buf *buf, const void *data, size_t len)
{
	unsigned char *place;

	if (len == 0)
		return SMTPTLS_OK;
	if (len > stls_buf_room(buf))
		return SMTPTLS_E_LIMIT;
	place = stls_buf_reserve(buf, len);
	if (place == NULL)
		return SMTPTLS_E_NOMEM;
	memcpy(place, data, len);
	stls_buf_commit(buf, len);
	return SMTPTLS_OK;
}

int
stls_buf_append_str(struct stls_buf *buf, const char *s)
{
	return stls_buf_append(buf, s, strlen(s));
}

/* What is left is moved to the front while it is little. */
#define MOVED_MAX 2048

static void
move_to_front(struct stls_buf *buf)
{
	size_t len = stls_buf_len(buf);

	if (len > MOVED_MAX || len > buf->head)
		return;
	memcpy(buf->data, buf->data + buf->head, len);
	stls_wipe(buf->data + buf->head, len);
	buf->head = 0;
	buf->tail = len;
}

void
stls_buf_drop(struct stls_buf *buf, size_t len)
{
	assert(len <= stls_buf_len(buf));
	buf->head += len;
	if (buf->head >= buf->cap / 2)
		move_to_front(buf);
	else if (buf->head == buf->tail)
		buf->head = buf->tail = 0;
}

void
stls_buf_consume(struct stls_buf *buf, size_t len)
{
	assert(len <= stls_buf_len(buf));
	if (len == 0)
		return;
	stls_wipe(buf->data + buf->head, len);
	stls_buf_drop(buf, len);
}

void
stls_buf_clear(struct stls_buf *buf)
{
	stls_buf_consume(buf, stls_buf_len(buf));
}

void
stls_buf_trim(struct stls_buf *buf, size_t keep)
{
	size_t max = buf->max;

	if (stls_buf_len(buf) > 0 || buf->cap <= keep)
		return;
	stls_buf_done(buf);
	stls_buf_init(buf, max);
}

void
stls_buf_truncate(struct stls_buf *buf, size_t len)
{
	size_t end = buf->head + len;

	assert(len <= stls_buf_len(buf));
	if (buf->data != NULL)
		stls_wipe(buf->data + end, buf->tail - end);
	buf->tail = end;
}
