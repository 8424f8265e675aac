/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SERVE_CONTENT_H
#define SENDMAIL_SERVE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What follows DATA, at any cut (RFC 5321 sections 4.1.1.4 and 4.5.2): only
 * CRLF ends a line and only CRLF.CRLF the message. A CR or LF alone is none of
 * both, and servers do not agree on what it is: it is an error, so that nothing
 * can be hidden behind it. Zero-initialised it is at the beginning.
 */
struct smtp_content {
	enum {
		SMTP_CONTENT_LINE_START,
		SMTP_CONTENT_IN_LINE,
		SMTP_CONTENT_CR,     /* after a CR in or behind a line */
		SMTP_CONTENT_DOT,    /* after a dot that began a line */
		SMTP_CONTENT_DOT_CR, /* and a CR */
	} state;
};

enum smtp_content_result {
	SMTP_CONTENT_GOES_ON,
	SMTP_CONTENT_ENDED,
	SMTP_CONTENT_BARE_CR,
	SMTP_CONTENT_BARE_LF
};

/*
 * Take input up to a dot that is not data. The piece of content in it is
 * *out_text, which may be empty; *out_used is above 0 where there is input.
 */
enum smtp_content_result smtp_content_take(struct smtp_content *content,
    const char *data, size_t len, size_t *out_used, const char **out_text,
    size_t *out_len);

#endif
