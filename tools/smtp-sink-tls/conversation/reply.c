/* SPDX-License-Identifier: MIT */
#include "conversation/reply.h"

#include <string.h>

#include "conversation/extensions.h"

/* Who guesses passwords or speaks something else is sent away; no RFC. */
#define ERRORS_MAX 100

/* One line: the code, a blank or a hyphen, an enhanced code or "", the text. */
static void
append_line(struct sink_smtp *smtp, int code, char separator,
    const char *enhanced, const char *text)
{
	size_t enhanced_len = strlen(enhanced), text_len = strlen(text);
	unsigned char *place, *p;

	p = place = stls_buf_reserve(&smtp->out, enhanced_len + text_len + 7);
	if (place == NULL) {
		/* A reply that is missing would shift all that follow. */
		smtp->state = SINK_SMTP_CLOSING;
		return;
	}
	*p++ = (unsigned char)('0' + code / 100);
	*p++ = (unsigned char)('0' + code / 10 % 10);
	*p++ = (unsigned char)('0' + code % 10);
	*p++ = (unsigned char)separator;
	if (enhanced_len > 0) {
		memcpy(p, enhanced, enhanced_len);
		p += enhanced_len;
		*p++ = ' ';
	}
	memcpy(p, text, text_len);
	p += text_len;
	memcpy(p, "\r\n", 2);
	stls_buf_commit(&smtp->out, (size_t)(p + 2 - place));
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
	if ((smtp->policy->extensions & SINK_ENHANCEDSTATUSCODES) == 0)
		enhanced = "";
	append_line(smtp, code, ' ', enhanced, text);
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
	append_line(smtp, code, is_last ? ' ' : '-', "", text);
}
