/* SPDX-License-Identifier: MIT */
#include "serve/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/command.h"

/* RFC 5321 section 4.5.3.1.5, without code and CRLF. */
#define REPLY_TEXT_MAX 480
/* No more is answered before this has been taken: the longest reply fits. */
#define OUT_HIGH 16384

/* A line of a reply; what it cannot have becomes a question mark. */
static int
append_line(struct stls_buf *out, int code, char separator,
    const char *enhanced, const char *text, size_t len)
{
	char line[REPLY_TEXT_MAX + 40];
	size_t used, i;

	used = (size_t)snprintf(line, 32, "%d%c%.16s%s", code, separator,
	    enhanced, enhanced[0] != '\0' ? " " : "");
	for (i = 0; i < len && i < REPLY_TEXT_MAX; i++)
		line[used++] = (char)(text[i] >= ' ' && text[i] < 0x7f ? text[i]
								       : '?');
	line[used++] = '\r';
	line[used++] = '\n';
	return stls_buf_append(out, line, used);
}

/* One reply, a line for each line of the text. */
void
smtp_server_reply(struct smtp_server *server, int code, const char *enhanced,
    const char *text)
{
	size_t len;
	bool is_last;

	do {
		len = strcspn(text, "\n");
		is_last = text[len] == '\0' || text[len + 1] == '\0';
		if (append_line(&server->out, code, is_last ? ' ' : '-',
			enhanced, text, len) < 0) {
			/* Who waits for this one is told by the end. */
			server->state = SMTP_SERVER_CLOSING;
			server->lacks_memory = true;
		}
		text += len + 1;
	} while (!is_last);
}

void
smtp_server_reset(struct smtp_server *server)
{
	free(server->sender);
	server->sender = NULL;
	server->smtputf8 = false;
	stls_address_list_done(&server->recipients);
	memset(&server->content, 0, sizeof(server->content));
}

void
smtp_server_init(struct smtp_server *server, const char *name)
{
	char greeting[300];

	memset(server, 0, sizeof(*server));
	server->name = name;
	stls_buf_init(&server->out, SMTP_SERVER_OUT_MAX);
	snprintf(greeting, sizeof(greeting), "%.255s ESMTP sendmail-tls", name);
	smtp_server_reply(server, 220, "", greeting);
}

void
smtp_server_done(struct smtp_server *server)
{
	smtp_server_reset(server);
	stls_buf_done(&server->out);
}

static void
close_with(struct smtp_server *server, int code, const char *enhanced,
    const char *text)
{
	smtp_server_reply(server, code, enhanced, text);
	server->state = SMTP_SERVER_CLOSING;
	server->was_refused = true;
	smtp_server_reset(server);
}

void
smtp_server_abort(
    struct smtp_server *server, const char *enhanced, const char *text)
{
	if (server->state != SMTP_SERVER_CLOSING)
		close_with(server, 421, enhanced, text);
}

void
smtp_server_refuse(struct smtp_server *server, int code, const char *enhanced,
    const char *text)
{
	smtp_server_reply(server, code, enhanced, text);
	if (++server->errors >= SMTP_SERVER_ERRORS_MAX)
		smtp_server_abort(server, "4.7.0", "too many errors");
}

/* After a DATA that was refused it is of the content: worse may follow it. */
void
smtp_server_refuse_line(
    struct smtp_server *server, const char *enhanced, const char *text)
{
	if (server->data_was_refused)
		smtp_server_abort(server, "4.5.0",
		    "what followed DATA, which was refused, is no command");
	else
		smtp_server_refuse(server, 500, enhanced, text);
}

/* Gather a line and run it. */
static size_t
take_command(struct smtp_server *server, const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - data) + 1 : len;
	size_t line_len;

	/* Its last place is for a NUL. */
	if (n >= sizeof(server->line) - server->line_len) {
		server->state = SMTP_SERVER_SKIP_LINE;
		server->line_len = 0;
		return 0;
	}
	memcpy(server->line + server->line_len, data, n);
	server->line_len += n;
	if (lf != NULL) {
		line_len = server->line_len;
		server->line_len = 0;
		smtp_command_run(server, line_len, n < len);
	}
	return n;
}

static size_t
skip_line(struct smtp_server *server, const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);

	if (lf == NULL)
		return len;
	server->state = SMTP_SERVER_COMMAND;
	smtp_server_refuse_line(server, "5.5.2", "the line is too long");
	return (size_t)(lf - data) + 1;
}

/*
 * What a CR or LF alone is, servers do not agree upon: behind it a message
 * could be hidden. Nothing more is believed of this client.
 */
static void
refuse_bare(struct smtp_server *server, enum smtp_content_result result)
{
	if (result == SMTP_CONTENT_BARE_CR)
		close_with(server, 554, "5.6.0",
		    "there is a CR without LF in the message");
	else
		close_with(server, 554, "5.6.0",
		    "there is a LF without CR in the message");
}

static enum smtp_server_event
take_content(
    struct smtp_server *server, const char *data, size_t len, size_t *out_used)
{
	enum smtp_content_result result;

	result = smtp_content_take(&server->content, data, len, out_used,
	    &server->text, &server->text_len);
	if (result == SMTP_CONTENT_ENDED) {
		server->state = SMTP_SERVER_ANSWER;
		return SMTP_SERVER_COMPLETE;
	}
	if (result == SMTP_CONTENT_GOES_ON)
		return SMTP_SERVER_TEXT;
	refuse_bare(server, result);
	return SMTP_SERVER_CLOSED;
}

enum smtp_server_event
smtp_server_next(
    struct smtp_server *server, const char *data, size_t len, size_t *out_used)
{
	enum smtp_server_event event;
	size_t used = 0, n;

	while (used < len && stls_buf_len(&server->out) < OUT_HIGH) {
		switch (server->state) {
		case SMTP_SERVER_COMMAND:
			used += take_command(server, data + used, len - used);
			if (server->state != SMTP_SERVER_CONTENT)
				break;
			*out_used = used;
			return SMTP_SERVER_BEGINS;
		case SMTP_SERVER_SKIP_LINE:
			used += skip_line(server, data + used, len - used);
			break;
		case SMTP_SERVER_CONTENT:
			event = take_content(
			    server, data + used, len - used, &n);
			*out_used = used + n;
			return event;
		case SMTP_SERVER_ANSWER:
			*out_used = used;
			return SMTP_SERVER_COMPLETE;
		case SMTP_SERVER_CLOSING:
			used = len;
		}
	}
	*out_used = used;
	return server->state == SMTP_SERVER_CLOSING ? SMTP_SERVER_CLOSED
						    : SMTP_SERVER_WANTS_INPUT;
}

void
smtp_server_answer(struct smtp_server *server, int code, const char *enhanced,
    const char *text)
{
	smtp_server_reset(server);
	server->state = SMTP_SERVER_COMMAND;
	smtp_server_reply(server, code, enhanced, text);
}

bool
smtp_server_is_in_transaction(const struct smtp_server *server)
{
	return server->line_len > 0 || server->sender != NULL;
}
