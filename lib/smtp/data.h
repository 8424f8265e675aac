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
 */
struct stls_data {
	bool is_chunk;		  /* for BDAT: no dots, no final dot */
	bool reject_line_endings; /* refuse what is not CRLF */
	bool refuse_8bit;	  /* the server does not offer 8BITMIME */
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

/* End the last line if need be, and append the line with the dot. */
int stls_data_end(
    struct stls_err *err, struct stls_data *data, struct stls_buf *out);

/* What is known of a content that was looked at as a whole. */
struct stls_data_facts {
	uint64_t size; /* with CRLF line endings, without doubled dots */
	bool has_8bit;
};

/*
 * Look at a piece of content; start with zeroed facts and state, end with
 * stls_data_look_end().
 */
struct stls_data_look {
	struct stls_data_facts facts;
	bool in_line;
	bool after_cr;
};
void stls_data_look(struct stls_data_look *look, const char *text, size_t len);
void stls_data_look_end(struct stls_data_look *look);

#endif
