/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_PROBE_H
#define SENDMAIL_PROBE_H

#include <stdbool.h>

#include <smtptls/client.h>

#include "base/err.h"
#include "identity.h"
#include "settings.h"

/* What a probe found, as far as it came. */
struct probe {
	const struct settings *settings;
	struct smtptls_client *client;
	struct smtptls_session *session; /* NULL: no TLS */
	bool is_verified;
	int result; /* of the connection, a code of the library */
	int status; /* of sysexits.h */
};

/*
 * Connect, secure the connection, greet, authenticate where credentials are
 * set, quit, and print what was found. Zero only if the server was verified
 * and, where asked, has authenticated us; where *err has no sentence, the
 * failure was told already.
 */
int probe_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity);

/* The two ways to print it. */
void probe_print_text(const struct probe *probe);
void probe_print_json(const struct probe *probe);

#endif
