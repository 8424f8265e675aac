/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SERVE_SERVER_H
#define SENDMAIL_SERVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/address.h"
#include "serve/content.h"

/*
 * The server's side of SMTP for -bs, as a value: octets in, replies and events
 * out. It owns no descriptor and delivers nothing; whoever drives it does.
 */

/* RFC 5321 section 4.5.3.1.4 asks for 512, extensions for more. */
#define SMTP_SERVER_LINE_MAX 2048
/* Then it is no client that one could talk to. */
#define SMTP_SERVER_ERRORS_MAX 20
/* Replies wait to be taken; a line of commands is answered by far fewer. */
#define SMTP_SERVER_OUT_MAX 65536

enum smtp_server_event {
	SMTP_SERVER_WANTS_INPUT, /* all that was given was used */
	SMTP_SERVER_BEGINS,	 /* DATA was accepted: a message comes */
	SMTP_SERVER_TEXT,	 /* a piece of it */
	SMTP_SERVER_COMPLETE,	 /* it is to be answered */
	SMTP_SERVER_CLOSED,	 /* nothing more is said */
};

struct smtp_server {
	const char *name; /* ours; borrowed, as the next two */
	/* For bare local parts; NULL: they are refused. */
	const char *sender_domain, *recipient_domain;
	/* Whether more input can be read than was given; NULL: never. */
	bool (*has_more)(void);
	struct stls_buf out;

	enum {
		SMTP_SERVER_COMMAND,
		SMTP_SERVER_SKIP_LINE, /* the rest of one that is too long */
		SMTP_SERVER_CONTENT,
		SMTP_SERVER_ANSWER, /* is to be given */
		SMTP_SERVER_CLOSING
	} state;
	bool data_was_refused; /* what comes may be meant for content */
	bool was_refused;      /* the conversation was ended by us */
	bool lacks_memory;     /* and so it was, without a last word */
	unsigned int errors;

	/* The line that has not come as a whole. */
	char line[SMTP_SERVER_LINE_MAX];
	size_t line_len;

	/* The transaction: MAIL was accepted where there is a sender. */
	char *sender;
	bool smtputf8;
	struct stls_address_list recipients;
	struct smtp_content content;

	/* The piece that SMTP_SERVER_TEXT tells of, in the input. */
	const char *text;
	size_t text_len;
};

/* The greeting is in the output at once. What is borrowed can be set then. */
void smtp_server_init(struct smtp_server *server, const char *name);
void smtp_server_done(struct smtp_server *server);

/*
 * Go on with input, up to the next event. *out_used tells how much of it was
 * used; the rest is given again. Whatever it says, the output is to be sent
 * before anything else is waited for.
 */
enum smtp_server_event smtp_server_next(
    struct smtp_server *server, const char *data, size_t len, size_t *out_used);

/*
 * Answer what is complete: a code, an enhanced code or "", and a text in which
 * each line is one of the reply; it is made fit for it. The transaction is
 * over.
 */
void smtp_server_answer(struct smtp_server *server, int code,
    const char *enhanced, const char *text);

/* End the conversation, as after a time in which nothing was said. */
void smtp_server_abort(
    struct smtp_server *server, const char *enhanced, const char *text);

/* Whether the client left something unfinished, if it goes now. */
bool smtp_server_is_in_transaction(const struct smtp_server *server);

#endif
