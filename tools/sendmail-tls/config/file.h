/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CONFIG_FILE_H
#define SENDMAIL_CONFIG_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

/* What became of an attempt to open a file. */
enum config_opened {
	CONFIG_OPENED,
	CONFIG_ABSENT,
	CONFIG_OUT_OF_REACH, /* it is there, and not for this user */
	CONFIG_BROKEN,
};

/* `what` is for the sentence: "configuration file". */
enum config_opened config_file_open(struct stls_err *err, const char *what,
    const char *path, struct stat *out_st, int *out_fd);

/* Whether it belongs to somebody who is neither root nor this user. */
bool config_file_is_foreign(const struct stat *st);

/*
 * EX_CONFIG: it is no regular file, is foreign, or others can change it:
 * whoever can has any command run as this user, or gets the mail.
 */
int config_file_check(
    struct stls_err *err, const char *path, const struct stat *st);

/* EX_CONFIG and the command to type, where the group or others have rights. */
int config_file_check_secret(
    struct stls_err *err, const char *path, const struct stat *st);

/* Append all of it to the text. EX_CONFIG: it is longer than `text` allows. */
int config_file_read(
    struct stls_err *err, int fd, const char *path, struct stls_buf *text);

/* All of that: open, check, read. */
int config_file_load(struct stls_err *err, const char *what, const char *path,
    bool has_secret, struct stls_buf *text);

#endif
