/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_ENVELOPE_H
#define SINK_CONVERSATION_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reply of one line: code, enhanced code (RFC 3463), text. */
struct sink_reply {
	int code;
	const char *enhanced;
	const char *text;
};

/* RFC 3461 section 4.4: ENVID; section 4.2: ORCPT. */
#define SINK_ENVID_LEN_MAX 100
#define SINK_ORCPT_LEN_MAX 500

/* The limits that EHLO names: as numbers, and as they are said. */
#define SINK_HOLD_MAX_S 2592000
#define SINK_HOLD_MAX_DATE "2099-12-31T23:59:59Z"
#define SINK_FUTURERELEASE_LINE "FUTURERELEASE 2592000 " SINK_HOLD_MAX_DATE
#define SINK_DELIVER_BY_MIN_S 60
#define SINK_DELIVERBY_LINE "DELIVERBY 60"

/* A piece of a command line; NULL where it was not there. */
struct sink_view {
	const char *data;
	size_t len;
};

/*
 * The arguments of MAIL (RFC 5321 section 4.1.1.2) or RCPT (4.1.1.3), as
 * views into the line. The path is verbatim, with its angle brackets.
 */
struct sink_path {
	struct sink_view path;
	bool is_null; /* "<>" */
	bool needs_smtputf8;

	struct sink_view size; /* MAIL: RFC 1870 */
	struct sink_view body; /* RFC 6152 */
	struct sink_view auth; /* RFC 4954 section 5 */
	struct sink_view ret;  /* RFC 3461 */
	struct sink_view envid;
	struct sink_view hold_for; /* RFC 4865 */
	struct sink_view hold_until;
	struct sink_view priority;   /* RFC 6710 */
	struct sink_view deliver_by; /* RFC 2852 */
	bool has_smtputf8;	     /* RFC 6531 */
	bool requires_tls;	     /* RFC 8689 */
	struct sink_view notify;     /* RCPT: RFC 3461 */
	struct sink_view orcpt;

	uint64_t size_value;
	bool is_eightbit; /* BODY=8BITMIME */
};

/*
 * Parse what follows "MAIL " or "RCPT ". `offered` is the set of extensions
 * whose parameters may be used. Returns NULL, or the reply that refuses.
 */
const struct sink_reply *sink_envelope_parse_mail(const char *args, size_t len,
    unsigned int offered, struct sink_path *out_path);
const struct sink_reply *sink_envelope_parse_rcpt(const char *args, size_t len,
    unsigned int offered, struct sink_path *out_path);

#endif
