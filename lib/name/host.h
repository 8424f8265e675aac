/* SPDX-License-Identifier: MIT */
#ifndef STLS_NAME_HOST_H
#define STLS_NAME_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* RFC 1035 section 2.3.4, as text without the trailing dot. */
#define STLS_HOST_LEN_MAX 253

/*
 * The host a user asked for: the name that is verified. Either a DNS name as
 * A-labels in lower case without trailing dot, or an IP literal as
 * inet_ntop(3) writes it (no brackets, no zone).
 */
struct stls_host {
	char name[STLS_HOST_LEN_MAX + 1];
	bool is_ip;
	unsigned char ip[16]; /* network order, where is_ip */
	size_t ip_len;	      /* 4 or 16 */
};

/*
 * Parse a host: `len` bytes of UTF-8; IPv6 with or without brackets; one
 * trailing dot is dropped; U-labels become A-labels (RFC 5891, UTS #46
 * non-transitional, as gnutls_idna_map() does it); an IPv4-mapped IPv6 address
 * becomes the IPv4 address. SMTPTLS_E_INVALID with a sentence: empty labels,
 * labels above 63 octets, anything but letters, digits, hyphens and
 * underscores inside labels, a hyphen at the edge of one, a last label that is
 * a decimal or hexadecimal number (a broken IPv4 address), zone identifiers,
 * an unspecified address, control characters, invalid UTF-8.
 */
int stls_host_parse(struct stls_err *err, const char *text, size_t len,
    struct stls_host *out_host);

/*
 * The quick way for what nearly all names are: letters, digits, hyphens,
 * underscores and dots in their places, and no digit in front of the last
 * label. Writes the name as it is kept, and its NUL, into `out`, which has
 * STLS_HOST_LEN_MAX + 1 octets, and returns its length; 0: it needs
 * stls_host_parse(), and out is undefined.
 */
size_t stls_host_copy_plain(char *out, const char *text, size_t len);

#endif
