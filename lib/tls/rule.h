/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_RULE_H
#define STLS_TLS_RULE_H

#include "tls/parts.h"
#include "tls/path.h"
#include "tls/verify.h"

/* A certificate under a rule. */
struct stls_subject {
	const struct stls_verify *verify;
	const struct stls_path *path;
	const struct stls_parts *parts; /* of all of the path */
	size_t index;			/* in the path; 0 is the peer's own */
};

/*
 * A rule says SMTPTLS_OK, or which certificate breaks which rule. Rules are
 * pure: what they are not for is left out by the table in rules.c.
 */
typedef int stls_rule(struct stls_err *err, const struct stls_subject *s);

static inline gnutls_x509_crt_t
stls_subject_cert(const struct stls_subject *s)
{
	return s->path->cert[s->index];
}

static inline const struct stls_parts *
stls_subject_parts(const struct stls_subject *s)
{
	return &s->parts[s->index];
}

/* "<certificate> <sentence>" */
__attribute__((format(printf, 3, 4))) int stls_rule_refuse(
    struct stls_err *err, const struct stls_subject *s, const char *fmt, ...);

/* rules-form.c: whether it is written as RFC 5280 wants it. */
stls_rule stls_rule_encoding;
stls_rule stls_rule_extensions;
stls_rule stls_rule_version;
stls_rule stls_rule_serial;
stls_rule stls_rule_algorithms;
stls_rule stls_rule_dates;
stls_rule stls_rule_years;
stls_rule stls_rule_issuer_name;
stls_rule stls_rule_subject_name;

/* rules-ids.c: key identifiers. */
stls_rule stls_rule_subject_key_id;
stls_rule stls_rule_authority_key_id;
stls_rule stls_rule_issued;

/* rules-usage.c: what it may be used for. */
stls_rule stls_rule_purpose;
stls_rule stls_rule_proxy;
stls_rule stls_rule_leaf_usage;
stls_rule stls_rule_leaf_is_no_ca;
stls_rule stls_rule_ca;
stls_rule stls_rule_path_len;
stls_rule stls_rule_ca_form;

/* rules-names.c: name constraints, and whom they are about. */
stls_rule stls_rule_constraints;
stls_rule stls_rule_growth;
stls_rule stls_rule_names;

#endif
