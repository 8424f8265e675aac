/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_DATA_H
#define STLS_SMTP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* The octets of input that are transformed at once. */
#define STLS_DATA_CHUNK_MAX 16384
/* The most that a chunk can become: each LF a CRLF, or a dot doubled. */
#define STLS_DATA_GROWTH_MAX (2 * STLS_DATA_CHUNK_MAX + 3)

/*
 * The content on its way to DATA: line endings become CRLF, a dot that begins
 * a line is doubled (RFC 5321 section 4.5.2), a NUL is refused. What a line
 * start is, is decided on what is written, never on what was read, so no mix
 * of line endings can hide a dot. Zero-initialised it normalises.
 *
 * On its way to BDAT (RFC 3030) it is the same but for the dots: none is
 * doubled, and none ends it.
 */
struct stls_data {
	bool reject_line_endings; /* refuse what is not CRLF */
	bool refuse_8bit;	  /* the server does not offer 8BITMIME */
	bool is_chunk;		  /* for BDAT */
	bool in_line;		  /* the last octet written ended no line */
	bool after_cr;		  /* a CR was read and its CRLF written */
	uint64_t octets_in;
};

/*
 * Transform at most STLS_DATA_CHUNK_MAX octets and append them to out, which
 * needs room for STLS_DATA_GROWTH_MAX. SMTPTLS_E_SOURCE: a NUL or a line
 * ending that is refused; SMTPTLS_E_UNSUPPORTED: 8-bit; SMTPTLS_E_NOMEM.
 */
int stls_data_write(struct stls_err *err, struct stls_data *data,
    const char *text, size_t len, struct stls_buf *out);

/*
 * End the last line if need be and, but for BDAT, append the line with the
 * dot. For BDAT nothing at all may be appended.
 */
int stls_data_end(
    struct stls_err *err, struct stls_data *data, struct stls_buf *out);

/* What is known of a content that was looked at as a whole. */
struct stls_data_facts {
	uint64_t size; /* with CRLF line endings, without doubled dots */
	bool has_8bit;
	/* Octets, counted from 1, 0 for none: the first NUL, ... */
	uint64_t nul_at;
	/* ... and the first CR or LF that is not of a CRLF. */
	uint64_t bad_line_ending_at;
};

/*
 * What will make a content fail when it is written, as stls_data_write() will
 * say it, but for 8-bit. SMTPTLS_OK, SMTPTLS_E_SOURCE.
 */
int stls_data_check(struct stls_err *err, const struct stls_data_facts *facts,
    bool reject_line_endings);

/*
 * Look at a piece of content, of any length; start with a zeroed struct. The
 * facts are complete after stls_data_look_end().
 */
struct stls_data_look {
	struct stls_data_facts facts;
	uint64_t octets_in;
	unsigned char last; /* the octet that was last */
};
void stls_data_look(struct stls_data_look *look, const char *text, size_t len);
void stls_data_look_end(struct stls_data_look *look);

#endif
