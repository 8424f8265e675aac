/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_SOURCE_H
#define STLS_TLS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include "base/err.h"

/*
 * What certificates, keys and revocation lists are read from. 16 MiB are
 * some 10,000 certificates; the system's store has 0.2 MiB, and the largest
 * revocation lists of public CAs have 10.
 */
#define STLS_SOURCE_SIZE_MAX (16UL * 1024 * 1024)

struct stls_source {
	const char *name; /* for sentences: the path, or NULL for memory */
	const char *data;
	size_t len;
	char *owned;	/* what done() wipes and frees, or NULL */
	bool is_public; /* nothing in it was secret: done() only frees */
	/* Where the next block is looked for. */
	size_t offset;
	size_t line;
};

/*
 * Read a regular file; anything else (a pipe, a device) is refused without
 * waiting for it. The path must outlive the source.
 */
int stls_source_open(
    struct stls_source *out, struct stls_err *err, const char *path);

/* Borrow memory. */
int stls_source_init_mem(struct stls_source *out, struct stls_err *err,
    const void *data, size_t len);

/* Wipe what may have a private key in it. Copes with a zeroed struct. */
void stls_source_done(struct stls_source *source);

/* A piece of a source: a PEM block with its boundaries, or a DER value. */
struct stls_block {
	gnutls_datum_t data; /* borrowed from the source */
	gnutls_x509_crt_fmt_t format;
	const char *label; /* of PEM, between BEGIN and the dashes; NULL: DER */
	size_t label_len;
	size_t line; /* of its first line, from 1; of DER: its offset */
};

/*
 * Get the next block: SMTPTLS_OK; SMTPTLS_AGAIN: there is none any more;
 * SMTPTLS_E_INVALID: a block without an end, or something in DER that is no
 * value. Text between PEM blocks is passed over (RFC 7468 section 2).
 */
int stls_source_next(
    struct stls_source *source, struct stls_err *err, struct stls_block *out);

void stls_source_rewind(struct stls_source *source);

bool stls_block_is(const struct stls_block *block, const char *label);

/*
 * Decode a block of PEM, or copy one of DER. `out` has place for as much as the
 * block has. Returns the length; 0: it is not plainly base64 in lines, but may
 * be something that GnuTLS can read.
 */
size_t stls_block_decode(unsigned char *out, const struct stls_block *block);

/* Set `<file> line <n>: <sentence>`. */
__attribute__((format(printf, 4, 5))) int stls_source_fail(
    const struct stls_source *source, struct stls_err *err,
    const struct stls_block *block, const char *fmt, ...);

#endif
