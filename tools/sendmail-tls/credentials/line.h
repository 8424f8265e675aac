/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CREDENTIALS_LINE_H
#define SENDMAIL_CREDENTIALS_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

/* The library takes passwords of this length, and tokens of the other. */
#define LINE_LEN_MAX 4096
#define TOKEN_LINE_LEN_MAX 8192

/*
 * The first line of something that comes in pieces and is a secret: in a place
 * of fixed size, so that no copy is left behind. Zero-initialised it is empty.
 */
struct first_line {
	char text[TOKEN_LINE_LEN_MAX + 2]; /* and CR LF */
	size_t len;
	size_t len_max;	  /* what is too long; 0: LINE_LEN_MAX */
	bool is_complete; /* its line end has come, the rest is dropped */
	bool is_too_long;
};

void first_line_add(struct first_line *line, const char *data, size_t len);

/*
 * Get it, without its line end. EX_CONFIG: it is empty, too long or has a NUL
 * in it; `what` names where it came from.
 */
int first_line_take(struct stls_err *err, const char *what,
    const struct first_line *line, struct stls_secret *out_secret);

/* Wipe. */
void first_line_done(struct first_line *line);

#endif
