/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_FUZZ_H
#define STLS_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the targets share. A target is one function that takes any octets and
 * returns; what must not be ends the process. libFuzzer calls it, or replay.c.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                  \
	do {                                                                   \
		if (!(condition))                                              \
			fuzz_fail(__FILE__, __LINE__, #condition);             \
	} while (0)

__attribute__((noreturn)) void fuzz_fail(
    const char *file, int line, const char *condition);

/* The input, from which settings are taken before the rest is text. */
struct fuzz_input {
	const uint8_t *data;
	size_t len;
};

/* The next octet, 0 at the end. */
unsigned int fuzz_take(struct fuzz_input *input);

/* A bit of it: `flags >> bit & 1`, as a bool. */
bool fuzz_flag(unsigned int flags, unsigned int bit);

/*
 * The next line without its LF, or what is left: to be given to free(3), with a
 * NUL behind it; one that is in the line stays. *out_len may be NULL.
 */
char *fuzz_take_line(struct fuzz_input *input, size_t *out_len);

/* All that is left, likewise. */
char *fuzz_take_rest(struct fuzz_input *input, size_t *out_len);

/*
 * A copy that ends where its last octet does, so that a sanitizer sees who
 * reads on. To be given to free(3).
 */
void *fuzz_copy(const void *data, size_t len);

/* How long the next piece of a text is: 1 to len, as the numbers draw it. */
size_t fuzz_piece(uint32_t *state, size_t len);

/* Whether it is printable, valid UTF-8 and one line, fit for a terminal. */
bool fuzz_is_printable(const char *text, size_t len);
bool fuzz_is_sentence(const char *text);

#endif
