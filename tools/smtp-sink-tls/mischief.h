/* SPDX-License-Identifier: MIT */
#ifndef SINK_MISCHIEF_H
#define SINK_MISCHIEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a server does to its clients where it was told to (--misbehave). A good
 * server has none of it: everything here hangs on one pointer that is NULL.
 */

struct sink_smtp;

/* What a reply answers. */
enum sink_step {
	SINK_STEP_OTHER = 0,
	SINK_STEP_GREETING,
	SINK_STEP_EHLO, /* and HELO */
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
	SINK_END_CLOSE,	 /* FIN, with no close_notify */
	SINK_END_RESET,
	SINK_END_HALF,	  /* FIN, and whatever comes is read for long */
	SINK_END_SILENCE, /* whatever comes is read, and not answered */
	SINK_END_DEAF	  /* nothing is read any more */
};

/* What is put into the output until it was so many octets. */
struct sink_filler {
	const char *text;
	uint64_t left;
	const char *tail; /* behind it */
};

/* What a conversation remembers of it; zero-initialised it is nothing. */
struct sink_mischief_state {
	enum sink_end end;
	bool is_over;	    /* no input is looked at any more */
	unsigned int count; /* how often it was done */
	uint64_t sent;	    /* octets of SMTP */
	struct sink_filler filler;
};

/* A row of --misbehave, with what was given to it. */
struct sink_mischief {
	const struct sink_misbehaviour *row;
	enum sink_step step; /* the first word, where that is one */
	unsigned int word;   /* which of the words it was */
	uint64_t number;
};

/*
 * A command is about to be carried out (or the greeting to be said, or a
 * message to be kept: SINK_STEP_CONTENT). Returns true where it was answered
 * instead, and is not to be carried out.
 */
bool sink_mischief_takes(struct sink_smtp *smtp, enum sink_step step);

/* The output from `mark` on is a whole reply, to smtp->step. */
void sink_mischief_reply(struct sink_smtp *smtp, size_t mark);

#endif
