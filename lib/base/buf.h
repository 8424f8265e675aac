/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_BUF_H
#define STLS_BASE_BUF_H

#include <stddef.h>

/*
 * A queue of bytes: appended at the end, consumed from the front. It grows up
 * to `max`; what is consumed is overwritten, because replies and commands may
 * carry secrets, but for what is dropped. Zero-initialised it is empty and may
 * not hold anything.
 */
struct stls_buf {
	unsigned char *data; /* start of the allocation */
	size_t head;	     /* first byte that is not consumed */
	size_t tail;	     /* one behind the last byte */
	size_t cap;
	size_t max;
};

void stls_buf_init(struct stls_buf *buf, size_t max);

/* Wipe and free. Copes with a zeroed struct; usable with CLEANUP. */
void stls_buf_done(struct stls_buf *buf);

static inline const unsigned char *
stls_buf_data(const struct stls_buf *buf)
{
	return buf->data != NULL ? buf->data + buf->head
				 : (const unsigned char *)"";
}

static inline size_t
stls_buf_len(const struct stls_buf *buf)
{
	return buf->tail - buf->head;
}

/* How much more fits below max. */
size_t stls_buf_room(const struct stls_buf *buf);

/*
 * Make place for `len` more bytes and return where they go; then add what was
 * written with stls_buf_commit(). NULL: memory ran out or max is passed, and
 * the buffer is unchanged.
 */
unsigned char *stls_buf_reserve(struct stls_buf *buf, size_t len);
void stls_buf_commit(struct stls_buf *buf, size_t len);

/* SMTPTLS_OK; SMTPTLS_E_NOMEM or SMTPTLS_E_LIMIT with nothing appended. */
int stls_buf_append(struct stls_buf *buf, const void *data, size_t len);
int stls_buf_append_str(struct stls_buf *buf, const char *s);

/*
 * Take `len` bytes from the front without wiping them, which costs as much as
 * to copy them: for what is no secret. It is wiped with the buffer.
 */
void stls_buf_drop(struct stls_buf *buf, size_t len);

/* Take `len` bytes from the front, or everything, and wipe them. */
void stls_buf_consume(struct stls_buf *buf, size_t len);
void stls_buf_clear(struct stls_buf *buf);

/* Free the memory of an empty buffer that has more than `keep` bytes of it. */
void stls_buf_trim(struct stls_buf *buf, size_t keep);

/* Drop what is behind the first `len` bytes. */
void stls_buf_truncate(struct stls_buf *buf, size_t len);

#endif
