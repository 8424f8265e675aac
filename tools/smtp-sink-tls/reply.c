/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

/* Who guesses passwords or speaks something else is sent away; no RFC. */
#define ERRORS_MAX 100

static void
append(struct sink_smtp *smtp, const char *text, size_t len)
{
	/* A reply that is missing would shift all that follow. */
	if (stls_buf_append(&smtp->out, text, len) < 0)
		smtp->state = SINK_SMTP_CLOSING;
}

static void
append_str(struct sink_smtp *smtp, const char *text)
{
	append(smtp, text, strlen(text));
}

static void
append_code(struct sink_smtp *smtp, int code, char separator)
{
	char text[5] = { (char)('0' + code / 100), (char)('0' + code / 10 % 10),
		(char)('0' + code % 10), separator };

	append(smtp, text, 4);
}

static void
count_error(struct sink_smtp *smtp)
{
	smtp->stats->errors++;
	if (++smtp->errors == ERRORS_MAX)
		sink_smtp_abort(smtp, "4.7.0", "too many errors");
}

void
sink_reply(
    struct sink_smtp *smtp, int code, const char *enhanced, const char *text)
{
	append_code(smtp, code, ' ');
	if (enhanced[0] != '\0' &&
	    (smtp->policy->extensions & SINK_ENHANCEDSTATUSCODES) != 0) {
		append_str(smtp, enhanced);
		append(smtp, " ", 1);
	}
	append_str(smtp, text);
	append(smtp, "\r\n", 2);
	/* 421 is no answer to what the client did. */
	if (code >= 400 && code != 421)
		count_error(smtp);
}

void
sink_reply_with(struct sink_smtp *smtp, const struct sink_reply *reply)
{
	sink_reply(smtp, reply->code, reply->enhanced, reply->text);
}

void
sink_reply_line(
    struct sink_smtp *smtp, int code, bool is_last, const char *text)
{
	append_code(smtp, code, is_last ? ' ' : '-');
	append_str(smtp, text);
	append(smtp, "\r\n", 2);
}
