/* SPDX-License-Identifier: MIT */
#ifndef STLS_SMTP_DEMANDS_H
#define STLS_SMTP_DEMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "smtp/capabilities.h"

/* RFC 3461 sections 4.2 and 4.4, in characters on the wire. */
#define STLS_ORCPT_LEN_MAX 500
#define STLS_ENVID_LEN_MAX 100
/* RFC 4865 section 4, RFC 2852 section 4: nine digits. */
#define STLS_INTERVAL_MAX_S 999999999
/* RFC 6710 section 4.1. */
#define STLS_PRIORITY_MAX 9
/* "2026-11-27T08:00:00Z" (RFC 4865 section 4), and the NUL. */
#define STLS_HOLD_UNTIL_CAP 21

/* What NOTIFY says (RFC 3461 section 4.1): NEVER alone, or some of the rest. */
#define STLS_NOTIFY_NEVER 1u
#define STLS_NOTIFY_SUCCESS 2u
#define STLS_NOTIFY_FAILURE 4u
#define STLS_NOTIFY_DELAY 8u

/* Of one recipient. */
struct stls_rcpt_demands {
	unsigned int notify; /* 0: as for all */
	char *orcpt;	     /* as it is sent, with its type; NULL: none */
};

/*
 * What a message asks of the server beside its envelope, by extensions. A
 * server that does not offer what one of them needs does not get the message:
 * what was asked for is not lost in silence. Texts are kept as they are sent.
 * Zero-initialised nothing is asked.
 */
struct stls_demands {
	unsigned int notify; /* RFC 3461; 0: not asked */
	const char *ret;     /* "FULL", "HDRS"; NULL: not asked */
	char envid[STLS_ENVID_LEN_MAX + 1];
	struct stls_rcpt_demands *rcpts; /* by index of the recipient */
	size_t rcpt_count;		 /* the others have none */

	bool require_tls; /* RFC 8689 */

	uint32_t hold_for_s; /* RFC 4865; 0: not asked */
	char hold_until[STLS_HOLD_UNTIL_CAP];

	bool has_priority; /* RFC 6710 */
	int priority;

	bool has_deliver_by; /* RFC 2852 */
	int32_t deliver_by_s;
	bool deliver_by_return;
	bool deliver_by_trace;
};

/* For those behind an address of MAIL, and of RCPT. */
#define STLS_MAIL_DEMANDS_CAP 256
#define STLS_RCPT_DEMANDS_CAP 560

/*
 * The parameters that say it, each with a blank in front, in a buffer of that
 * size; "" where there are none.
 */
const char *stls_demands_format_mail(
    const struct stls_demands *demands, char buf[STLS_MAIL_DEMANDS_CAP]);
const char *stls_demands_format_rcpt(const struct stls_demands *demands,
    size_t index, char buf[STLS_RCPT_DEMANDS_CAP]);

/*
 * Hold it against what a server offers, in a session that has TLS or not:
 * SMTPTLS_E_UNSUPPORTED with a sentence that names the extension and the
 * server.
 */
int stls_demands_check(struct stls_err *err, const struct stls_demands *demands,
    const struct stls_capabilities *offered, bool tls, const char *server);

/* Free what it holds. */
void stls_demands_done(struct stls_demands *demands);

#endif
