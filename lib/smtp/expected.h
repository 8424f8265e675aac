/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_EXPECTED_H
#define STLS_SMTP_EXPECTED_H

#include <stddef.h>
#include <stdint.h>

/* What a reply is expected to; also the names of the steps. */
enum stls_step {
	STLS_STEP_NONE,
	STLS_STEP_GREETING,
	STLS_STEP_EHLO,
	STLS_STEP_STARTTLS,
	STLS_STEP_TLS, /* no reply: the handshake */
	STLS_STEP_AUTH,
	STLS_STEP_MAIL,
	STLS_STEP_RCPT,
	STLS_STEP_DATA,
	STLS_STEP_BDAT,	   /* but for the last one, which is the end of data */
	STLS_STEP_CONTENT, /* no reply: on its way */
	STLS_STEP_END_OF_DATA,
	STLS_STEP_RSET,
	STLS_STEP_NOOP,
	STLS_STEP_QUIT,
	STLS_STEP_COUNT
};

/* "MAIL", "end of data", ...; "" for STLS_STEP_NONE. */
const char *stls_step_name(enum stls_step step);

struct stls_transaction;

/* A reply that is expected. */
struct stls_expected {
	enum stls_step step;
	size_t replies;	 /* how many: LMTP's end of data has one a recipient */
	uint64_t offset; /* of the output, behind what it answers */
	uint64_t begins; /* behind its command, where content follows that */
	struct stls_transaction *txn; /* NULL where it belongs to none */
	size_t recipient;	      /* of RCPT */
};

/* The offset behind a content whose end has not been written yet. */
#define STLS_OFFSET_UNKNOWN UINT64_MAX

/*
 * The replies that are expected, in their order: a ring. Every reply belongs
 * to the first of them, and one that comes while it is empty to nothing.
 */
struct stls_fifo {
	struct stls_expected *ring;
	size_t cap; /* a power of two */
	size_t head, len;
};

/*
 * Append one and return it; nothing of it is set yet. NULL: memory ran out, and
 * it is unchanged.
 */
struct stls_expected *stls_fifo_append(struct stls_fifo *fifo);

/* The first and the last one, until the next append; only if there is one. */
static inline struct stls_expected *
stls_fifo_first(const struct stls_fifo *fifo)
{
	return &fifo->ring[fifo->head];
}

static inline struct stls_expected *
stls_fifo_last(const struct stls_fifo *fifo)
{
	return &fifo->ring[(fifo->head + fifo->len - 1) & (fifo->cap - 1)];
}

/* One reply to the first one has come. */
void stls_fifo_count_reply(struct stls_fifo *fifo);

void stls_fifo_clear(struct stls_fifo *fifo);
void stls_fifo_done(struct stls_fifo *fifo);

#endif
