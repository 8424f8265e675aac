/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SPOOL_RECORD_H
#define SENDMAIL_SPOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A record that is being read: `CHECKSUM WORD ...`, see spool/file.h. */
#define SPOOL_RECORD_LEN_MAX 2048

struct spool_record {
	char text[SPOOL_RECORD_LEN_MAX + 1]; /* without checksum and line end */
	char *rest;			     /* what has not been read of it */
};

/* The checksum: FNV-1a, for accidents, not for enemies. */
uint32_t spool_record_sum(const char *text, size_t len);

/*
 * Take the record at *offset and move behind it. False, and nothing changes,
 * where there is none that is whole.
 */
bool spool_record_next(const char *text, size_t len, size_t *offset,
    struct spool_record *out_record);

/* Whether there is a whole record somewhere in the text. */
bool spool_record_is_any(const char *text, size_t len);

/* Take a word, a number or a bracketed address; NULL and false: it is none. */
const char *spool_record_word(struct spool_record *record);
bool spool_record_number(struct spool_record *record, int64_t *out_number);
const char *spool_record_address(struct spool_record *record);

/* Take all that is left. */
const char *spool_record_rest(struct spool_record *record);
bool spool_record_is_at_end(const struct spool_record *record);

#endif
