/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_PROBE_CONFIGURE_H
#define SENDMAIL_PROBE_CONFIGURE_H

#include <stdbool.h>

#include "base/err.h"
#include "mail/address.h"
#include "probe/probe.h"
#include "settings/settings.h"
#include "system/identity.h"

/* A server that may be the one for an address. */
struct candidate {
	char url[PROBE_URL_CAP];
	bool is_outside; /* of the domain, RFC 6186 section 6 */
	bool was_tried;
	struct stls_err err; /* why it is not to be used; code 0: it is */
};

#define CANDIDATES_MAX SRV_MAX

/* How the candidates were found. */
enum origin {
	ORIGIN_GIVEN,
	ORIGIN_SRV,
	ORIGIN_USUAL_NAMES
};

struct configuration {
	const struct settings *settings;
	struct stls_address address;
	enum origin origin;
	struct stls_err srv_err; /* code 0: the name service answered */
	struct candidate candidates[CANDIDATES_MAX];
	size_t count;
	size_t chosen;
	struct endpoint endpoint; /* of the chosen one, connected */
};

/*
 * --configure: find the server for an address, look at it, and write a
 * configuration for review to standard output. Nothing is logged in to, and no
 * password asked for or written.
 *
 * Zero if a server was verified; EX_USAGE: no address; EX_UNAVAILABLE: the
 * domain offers no submission; else what the servers that were tried failed
 * with.
 */
int configure_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity);

/* Write it. The parser of the configuration takes it as it is. */
void configure_print(struct configuration *c);

#endif
