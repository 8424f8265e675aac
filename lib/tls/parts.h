/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_PARTS_H
#define STLS_TLS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "tls/der-walk.h"

/* The extensions that a rule asks for (RFC 5280 section 4.2). */
enum stls_ext_kind {
	STLS_EXT_SUBJECT_KEY_ID,
	STLS_EXT_KEY_USAGE,
	STLS_EXT_ALT_NAMES,
	STLS_EXT_BASIC_CONSTRAINTS,
	STLS_EXT_NAME_CONSTRAINTS,
	STLS_EXT_CRL_POINTS,
	STLS_EXT_AUTHORITY_KEY_ID,
	STLS_EXT_PURPOSES,
	STLS_EXT_PROXY,
	STLS_EXT_NETSCAPE_TYPE,
	STLS_EXT_KINDS
};

struct stls_ext {
	bool is_there;
	bool is_critical;
	struct stls_der value;
};

/* One end of the validity: the tag says which kind of time it is. */
struct stls_date {
	unsigned int tag;
	struct stls_der text;
};

/* RFC 5280 section 4.2.1.1; what is not there has no `at`. */
struct stls_authority {
	struct stls_der key_id;
	struct stls_der names; /* GeneralNames, without their header */
	struct stls_der serial;
};

/*
 * A certificate taken apart: the octets that rules are about, lent from `der`,
 * which it owns.
 */
struct stls_parts {
	gnutls_datum_t der;
	const char *fault;   /* it cannot be taken apart: "has ..."; or NULL */
	struct stls_der tbs; /* with its header: what is signed */
	struct stls_der signature;
	unsigned int version; /* as people count: 3 is encoded as 2 */
	struct stls_der serial;
	struct stls_der algorithm; /* of the signature, inside */
	struct stls_der outer;	   /* and outside */
	struct stls_der issuer;
	struct stls_date from, until;
	struct stls_der subject;
	struct stls_ext ext[STLS_EXT_KINDS];
	struct stls_der twice;	  /* an extension that is there twice */
	struct stls_der critical; /* one that is, and nobody knows it */
	bool is_ca;
	bool has_path_len;
	unsigned int path_len;
	unsigned int key_usage; /* GNUTLS_KEY_*; 0: no such extension */
	size_t names;		/* how many subjectAltName has */
	struct stls_der key_id; /* of the subject, where it has one */
	struct stls_authority authority;
};

/*
 * Take a certificate apart. A fault of the certificate is no error: it stands
 * in `fault`, and then nothing else is to be looked at. SMTPTLS_E_NOMEM;
 * SMTPTLS_E_CERTIFICATE: GnuTLS cannot encode it, and the sentence does not say
 * which one it is.
 */
int stls_parts_init(
    struct stls_parts *parts, struct stls_err *err, gnutls_x509_crt_t cert);

/* Copes with a zeroed struct. */
void stls_parts_done(struct stls_parts *parts);

static inline bool
stls_parts_has(const struct stls_parts *parts, enum stls_ext_kind kind)
{
	return parts->ext[kind].is_there;
}

/* Whether the issuer has the same name, to the last octet. */
bool stls_parts_is_self_issued(const struct stls_parts *parts);

/* Whether the purposes, which are there, have one. */
bool stls_parts_has_purpose(
    const struct stls_parts *parts, const void *oid, size_t len);

/* Write an OID as people do: 2.5.29.17. */
void stls_parts_format_oid(char *out, size_t cap, const struct stls_der *oid);

#endif
