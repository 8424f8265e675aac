/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_ADDRESS_H
#define STLS_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* RFC 5321 section 4.5.3.1. */
#define STLS_LOCAL_PART_LEN_MAX 64
#define STLS_DOMAIN_LEN_MAX 255
#define STLS_PATH_LEN_MAX 256

/*
 * A mailbox, taken apart (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
 * `mailbox` is written anew from the parts, never pasted from the input: the
 * local part quoted where it must be, the domain as A-labels (an address
 * literal as it is), so that what is sent is what was understood. With a
 * non-ASCII local part the domain is kept as U-labels would be allowed, but
 * A-labels are sent all the same: every server understands them.
 */
struct stls_address {
	char *local;  /* unquoted */
	char *domain; /* A-labels in lower case, or "[192.0.2.1]"; "" if bare */
	char *mailbox;	     /* local@domain as it is sent */
	bool needs_smtputf8; /* the local part is not ASCII */
};

/*
 * Parse `local@domain` or `<local@domain>`: an envelope address, no display
 * name, no comment, no source route. Quoted local parts are understood. With
 * bare_allowed an address without domain is accepted (domain is ""). Control
 * characters, invalid UTF-8 and lengths above the limits are refused.
 * SMTPTLS_E_INVALID with a sentence that shows the address.
 */
int stls_address_parse(struct stls_err *err, const char *text, size_t len,
    bool bare_allowed, struct stls_address *out_address);

/* Give a bare address a domain; `domain` is parsed as one. */
int stls_address_qualify(
    struct stls_err *err, struct stls_address *address, const char *domain);

/* Same mailbox: local part octet by octet, domain in any case. */
bool stls_address_is_same(
    const struct stls_address *a, const struct stls_address *b);

/* Free; copes with a zeroed struct. */
void stls_address_done(struct stls_address *address);

/* A growing list of addresses. Zero-initialised it is empty. */
struct stls_address_list {
	struct stls_address *items;
	size_t count;
};

/* Append, unless the same mailbox is there. Takes *address over (zeroed). */
int stls_address_list_add(struct stls_err *err, struct stls_address_list *list,
    struct stls_address *address);
void stls_address_list_done(struct stls_address_list *list);

/*
 * Parse the value of an address field (RFC 5322 section 3.4: display names,
 * comments, quoted strings, groups, folding, obsolete routes) and append what
 * it names. Bare local names get `domain`; where that is NULL they are an
 * error whose sentence says that there is no domain to add.
 */
int stls_address_list_parse_field(struct stls_err *err, const char *value,
    size_t len, const char *domain, struct stls_address_list *list);

#endif
