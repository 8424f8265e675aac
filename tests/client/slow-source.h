/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_SLOW_SOURCE_H
#define STLS_TEST_SLOW_SOURCE_H

#include "client/talk.h"

/* A content that gives one octet at a time: what is split must not matter. */
struct slow_source {
	const char *text;
	size_t len;
	size_t at;
	bool stalls; /* AGAIN before each octet */
	bool stalled;
	size_t fails_at; /* SIZE_MAX: never */
	int rewinds;
};

int slow_source_read(void *buf, size_t cap, size_t *out_len, void *source);

/* A message of talk.h with this content, which can be rewound. */
void slow_source_set(struct talk *talk, struct slow_source *source);

/* Servers that take any content and QUIT; or read on whatever comes. */
extern const struct step accepting[], cut_off[];

/* Refused in mid content: whatever left, the final dot did not. */
void assert_cut_off(struct talk *talk, int code, const char *sentence);

#endif
