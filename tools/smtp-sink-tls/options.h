/* SPDX-License-Identifier: MIT */
#ifndef SINK_OPTIONS_H
#define SINK_OPTIONS_H

#include <stdint.h>

#include "base/err.h"

#include "mischief.h"

/* What EHLO offers; a set of them. */
enum sink_extension {
	SINK_PIPELINING = 1 << 0,
	SINK_SIZE = 1 << 1,
	SINK_8BITMIME = 1 << 2,
	SINK_SMTPUTF8 = 1 << 3,
	SINK_ENHANCEDSTATUSCODES = 1 << 4,
	SINK_CHUNKING = 1 << 5,
	SINK_DSN = 1 << 6,
	SINK_STARTTLS = 1 << 7,
	SINK_AUTH = 1 << 8,
	SINK_REQUIRETLS = 1 << 9,
	SINK_MT_PRIORITY = 1 << 10,
	SINK_FUTURERELEASE = 1 << 11,
	SINK_DELIVERBY = 1 << 12,
	SINK_EXTENSIONS_ALL = (1 << 13) - 1
};

enum sink_action {
	SINK_RUN = 0,
	SINK_HELP,
	SINK_VERSION,
	SINK_LIST_MISBEHAVIOUR
};

/* Views into argv. */
struct sink_options {
	enum sink_action action;
	int smtp_port; /* 0 picks one, below 0: do not listen */
	int smtps_port;
	const char *ca_dir;
	const char *cert;
	const char *key;
	const char *client_ca;
	const char *user;
	const char *password_file;
	const char *token_file;
	const char *maildir;
	const char *stats;
	unsigned int extensions;
	int delay_ms;
	int idle_seconds;
	int max_seconds;
	uint64_t max_messages; /* 0: without limit */
	const char *misbehave; /* NULL: do not */
	struct sink_mischief mischief;
};

/* SMTPTLS_E_INVALID with a sentence for a person who typed it. */
int sink_options_parse(struct stls_err *err, int argc, char **argv,
    struct sink_options *out_options);

/* What --help prints. */
extern const char sink_options_help[];

#endif
