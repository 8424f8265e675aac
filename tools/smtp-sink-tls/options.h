/* SPDX-License-Identifier: MIT */
#ifndef SINK_OPTIONS_H
#define SINK_OPTIONS_H

#include <stdint.h>

#include "base/err.h"

#include "conversation/extensions.h"
#include "conversation/mischief.h"

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
