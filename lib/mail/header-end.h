/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_HEADER_END_H
#define STLS_MAIL_HEADER_END_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds out when enough of a text has come in to prepare it for submission
 * (mail/submission.h), so that the body need not be there as well: each line
 * is looked at once. Zero-initialised it is at the beginning.
 */
struct stls_header_end {
	size_t line;	 /* where the first line begins that is not whole */
	size_t searched; /* no line end between line and here */
	bool in_field;	 /* the next line may continue it */
	bool is_inside;	 /* behind what stores put in front */
	bool after_from; /* an mbox line, if the next one says so */
};

/*
 * Look at the text so far, the whole of it; only what was added may differ
 * from the last call. True: stls_submission_prepare() finds the same header
 * and the same start of the body, whatever follows.
 */
bool stls_header_end_is_there(
    struct stls_header_end *end, const char *text, size_t len);

#endif
