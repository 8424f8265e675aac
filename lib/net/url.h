/* SPDX-License-Identifier: MIT */
#ifndef STLS_NET_URL_H
#define STLS_NET_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "name/host.h"
#include "net/endpoint.h"

/* Where a mail server is and how it is spoken to. */
struct stls_url {
	bool implicit_tls; /* smtps, or a bare host (RFC 8314) */
	bool lmtp;	   /* RFC 2033 */
	struct stls_host host;
	uint16_t port;
};

/*
 * Parse `smtps://host[:port]`, `smtp://host[:port]`, `lmtp://host:port` or a
 * bare host (smtps). The scheme in any case. A user name, password, path (but
 * a single slash), query, fragment, percent escape, port 0, or host that is
 * none is SMTPTLS_E_INVALID with a sentence that shows the URL without what
 * may be a password.
 */
int stls_url_parse(
    struct stls_err *err, const char *text, struct stls_url *out_url);

/* Where to connect to: the first of these that there is. */
struct stls_place {
	char *unix_path;
	struct stls_endpoint *addresses;
	size_t address_count;
	struct stls_host *host; /* a name */
	uint16_t port;		/* of that */
};

/* Parse `host:port`, `[ipv6]:port`, `ipv4:port` or `unix:/absolute/path`. */
int stls_place_parse(
    struct stls_err *err, const char *text, struct stls_place *out_place);

/*
 * Add `ipv4:port` or `[ipv6]:port` to the addresses of a place, of which there
 * may be STLS_ENDPOINTS_MAX.
 */
int stls_place_add_address(
    struct stls_err *err, struct stls_place *place, const char *text);

void stls_place_done(struct stls_place *place);

#endif
