/* SPDX-License-Identifier: MIT */
#ifndef STLS_MAIL_ADDRESS_H
#define STLS_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* RFC 5321 section 4.5.3.1. */
#define STLS_LOCAL_PART_LEN_MAX 64
#define STLS_DOMAIN_LEN_MAX 255
#define STLS_PATH_LEN_MAX 256

/* More recipients than any server takes for one message (RFC 5321: 100). */
#define STLS_ADDRESS_COUNT_MAX 16384

/*
 * A mailbox, taken apart (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
 * `mailbox` is written anew from the parts, never pasted from the input: the
 * local part quoted where it must be, the domain as A-labels, an address
 * literal as inet_ntop(3) writes it, so that what is sent is what was
 * understood. Beside a local part that is not ASCII, U-labels would be allowed
 * but A-labels are sent all the same: every server understands them.
 */
struct stls_address {
	char *local;	     /* unquoted; in the memory of mailbox, as is ... */
	char *domain;	     /* lower case, or "[192.0.2.1]"; "" if bare */
	char *mailbox;	     /* local@domain as it is sent; owned */
	bool needs_smtputf8; /* the local part is not ASCII */
};

/*
 * Parse `local@domain` or `<local@domain>`: an envelope address, no display
 * name, no comment, no source route. Blanks around it are dropped. Quoted local
 * parts are understood; dots that RFC 5321 allows only there are accepted
 * without quotes and quoted. With bare_allowed an address without domain is
 * accepted (domain is ""). Control characters, invalid UTF-8 and lengths above
 * the limits, counted as it is sent, are refused, and so is an empty address:
 * the null reverse-path is the caller's business. SMTPTLS_E_INVALID with a
 * sentence that shows the address.
 */
int stls_address_parse(struct stls_err *err, const char *text, size_t len,
    bool bare_allowed, struct stls_address *out_address);

/* A mailbox as it is sent, and no more, in no memory but its own. */
struct stls_mailbox {
	char text[STLS_PATH_LEN_MAX - 1]; /* with its NUL */
	size_t len;
	bool needs_smtputf8;
};

/*
 * The same as stls_address_parse() where its parts do not matter. A failure
 * leaves *out_mailbox undefined.
 */
int stls_mailbox_parse(struct stls_err *err, const char *text, size_t len,
    struct stls_mailbox *out_mailbox);

/*
 * Make one from an unquoted local part and a domain or address literal, with
 * the same checks; without domain (domain_len is 0) it is bare.
 */
int stls_address_make(struct stls_err *err, const char *local, size_t local_len,
    const char *domain, size_t domain_len, struct stls_address *out_address);

/*
 * Give a bare address a domain; `domain` is parsed as one. An address that has
 * a domain stays as it is.
 */
int stls_address_qualify(
    struct stls_err *err, struct stls_address *address, const char *domain);

/* Same mailbox: local part octet by octet, domain in any case. */
bool stls_address_is_same(
    const struct stls_address *a, const struct stls_address *b);

/* Free; copes with a zeroed struct. */
void stls_address_done(struct stls_address *address);

/* Whether a character may stand in an atom (RFC 5322 section 3.2.3, 6532). */
bool stls_address_is_atext(char c);

/* A growing list of addresses. Zero-initialised it is empty. */
struct stls_address_list {
	struct stls_address *items;
	size_t count;
	unsigned int *slots; /* index + 1 by hash, 0 is free: to find doubles */
	size_t slot_count;   /* a power of two; items has place for half */
};

/*
 * Append, unless the same mailbox is there. Takes *address over (zeroed), also
 * when it fails. SMTPTLS_E_LIMIT above STLS_ADDRESS_COUNT_MAX.
 */
int stls_address_list_add(struct stls_err *err, struct stls_address_list *list,
    struct stls_address *address);
void stls_address_list_done(struct stls_address_list *list);

/*
 * Parse the value of an address field (RFC 5322 section 3.4: display names,
 * comments, quoted strings, groups, folding, obsolete routes, which are
 * dropped) and append what it names. Display names are skipped unread, so
 * that they may hold whatever is no special character. Empty elements are
 * passed over; a missing comma is an error. Bare local names get `domain`;
 * where that is NULL they are an error whose sentence says that there is no
 * domain to add. What was appended before an error stays.
 */
int stls_address_list_parse_field(struct stls_err *err, const char *value,
    size_t len, const char *domain, struct stls_address_list *list);

/*
 * Append such a value with `@domain`, as it is sent, right behind each bare
 * local name, and with no other octet changed. SMTPTLS_E_INVALID for what
 * stls_address_list_parse_field() refuses, SMTPTLS_E_LIMIT where *out is full;
 * after a failure *out is as it was.
 */
int stls_address_field_qualify(struct stls_err *err, const char *value,
    size_t len, const char *domain, struct stls_buf *out);

#endif
