/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_CONTENT_H
#define SINK_CONVERSATION_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conversation/maildir.h"

/*
 * The content of one message as it streams by, at any cut: what DATA stuffed
 * is unstuffed, and the look of it is noted.
 */
struct sink_content {
	struct sink_mail *mail; /* where it goes, borrowed */
	uint64_t len;
	uint64_t len_max;
	size_t line_len; /* of the line that is not ended yet */
	bool at_line_start;
	char last; /* the octet before, 0 at the start */

	bool is_too_long;
	bool has_bare_line_end; /* CR or LF alone (RFC 5321 section 2.3.8) */
	bool has_nul;
	bool has_eightbit;
	bool has_long_line; /* RFC 5321 section 4.5.3.1.6 */
};

void sink_content_init(
    struct sink_content *content, struct sink_mail *mail, uint64_t len_max);

/* Take octets of BDAT, all of them (RFC 3030 section 2). */
void sink_content_chunk(
    struct sink_content *content, const char *data, size_t len);

/*
 * Take octets of DATA up to the line with the single dot (RFC 5321 section
 * 4.5.2). Returns how many were used: fewer than there are where the message
 * has ended or two octets must wait for the next one.
 */
size_t sink_content_data(struct sink_content *content, const char *data,
    size_t len, bool *out_ended);

#endif
