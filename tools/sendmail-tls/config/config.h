/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CONFIG_CONFIG_H
#define SENDMAIL_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"
#include "config/options.h"

/*
 * What configuration files say, before it is applied: one entry for each
 * `key = value`, in the order of the files. Keys in front of the first
 * section hold for all accounts, a section is an account.
 *
 * Values may be secrets, so all of them are wiped. They are kept at their
 * place until config_done(): struct settings points to them.
 */
enum config_source {
	CONFIG_SYSTEM,
	CONFIG_USER,
	CONFIG_ONLY, /* --config: no other one is read */
};

struct config_entry {
	enum config_source source;
	const char *file; /* in config->files */
	unsigned int line;
	char *account; /* "" where it holds for all */
	char *key;
	struct stls_secret value;
};

struct config_account {
	const char *file;
	unsigned int line;
	char *name;
};

#define CONFIG_FILES_MAX 2

struct config {
	const struct option_table *vocabulary; /* the keys that there are */
	struct config_entry *entries;
	size_t count;
	struct config_account *accounts;
	size_t account_count;
	char *files[CONFIG_FILES_MAX]; /* those that were read */
	size_t file_count;
	const char *home; /* what ~/ is; NULL: nothing */
	char **strings;	  /* that were made from values */
	size_t string_count;
	/*
	 * There is a system file, and this user may not read it or should not
	 * believe it, since it belongs to another user than root: only the
	 * submit helper can use it.
	 */
	bool system_is_out_of_reach;
};

/* Where to look. NULL: not there. */
struct config_paths {
	const char *system;
	const char *user;
	const char *only;    /* instead of the two others */
	const char *home;    /* what ~/ is */
	const char *aliases; /* what is used where none is set */
};

/*
 * Read the files: 0, or EX_CONFIG with file and line: a file cannot be read,
 * can be changed by others, or can be read by others and has a secret in it; a
 * line is none; a key is not in the vocabulary, which is borrowed, is there
 * twice, or is where it may not be. EX_OSERR.
 *
 * A system or user file that is not there is no error, config->file_count
 * tells. Of one that is out of reach only that is told.
 */
int config_load(struct stls_err *err, const struct config_paths *paths,
    const struct option_table *vocabulary, struct config *config);

/*
 * The file that a value names: a whole path, or one with ~/ in front. `key` is
 * for the sentence. What was made stays until config_done().
 */
int config_expand_path(struct stls_err *err, struct config *config,
    const char *key, const char *value, const char **out_path);

/* Wipe and free. Copes with a zeroed struct; usable with CLEANUP. */
void config_done(struct config *config);

/*
 * Add what a text says, by config->vocabulary: 0, EX_CONFIG, EX_OSERR. `file`
 * is kept, the text is not. *out_has_secret tells whether a key in it is one
 * that is a secret.
 */
int config_parse(struct stls_err *err, struct config *config,
    enum config_source source, const char *file, const char *text, size_t len,
    bool *out_has_secret);

#endif
