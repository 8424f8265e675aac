/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_CONVERSATION_H
#define STLS_TESTS_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp/transcript.h"

/* How the bytes of the server arrive, and what else happens. */
struct manner {
	enum {
		WHOLE,	 /* as they are grouped in the file */
		BY_BYTE, /* and go out by bytes too */
		SPLIT,	 /* the group with this byte in front of it, too */
		FAULT	 /* and the n-th allocation fails */
	} kind;
	size_t n;
};

/*
 * Play one conversation with an engine. Whatever is not as written fails the
 * test, or after a fault whatever is claimed that did not happen. Returns
 * whether there was a fault.
 */
bool conversation_play(const struct transcript *transcript,
    const struct part *part, const struct manner *manner);

#endif
