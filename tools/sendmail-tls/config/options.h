/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CONFIG_OPTIONS_H
#define SENDMAIL_CONFIG_OPTIONS_H

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

/*
 * Where an option may be said, and what it is about. One vocabulary for the
 * command line and the configuration, whose keys are the long names.
 */
enum option_place {
	OPTION_COMMAND_LINE = 1,
	OPTION_CONFIGURATION = 2,
	OPTION_HANDED_OVER = 4, /* by another user, to the submit helper */
};

enum option_kind {
	OPTION_ABOUT_SERVER = 1, /* where it is, and how to log in there */
	OPTION_REPEATS = 2,	 /* may be said twice in one section */
	OPTION_SECRET = 4,	 /* only in a file that nobody else can read */
	OPTION_OF_ACCOUNT = 8,	 /* only behind the [NAME] of an account */
	OPTION_OF_ALL = 16,	 /* only in front of the first account */
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
	unsigned int places; /* of enum option_place */
	unsigned int kinds;  /* of enum option_kind */
};

struct option_use {
	const struct option_spec *spec;
	enum option_place place;
	const char *shown; /* as it was written, for a sentence: "-f", "url" */
	/* NULL for OPTION_ALONE, which a configuration gives yes or no. */
	const char *value;
};

struct option_table {
	const struct option_spec *specs;
	size_t count;
	option_apply visit; /* called in place of every apply, or NULL */
};

/*
 * Parse argv[1] and what follows, said at `place`. Operands go into `operands`,
 * which has room for argc of them. EX_USAGE: an unknown option, one that may
 * not be said there, an argument that is missing, superfluous, or has a line
 * break in it, or what apply answers.
 */
int options_parse(struct stls_err *err, const struct option_table *table,
    enum option_place place, int argc, char **argv, void *target,
    const char **operands, size_t *out_count);

/* The option that is a key of the configuration; NULL: there is none. */
const struct option_spec *options_find_key(
    const struct option_table *table, const char *key);

/*
 * Apply a key of the configuration: 0, or what apply answers. The value stays
 * where it is and may be kept.
 */
int options_apply_key(struct stls_err *err, const struct option_spec *spec,
    const char *value, void *target);

#endif
