/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_DIR_H
#define SENDMAIL_SPOOL_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "spool/file.h"

/*
 * The folder of the spool and the files in it:
 *
 *	queue/ID	a message that is to be sent
 *	queue/.new-...	one that is being written
 *	dead/ID		one that nothing can be done with
 *	last-run	the time of the last run
 *
 * Whatever is said to be durable is on the disk and not in a cache, its name
 * too. Nothing here follows a symbolic link below the folder itself, and the
 * folder and all in it is the user's alone.
 */
struct spool {
	char *path;
	int dir;
	int queue;
	int dead;
};

/* The time in milliseconds, so that ids sort by it, and 80 random bits. */
#define SPOOL_ID_LEN 28

/* EX_CANTCREAT: it cannot be made, is not ours, or is open to others. */
int spool_open(struct stls_err *err, const char *path, struct spool *spool);

/* Open what is there; spool->dir is -1 where there is no spool yet. */
int spool_open_existing(
    struct stls_err *err, const char *path, struct spool *spool);
void spool_close(struct spool *spool);

/* Whether some run ever looked at it. */
bool spool_was_run(const struct spool *spool);

/* Note that one did. */
int spool_note_run(struct stls_err *err, const struct spool *spool);

/* The ids in the queue, or among the dead, oldest first. EX_OSERR. */
struct spool_ids {
	char (*ids)[SPOOL_ID_LEN + 1];
	size_t count;
};
int spool_list(
    struct stls_err *err, const struct spool *spool, struct spool_ids *ids);
int spool_list_dead(
    struct stls_err *err, const struct spool *spool, struct spool_ids *ids);
void spool_ids_done(struct spool_ids *ids);

bool spool_id_is_valid(const char *id);

/* Put one of the dead, if there is one of this id, back into the queue. */
int spool_revive(
    struct stls_err *err, const struct spool *spool, const char *id);

/* Remove what was left behind by programs that were killed while writing. */
void spool_sweep(const struct spool *spool);

/* --- a new message ----------------------------------------------------- */

struct spool_new {
	const struct spool *spool;
	char
	    temporary[SPOOL_ID_LEN + 8]; /* "" where nothing is to be removed */
	int fd;
	uint64_t left; /* of the content */
};

/*
 * Begin one of so much content, write it piece by piece, and make it a message
 * with these records; it is durable when *out_id is there. EX_CANTCREAT.
 */
int spool_new_begin(struct stls_err *err, const struct spool *spool,
    uint64_t content_len, struct spool_new *new_file);
int spool_new_write(struct stls_err *err, struct spool_new *new_file,
    const void *data, size_t len);
int spool_new_commit(struct stls_err *err, struct spool_new *new_file,
    const struct stls_buf *records, char out_id[SPOOL_ID_LEN + 1]);

/* Remove what was not committed; needed in any case. */
void spool_new_done(struct spool_new *new_file);

/* --- a message that is there ------------------------------------------- */

struct spool_file {
	const struct spool *spool;
	char id[SPOOL_ID_LEN + 1];
	int fd; /* -1: not open */
	uint64_t content_len;
	off_t end;  /* where the next record goes */
	off_t size; /* of the file; behind the end is a tail to be cut */
};

/*
 * Open one and lock it, so that nobody else sends it. Where somebody has it, or
 * it is not there any more, file->fd is -1. EX_DATAERR: it is no file of ours.
 */
int spool_file_lock(struct stls_err *err, const struct spool *spool,
    const char *id, struct spool_file *file);

/* Open one to look at it only. */
int spool_file_open(struct stls_err *err, const struct spool *spool,
    const char *id, struct spool_file *file);

/* Read what is known of it. EX_DATAERR: broken; EX_NOINPUT. */
int spool_file_load(struct stls_err *err, struct spool_file *file,
    struct spool_message *message);

/* Read content at an offset. EX_NOINPUT: it cannot be read. */
int spool_file_read(struct stls_err *err, const struct spool_file *file,
    uint64_t offset, void *buf, size_t cap, size_t *out_len);

/*
 * Append records, durably or not. `reserve` octets more are taken on the disk,
 * so that what has to be written next has a place. EX_CANTCREAT.
 */
int spool_file_append(struct stls_err *err, struct spool_file *file,
    const struct stls_buf *records, size_t reserve, bool durable);

/*
 * Whether so many octets of records stay within these quarters of what a file
 * may hold: words give way to what is noted before an end of data, and that to
 * what became of a message.
 */
bool spool_file_has_room(
    const struct spool_file *file, size_t len, unsigned int quarters);
#define SPOOL_QUARTERS_FOR_WORDS 1
#define SPOOL_QUARTERS_FOR_DOUBT 3

/* Remove it for good, or put it among the dead; durable. EX_CANTCREAT. */
int spool_file_remove(struct stls_err *err, const struct spool_file *file);
int spool_file_bury(struct stls_err *err, const struct spool_file *file);

/* Unlock and close; copes with fd -1. */
void spool_file_close(struct spool_file *file);

#endif
