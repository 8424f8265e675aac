/* SPDX-License-Identifier: MIT */
#ifndef STLS_CONTENT_H
#define STLS_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <smtptls/message.h>

#include "base/err.h"
#include "smtp/data.h"

/*
 * Where the content of a message comes from: memory, a descriptor or
 * callbacks. Borrowed, never closed. Zero-initialised there is none.
 */
struct stls_content {
	enum {
		STLS_CONTENT_NONE,
		STLS_CONTENT_MEM,
		STLS_CONTENT_FD,
		STLS_CONTENT_CB
	} kind;
	const char *data; /* memory */
	size_t len;
	int fd;
	bool is_regular; /* read by pread(2) from start + offset */
	off_t start;
	bool is_range; /* of `range` octets, which must be there */
	uint64_t range;
	smtptls_source_read_cb read;
	smtptls_source_rewind_cb rewind;
	void *arg;

	uint64_t offset; /* how much has been given out */

	/* What was read in one call and is given out in pieces. */
	char *buffer; /* NULL until it is needed */
	size_t begin, end;
	uint64_t size_hint; /* of a regular file when it was set */
};

/*
 * Look at a descriptor. SMTPTLS_E_INVALID: it is none; SMTPTLS_E_SOURCE: it
 * cannot be looked at.
 */
int stls_content_init_fd(
    struct stls_content *content, struct stls_err *err, int fd);

/*
 * Take part of a regular file. SMTPTLS_E_INVALID: it is none, or has less;
 * SMTPTLS_E_SOURCE: it cannot be looked at.
 */
int stls_content_init_range(struct stls_content *content, struct stls_err *err,
    int fd, uint64_t offset, uint64_t len);

/*
 * Get the next piece, at most STLS_DATA_CHUNK_MAX octets: *out_data is lent
 * until the next call. SMTPTLS_OK with *out_len 0 is the end; SMTPTLS_AGAIN;
 * SMTPTLS_E_SOURCE, SMTPTLS_E_NOMEM.
 */
int stls_content_read(struct stls_content *content, struct stls_err *err,
    const char **out_data, size_t *out_len);

/*
 * Give the memory back that reading takes, when a message is done before its
 * end was read. What was read ahead is lost: rewind before reading again.
 */
void stls_content_release(struct stls_content *content);

/* Memory and regular files are there: to read them takes no time. */
bool stls_content_never_waits(const struct stls_content *content);

/* Whether it can be read a second time, as far as can be told. */
bool stls_content_can_rewind(const struct stls_content *content);

/* Be at the start again. SMTPTLS_E_SOURCE: it cannot. */
int stls_content_rewind(struct stls_content *content, struct stls_err *err);

/*
 * Learn the facts of memory and regular files, at the start. *out_known tells
 * whether it could.
 */
int stls_content_look(struct stls_content *content, struct stls_err *err,
    struct stls_data_facts *out_facts, bool *out_known);

/* The descriptor to wait for after SMTPTLS_AGAIN, -1 where there is none. */
int stls_content_poll_fd(const struct stls_content *content);

#endif
