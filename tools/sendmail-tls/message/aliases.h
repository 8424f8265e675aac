/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_MESSAGE_ALIASES_H
#define SENDMAIL_MESSAGE_ALIASES_H

#include <stddef.h>

#include "base/err.h"

/*
 * A file of aliases(5): `name: value, value`, comments, lines that go on where
 * they begin with a blank, quotes around a name or a value. What a value is,
 * is looked at when somebody asks for it.
 */
struct alias {
	const char *name; /* in the text */
	unsigned int line;
	char *values; /* the rest of the line, folds as blanks */
};

struct aliases {
	char *file;
	char *text;
	struct alias *items;
	size_t count;
};

/*
 * Read the file: 0; EX_CONFIG with its line: it cannot be read, others can
 * change it, a line is none; EX_OSERR.
 */
int aliases_load(
    struct stls_err *err, const char *path, struct aliases *aliases);

/* The same for a text, of which a copy is made. */
int aliases_parse(struct stls_err *err, const char *file, const char *text,
    size_t len, struct aliases *aliases);

/*
 * Find a local name, in any case, or else `default`; *out_alias is NULL where
 * neither is there. EX_CONFIG: it is there twice.
 */
int aliases_find(struct stls_err *err, const struct aliases *aliases,
    const char *name, const struct alias **out_alias);

/*
 * Take the next value off *rest, without its quotes, into `out`: 1, 0 at the
 * end, or below zero where it is too long or has no end.
 */
int aliases_next_value(const char **rest, char *out, size_t cap);

/* Copes with a zeroed struct. */
void aliases_done(struct aliases *aliases);

#endif
