/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_SUBTREE_H
#define STLS_TLS_SUBTREE_H

#include <stdbool.h>
#include <stddef.h>

#include "tls/der-walk.h"

/* Kinds of GeneralName, as they are encoded (RFC 5280 section 4.2.1.6). */
#define STLS_NAME_OTHER STLS_DER_CONTEXT(0)
#define STLS_NAME_EMAIL STLS_DER_GENERAL_NAME(1)
#define STLS_NAME_DNS STLS_DER_GENERAL_NAME(2)
#define STLS_NAME_DIRECTORY STLS_DER_CONTEXT(4)
#define STLS_NAME_URI STLS_DER_GENERAL_NAME(6)
#define STLS_NAME_IP STLS_DER_GENERAL_NAME(7)

/* A name of a certificate, or the base of a subtree of names. */
struct stls_name {
	unsigned int kind;
	struct stls_der value; /* directory names: the items of the sequence */
};

/* Take a GeneralName of one of the nine kinds. */
bool stls_name_take(struct stls_der *der, struct stls_name *out);

/* Whether a base says something: a host, a net, an address that can be. */
bool stls_subtree_is_valid(const struct stls_name *base);

/* Whether a base is about names of this kind at all. */
bool stls_subtree_is_about(
    const struct stls_name *base, const struct stls_name *name);

/* What cannot be told is neither permitted nor left alone. */
enum stls_within {
	STLS_WITHIN_NO,
	STLS_WITHIN_YES,
	STLS_WITHIN_UNKNOWN
};

/*
 * Whether a name is in the subtree of a base that is about it (RFC 5280 section
 * 4.2.1.10), as OpenSSL reads it where the RFC is silent: an empty DNS base
 * is everything, a dot in front of a DNS name leaves out the name itself. Of a
 * wildcard that stands for the base and for others it cannot be told.
 */
enum stls_within stls_subtree_has(
    const struct stls_name *base, const struct stls_name *name);

/* Letters, digits, hyphens and underscores between single dots. */
bool stls_is_host_text(const unsigned char *at, const unsigned char *end);

#endif
