/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_STATS_H
#define SINK_CONVERSATION_STATS_H

#include <stdint.h>

#include "base/err.h"

/*
 * What the sink counts. The second half are things a good client never does:
 * they are counted and, where it is safe, let pass.
 */
struct sink_stats {
	uint64_t connections;
	uint64_t handshakes; /* completed */
	uint64_t handshake_failures;
	uint64_t resumed;
	uint64_t authentications;
	uint64_t authentication_failures;
	uint64_t messages; /* accepted */
	uint64_t messages_refused;
	uint64_t recipients; /* of accepted messages */
	uint64_t bytes;	     /* content of accepted messages, dots removed */
	uint64_t bytes_in;   /* SMTP, content included, as if without TLS */
	uint64_t bytes_out;
	/*
	 * How often clients waited: for a greeting they had not asked for, and
	 * for the answer to what they sent after the answer before, TLS
	 * handshakes included.
	 */
	uint64_t flights;
	uint64_t flights_accepted; /* up to the last accepted message of each */
	uint64_t commands;
	uint64_t errors; /* 4xx and 5xx replies */
	uint64_t timeouts;
	uint64_t misbehaviours; /* of this server: --misbehave */

	uint64_t pipelining_violations; /* RFC 2920 section 3.1 */
	uint64_t starttls_injected;	/* RFC 3207 section 4: refused */
	uint64_t bare_line_ends;	/* RFC 5321 section 2.3.8: refused */
	uint64_t eightbit_violations;	/* 8-bit content without BODY= */
	uint64_t long_lines;		/* RFC 5321 section 4.5.3.1.6 */
	uint64_t unclean_closes;	/* TLS ended without close_notify */
};

/* Write them as one JSON object; the file appears complete. */
int sink_stats_write(
    struct stls_err *err, const struct sink_stats *stats, const char *path);

/*
 * The folder in which sink_stats_write() makes and renames files, allocated;
 * NULL where it writes to what is there.
 */
int sink_stats_place(struct stls_err *err, const char *path, char **out_folder);

#endif
