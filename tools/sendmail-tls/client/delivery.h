/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_CLIENT_DELIVERY_H
#define SENDMAIL_CLIENT_DELIVERY_H

#include <stdbool.h>
#include <stdio.h>

/* How a delivery ended, in words that nobody has printed yet. */
struct delivery {
	int status; /* of sysexits.h */
	bool is_in_doubt;
	/* One line: server, step, reason and reply; "" where it went well. */
	char text[1024];
	/* `<address>: refused: 550 ...` a line, where that differs; or NULL. */
	char *outcomes;
	/* What the server said last of the message, "250 2.0.0 ok"; or "". */
	char reply[512];
	char relay[300];   /* where it was connected to, or "" */
	char tls[32];	   /* its version, "TLSv1.3", or "" */
	char spool_id[64]; /* under which it was stored, or "" */
	/* A word for the log, where a run of the spool knows one; or NULL. */
	const char *outcome;
	char warning[1024]; /* a line about something else, or "" */
};

/* Say it in lines with the name of the program in front. */
void delivery_print(const struct delivery *delivery, FILE *file);

/* Free; copes with a zeroed struct. */
void delivery_done(struct delivery *delivery);

#endif
