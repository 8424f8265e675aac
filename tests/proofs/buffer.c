/* SPDX-License-Identifier: MIT */
/*
 * In place of base/buf.c: what is reserved ends where memory does, or none is
 * left, and what is committed goes to the harness.
 */
#include "buffer.h"

static unsigned char memory[PLACE];
static unsigned char *place;

size_t
stls_buf_room(const struct stls_buf *buf)
{
	return buf->max;
}

unsigned char *
stls_buf_reserve(struct stls_buf *buf, size_t len)
{
	prove(len <= buf->max, "there is room for what is reserved");
	prove(len <= PLACE, "the bound of the proof is large enough");
	place = nondet_bool() ? NULL : memory + PLACE - len;
	return place;
}

void
stls_buf_commit(struct stls_buf *buf, size_t len)
{
	size_t i;

	(void)buf;
	prove(place != NULL, "nothing is committed without memory");
	prove(len <= (size_t)(memory + PLACE - place),
	    "no more is committed than was reserved");
	for (i = 0; i < len; i++)
		on_wire(place[i]);
}

int
stls_buf_append_str(struct stls_buf *buf, const char *text)
{
	(void)buf;
	if (nondet_bool())
		return SMTPTLS_E_NOMEM;
	for (; *text != '\0'; text++)
		on_wire((unsigned char)*text);
	return SMTPTLS_OK;
}
