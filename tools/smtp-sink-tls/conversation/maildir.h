/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_MAILDIR_H
#define SINK_CONVERSATION_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define SINK_NAME_MAX 80

/*
 * One message on its way into a maildir: written below tmp/, and moved to
 * new/ when it is complete. Nothing is synced to the disk: whoever needs the
 * mail after a power failure wants another server.
 */
struct sink_mail {
	int dir; /* the maildir, borrowed; below 0: keep nothing */
	int fd;	 /* below 0: none open */
	char name[SINK_NAME_MAX]; /* "" where nothing is kept */
	char *buf;
	size_t used;
	bool has_failed;
};

/* Make the folders where they are missing, and open the maildir. */
int sink_maildir_open(struct stls_err *err, const char *path, int *out_dir);

void sink_mail_init(struct sink_mail *mail, int dir);

/*
 * Start a message: give it a name, unlike any other, and a file. Errors of
 * the disk are told by errno and a result below 0; those of writing come with
 * the commit.
 */
int sink_mail_begin(struct sink_mail *mail);
void sink_mail_write(struct sink_mail *mail, const void *data, size_t len);
int sink_mail_commit(struct sink_mail *mail);

/* Drop what was begun, if anything. */
void sink_mail_abort(struct sink_mail *mail);

#endif
