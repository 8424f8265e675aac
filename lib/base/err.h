/* SPDX-License-Identifier: MIT */
#ifndef STLS_BASE_ERR_H
#define STLS_BASE_ERR_H

#include <stddef.h>

#include <smtptls/status.h>

/*
 * A status code and its sentence, in a fixed buffer: reporting that memory
 * ran out needs no memory. Sentences are lower case, without full stop and
 * without "failed to"; they name the thing and the value.
 */
#define STLS_ERR_TEXT_MAX 512

struct stls_err {
	int code;
	char text[STLS_ERR_TEXT_MAX];
};

/*
 * Set code and sentence, and return the code, so that a caller can write
 * `return stls_err_set(err, ...)`. A sentence that is too long ends in "...".
 * Control characters that came in through an argument are written as \xNN:
 * a sentence is always fit for a terminal and for one line of a log.
 */
__attribute__((format(printf, 3, 4))) int stls_err_set(
    struct stls_err *err, int code, const char *fmt, ...);

/* The same for "memory ran out". */
int stls_err_nomem(struct stls_err *err);

/* Set code and sentence from errno: `<what>: <strerror>`. */
__attribute__((format(printf, 4, 5))) int stls_err_errno(
    struct stls_err *err, int code, int errnum, const char *fmt, ...);

/* Put `<prefix>: ` in front of the sentence; the code stays. Returns it. */
__attribute__((format(printf, 2, 3))) int stls_err_prefix(
    struct stls_err *err, const char *fmt, ...);

void stls_err_copy(struct stls_err *dst, const struct stls_err *src);
void stls_err_clear(struct stls_err *err);

/* The sentence, or the words of the code where there is none. Never NULL. */
const char *stls_err_text(const struct stls_err *err);

/*
 * Write `len` bytes of foreign text into `out` (NUL-terminated, at most `cap`
 * bytes) with everything but printable ASCII and valid UTF-8 above U+009F that
 * does not steer the direction or end a line escaped as \xNN. Returns the
 * length written.
 */
size_t stls_escape(char *out, size_t cap, const char *text, size_t len);

#endif
