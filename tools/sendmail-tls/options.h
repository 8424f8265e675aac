/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_OPTIONS_H
#define SENDMAIL_OPTIONS_H

#include <stddef.h>

#include "base/err.h"

/*
 * The dialect of sendmail(8), which getopt(3) is not up to: letters in
 * clusters, arguments attached or separate and possibly empty (`-f ''`), an
 * argument that is only ever attached (`-q`, `-q15m`), long options beside
 * them, and options behind operands. Only `--` ends the options: whatever
 * begins with a dash before it is one.
 *
 * Functions of this program answer 0 or a status of sysexits.h, which is also
 * err->code then.
 */
enum option_argument {
	OPTION_ALONE,	/* has no argument */
	OPTION_VALUE,	/* has one, attached or separate */
	OPTION_ATTACHED /* has one if something is attached, else "" */
};

struct option_use;

/* What an option does with its argument. */
typedef int (*option_apply)(
    struct stls_err *err, void *target, const struct option_use *use);

struct option_spec {
	char letter;	  /* or 0 */
	const char *name; /* behind two dashes, or NULL */
	enum option_argument argument;
	option_apply apply;
	size_t field; /* offset in the target, for those that only set one */
};

struct option_use {
	const struct option_spec *spec;
	const char *shown; /* as it was written, for a sentence: "-f" */
	const char *value; /* NULL for OPTION_ALONE */
};

struct option_table {
	const struct option_spec *specs;
	size_t count;
};

/*
 * Parse argv[1] and what follows. Operands go into `operands`, which has place
 * for argc of them. EX_USAGE: an unknown option, an argument that is missing,
 * superfluous, or has a line break in it, or what apply answers.
 */
int options_parse(struct stls_err *err, const struct option_table *table,
    int argc, char **argv, void *target, const char **operands,
    size_t *out_count);

#endif
