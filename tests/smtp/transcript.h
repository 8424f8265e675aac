/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_TRANSCRIPT_H
#define STLS_TESTS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A conversation as it is written down in tests/transcripts; the README there
 * tells the format.
 */

#define WORDS_MAX 12
#define STEPS_MAX 512
#define PARTS_MAX 32

enum step_kind {
	STEP_SERVER, /* these bytes come */
	STEP_CLIENT, /* exactly these bytes go, and nothing else waits to */
	STEP_DO	     /* or check: words[0] says what */
};

struct text {
	char *data; /* with a NUL behind it */
	size_t len;
};

struct step {
	enum step_kind kind;
	int line; /* in the file */
	struct text text;
	struct text words[WORDS_MAX];
	size_t count;
};

/* One conversation of those in a file: "again" begins another. */
struct part {
	const struct step *steps;
	size_t count;
	size_t server_len; /* bytes of all that come */
};

struct transcript {
	const char *name; /* of the file, without its folder */
	bool lmtp, implicit_tls, cleartext, authenticate;
	bool one_by_one, no_chunking, at_once, window, small_chunks;
	struct step steps[STEPS_MAX];
	size_t count;
	struct part parts[PARTS_MAX];
	size_t part_count;
};

/* What is wrong with the file fails the test. */
struct transcript *transcript_load(const char *folder, const char *name);
void transcript_free(struct transcript *transcript);

#endif
