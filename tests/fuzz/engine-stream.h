/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_ENGINE_STREAM_H
#define STLS_TESTS_ENGINE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All that a server says on a connection, as octets. They are heard in pieces:
 * a piece ends behind the last line of a reply, or at CUT. Three octets that no
 * reply needs say more: GLUE behind a reply has the next one come with it,
 * EARLY in front of a piece has it come while the client is busy.
 */
#define STREAM_CUT 0xff
#define STREAM_EARLY 0xfe
#define STREAM_GLUE 0xfd

#define STREAM_PENDING_MAX 8192

struct stream {
	const uint8_t *data;
	size_t len;
	/* The reply that is coming, as simple as can be. */
	char start[4];
	size_t line_len;
	bool has_begun;
	uint64_t begun_at;
	/* Whole ones that were heard, and not taken by the engine yet. */
	struct stream_reply {
		int code;
		uint64_t at; /* what was written when it began */
	} pending[STREAM_PENDING_MAX];
	size_t count, taken;
};

/* Whether the next piece comes while the client is busy. */
bool stream_is_early(const struct stream *stream);

/*
 * Copy the next piece, which was heard when so much was written; `out` has
 * place for all that is left. 0: the server says no more.
 */
size_t stream_next(struct stream *stream, char *out, uint64_t written);

/* The next whole reply; NULL: there is none. */
const struct stream_reply *stream_take(struct stream *stream);

/* A new connection. */
void stream_restart(struct stream *stream);

#endif
