/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_SMTP_H
#define SINK_CONVERSATION_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#include "conversation/auth.h"
#include "conversation/content.h"
#include "conversation/maildir.h"
#include "conversation/mischief.h"
#include "conversation/stats.h"

/*
 * The server's side of one conversation, as a value: octets in, replies out.
 * It knows no descriptor and no TLS; whoever drives it says when TLS begins.
 */

/* RFC 5321 section 4.5.3.1.8 asks for 100 at least. */
#define SINK_RECIPIENTS_MAX 1000
/* What SIZE offers (RFC 1870): 1 GiB. */
#define SINK_MESSAGE_LEN_MAX (UINT64_C(1) << 30)
/* Replies are held back no longer when there are so many; no RFC. */
#define SINK_OUT_HIGH 16384
#define SINK_OUT_MAX 65536

/* What all conversations share. */
struct sink_policy {
	struct sink_stats *stats;
	unsigned int extensions;
	struct sink_credentials credentials;
	int maildir;	   /* a descriptor, below 0: keep nothing */
	bool is_finishing; /* no new message is taken */
	const struct sink_mischief *mischief; /* NULL: a good server */
};

enum sink_smtp_state {
	SINK_SMTP_COMMAND = 0,
	SINK_SMTP_SKIP_LINE, /* the rest of a line that was refused */
	SINK_SMTP_AUTH,	     /* a line of a SASL exchange */
	SINK_SMTP_DATA,
	SINK_SMTP_CHUNK,
	SINK_SMTP_STARTTLS, /* to be answered when nothing follows */
	SINK_SMTP_CLOSING   /* what still comes is not looked at */
};

/* What stands between MAIL and the end of the message. */
struct sink_transaction {
	bool is_open;	  /* MAIL was accepted */
	bool is_chunking; /* there was a BDAT */
	bool is_failed;	  /* BDAT went wrong: only RSET helps */
	bool is_eightbit;
	bool has_smtputf8;
	unsigned int recipients;
	struct stls_buf envelope; /* the X-Envelope lines */
	struct sink_mail mail;
	struct sink_content content;
	uint64_t chunk_left;
	bool chunk_is_last;
	const struct sink_reply *chunk_refusal; /* NULL: BDAT may go on */
};

struct sink_smtp {
	const struct sink_policy *policy;
	struct sink_stats *stats;
	struct stls_buf out;
	enum sink_smtp_state state;
	bool is_tls;
	bool is_greeted;  /* EHLO or HELO was there */
	bool is_extended; /* it was EHLO */
	bool is_authenticated;
	enum sink_step step; /* what the next reply answers */
	bool wants_tls;	     /* the 220 is in the output: TLS comes behind it */
	unsigned int errors;
	unsigned int auth_failures;
	struct sink_transaction tx;
	struct sink_auth auth;
	struct sink_mischief_state mischief;
};

void sink_smtp_init(struct sink_smtp *smtp, const struct sink_policy *policy);
void sink_smtp_done(struct sink_smtp *smtp);

/* Put the greeting into the output. */
void sink_smtp_greet(struct sink_smtp *smtp);

/*
 * Take input. Returns how much was used: less than all where something is not
 * complete, or where the output has to leave first.
 */
size_t sink_smtp_feed(struct sink_smtp *smtp, const char *data, size_t len);

/* Say that for now there is no more input. */
void sink_smtp_pause(struct sink_smtp *smtp);

/* Say that TLS is there: everything before it is forgotten. */
void sink_smtp_tls_started(struct sink_smtp *smtp);

/* End the conversation with a 421, where a reply fits in. */
void sink_smtp_abort(
    struct sink_smtp *smtp, const char *enhanced, const char *text);

/* Whether it ended; the output has to leave still. */
static inline bool
sink_smtp_is_closing(const struct sink_smtp *smtp)
{
	return smtp->state == SINK_SMTP_CLOSING;
}

#endif
