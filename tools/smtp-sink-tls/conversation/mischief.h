/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_MISCHIEF_H
#define SINK_CONVERSATION_MISCHIEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a server does to its clients where it was told to (--misbehave). A good
 * server has none of it: everything here hangs on one pointer that is NULL.
 * misbehaviour.h says what a row of the table is; mischief/table.c has them.
 */

struct sink_smtp;

/* What a reply answers. */
enum sink_step {
	SINK_STEP_OTHER = 0,
	SINK_STEP_GREETING,
	SINK_STEP_EHLO,
	SINK_STEP_HELO,
	SINK_STEP_STARTTLS,
	SINK_STEP_AUTH,
	SINK_STEP_MAIL,
	SINK_STEP_RCPT,
	SINK_STEP_DATA,
	SINK_STEP_CHUNK,   /* BDAT, but for the last one */
	SINK_STEP_CONTENT, /* the final dot, or the last BDAT */
	SINK_STEP_RSET,
	SINK_STEP_NOOP,
	SINK_STEP_QUIT
};

/* How a connection goes on when everything that was written has left. */
enum sink_end {
	SINK_END_NONE = 0,
	SINK_END_NOTIFY, /* close_notify, where there is TLS, and FIN */
	SINK_END_CLOSE,	 /* FIN, without close_notify */
	SINK_END_RESET,
	SINK_END_HALF,	  /* FIN, and what comes is read for long */
	SINK_END_SILENCE, /* what comes is read, and not answered */
	SINK_END_DEAF	  /* nothing is read any more */
};

/* What goes on when the output is empty, a piece at a time. */
struct sink_filler {
	const char *text; /* NULL: nothing does */
	uint64_t left;	  /* of these; UINT64_MAX: for ever */
	const char *tail; /* behind the last one */
	char line[12];	  /* place for a text, and for a tail, with a code */
	char last[12];
};

/* What a conversation remembers of it; zero-initialised it is nothing. */
struct sink_mischief_state {
	enum sink_end end;
	unsigned int hidden; /* extensions: not offered, not taken ... */
	unsigned int shown;  /* ... offered all the same */
	bool takes_clear;    /* AUTH and mail without TLS */
	bool is_early;	     /* the next answer was given already */
	unsigned int count;  /* whatever the row counts */
	uint64_t sent;	     /* octets of SMTP */
	const char *args;    /* of the command, while it is carried out */
	size_t args_len;
	struct sink_filler filler;
};

/* A row of the table, with what was given to it. */
struct sink_mischief {
	const struct sink_misbehaviour *row;
	enum sink_step step; /* it is about; OTHER: any */
	unsigned int word;   /* which of its words it was */
	bool is_about_auth;
	uint64_t number;
};

/* A conversation begins, in clear or, again, inside TLS. */
void sink_mischief_begin(struct sink_smtp *smtp);

/*
 * A command is about to be carried out, the greeting to be said, or a message
 * to be kept (SINK_STEP_CONTENT). Returns true where it was answered instead.
 */
bool sink_mischief_takes(struct sink_smtp *smtp, enum sink_step step);

/* The output from `mark` on is the whole answer to smtp->step. */
void sink_mischief_reply(struct sink_smtp *smtp, size_t mark);

/* Count in the statistics that something was done. */
void sink_mischief_note(struct sink_smtp *smtp);

#endif
