/* SPDX-License-Identifier: MIT */
#include "smtp/expected.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char *const names[STLS_STEP_COUNT] = {
	[STLS_STEP_NONE] = "",
	[STLS_STEP_GREETING] = "greeting",
	[STLS_STEP_EHLO] = "EHLO",
	[STLS_STEP_STARTTLS] = "STARTTLS",
	[STLS_STEP_TLS] = "TLS",
	[STLS_STEP_AUTH] = "AUTH",
	[STLS_STEP_MAIL] = "MAIL",
	[STLS_STEP_RCPT] = "RCPT",
	[STLS_STEP_DATA] = "DATA",
	[STLS_STEP_BDAT] = "BDAT",
	[STLS_STEP_CONTENT] = "content",
	[STLS_STEP_END_OF_DATA] = "end of data",
	[STLS_STEP_RSET] = "RSET",
	[STLS_STEP_NOOP] = "NOOP",
	[STLS_STEP_QUIT] = "QUIT",
};

const char *
stls_step_name(enum stls_step step)
{
	return names[step];
}

static struct stls_expected *
at(const struct stls_fifo *fifo, size_t index)
{
	assert(index < fifo->len);
	return &fifo->ring[(fifo->head + index) & (fifo->cap - 1)];
}

static bool
grow(struct stls_fifo *fifo)
{
	size_t cap = fifo->cap > 0 ? fifo->cap * 2 : 8, i;
	struct stls_expected *ring;

	/* Twice of what there is cannot overflow. */
	ring = stls_alloc(cap * sizeof(*ring));
	if (ring == NULL)
		return false;
	for (i = 0; i < fifo->len; i++)
		ring[i] = *at(fifo, i);
	free(fifo->ring);
	fifo->ring = ring;
	fifo->cap = cap;
	fifo->head = 0;
	return true;
}

struct stls_expected *
stls_fifo_append(struct stls_fifo *fifo)
{
	if (fifo->len == fifo->cap && !grow(fifo))
		return NULL;
	fifo->len++;
	return stls_fifo_last(fifo);
}

void
stls_fifo_count_reply(struct stls_fifo *fifo)
{
	if (--stls_fifo_first(fifo)->replies > 0)
		return;
	fifo->head = (fifo->head + 1) & (fifo->cap - 1);
	fifo->len--;
}

void
stls_fifo_clear(struct stls_fifo *fifo)
{
	fifo->head = 0;
	fifo->len = 0;
}

void
stls_fifo_done(struct stls_fifo *fifo)
{
	free(fifo->ring);
	memset(fifo, 0, sizeof(*fifo));
}
