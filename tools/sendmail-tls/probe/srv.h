/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_PROBE_SRV_H
#define SENDMAIL_PROBE_SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "name/host.h"

/* Nobody has more servers for his users; the rest is passed over. */
#define SRV_MAX 16

/* A server for submission that the DNS names (RFC 6186, RFC 8314). */
struct srv_record {
	char target[STLS_HOST_LEN_MAX + 1];
	uint16_t port;
	uint16_t priority; /* the lowest is to be tried first */
	uint16_t weight;
	bool implicit_tls; /* _submissions, not _submission */
};

struct srv_list {
	struct srv_record records[SRV_MAX];
	size_t count;
	/* The domain says that it does not offer it: a target of ".". */
	bool is_denied;
};

/*
 * Append what an answer of the DNS says, which may be anything. EX_PROTOCOL:
 * it cannot be read, or names something that is no host; `list` is as before
 * then.
 */
int srv_parse(struct stls_err *err, const unsigned char *answer, size_t len,
    bool implicit_tls, struct srv_list *list);

/*
 * Order by priority, then TLS from the first byte, then the heaviest. Nothing
 * is drawn by lot as in RFC 2782: this is to be read by people, and what is
 * chosen here is chosen once.
 */
void srv_sort(struct srv_list *list);

/*
 * Ask for both services of a domain. Zero also where there is none. What comes
 * is not authenticated, so it is for people to look at, and never for sending.
 *
 * EX_TEMPFAIL: the name service does not answer; EX_PROTOCOL;
 * EX_UNAVAILABLE: this system has no way to ask; EX_OSERR.
 */
int srv_lookup(
    struct stls_err *err, const char *domain, struct srv_list *out_list);

#endif
