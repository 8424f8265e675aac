/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_FILE_H
#define SENDMAIL_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The format of a file of the spool, without any file: a first line of fixed
 * length, the content as it is sent, a line end, and records, one in a line:
 *
 *	smtptls-spool 1 00000000000000012345
 *	...12345 octets...
 *	1c9e4f07 arrived 1795000000
 *	77d0a2be sender <a@example.org>
 *	...
 *
 * Records are only ever appended. Each begins with a checksum of its own, so
 * that a tail that was being written when the machine stopped is known for
 * what it is, and dropped. A bad record with a good one behind it is none of
 * that: such a file is broken.
 */
#define SPOOL_FILE_HEAD_LEN 37

/* What is appended at a time, and what a file may hold of it. */
#define SPOOL_FILE_TEXT_MAX 1000
#define SPOOL_FILE_RECORDS_MAX (64U * 1024 * 1024)

enum spool_state {
	SPOOL_WAITING,	/* not tried yet, or refused for now */
	SPOOL_IN_DOUBT, /* its last octet may have left */
	SPOOL_ACCEPTED,
	SPOOL_REFUSED, /* for good, and the sender does not know yet */
	SPOOL_TOLD,    /* for good, and the sender does */
	SPOOL_STATE_COUNT
};

struct spool_recipient {
	char *address;
	enum spool_state state;
	time_t since;		/* when it came into this state */
	char *reply;		/* the server's last one about it, or NULL */
	bool is_reply_new;	/* it is not the one that is in the file */
	enum spool_state noted; /* the state that is there */
};

/* The last attempt to send a message. */
struct spool_attempt {
	time_t when;
	time_t next; /* not before this */
	long age_s;  /* how long it had been tried then, see spool/schedule.h */
	int status;  /* of sysexits.h */
	char *text;  /* what was said, in one line; NULL before the first */
};

/* A name and a value that belong to the message: what -N and others said. */
struct spool_option {
	char *name;
	char *value;
};

/* What the records say. Zero-initialised it is empty. */
struct spool_message {
	time_t arrived;
	char *account; /* "" for the one that is the default */
	char *sender;  /* "" for the null sender */
	struct spool_option *options;
	size_t option_count;
	struct spool_recipient *recipients;
	size_t recipient_count;
	unsigned int attempts;
	struct spool_attempt last;
};

/* The first line. EX_DATAERR: it is none of this version. */
void spool_file_format_head(
    uint64_t content_len, char out[SPOOL_FILE_HEAD_LEN + 1]);
int spool_file_parse_head(
    struct stls_err *err, const char *head, size_t len, uint64_t *out_len);

/*
 * Read the records behind the content, with the line end that is in front of
 * them. *out_used is where the good ones end and the next one goes. EX_DATAERR:
 * broken, with a sentence; EX_OSERR. *message is to be freed in any case.
 */
int spool_file_parse(struct stls_err *err, const char *text, size_t len,
    struct spool_message *message, size_t *out_used);

/*
 * Append records. Text is escaped and cut; an address or a name that cannot
 * stand in a line is EX_DATAERR. EX_OSERR.
 */
int spool_file_append_envelope(struct stls_err *err, struct stls_buf *buf,
    const struct spool_message *message);
int spool_file_append_state(struct stls_err *err, struct stls_buf *buf,
    size_t recipient, enum spool_state state, time_t since, const char *reply);
int spool_file_append_doubt(
    struct stls_err *err, struct stls_buf *buf, time_t since);
int spool_file_append_attempt(struct stls_err *err, struct stls_buf *buf,
    const struct spool_attempt *attempt);

/* The value of an option, NULL where it is not set. */
const char *spool_message_option(
    const struct spool_message *message, const char *name);
int spool_message_add_option(struct stls_err *err,
    struct spool_message *message, const char *name, const char *value);
int spool_message_add_recipient(
    struct stls_err *err, struct spool_message *message, const char *address);

/* How many recipients are in this state. */
size_t spool_message_count(
    const struct spool_message *message, enum spool_state state);

/* The word for a state, as in the file. */
const char *spool_state_word(enum spool_state state);

void spool_message_done(struct spool_message *message);

#endif
