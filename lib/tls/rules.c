/* SPDX-License-Identifier: MIT */
#include "tls/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "tls/certs.h"
#include "tls/rule.h"

/* Only failures need the name: to format it costs more than the rules. */
int
stls_rule_refuse(
    struct stls_err *err, const struct stls_subject *s, const char *fmt, ...)
{
	char label[STLS_LABEL_MAX], sentence[256];
	va_list ap;

	stls_rules_label(
	    label, sizeof(label), s->verify, stls_subject_cert(s), s->index);
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	return stls_err_set(
	    err, SMTPTLS_E_CERTIFICATE, "%s %s", label, sentence);
}

static bool
is_anchor(const struct stls_subject *s)
{
	return s->index + 1 == s->path->count;
}

/* RFC 5280 section 4.1.2.5. */
static int
rule_time(struct stls_err *err, const struct stls_subject *s)
{
	time_t now = time(NULL);
	time_t from = gnutls_x509_crt_get_activation_time(stls_subject_cert(s));
	time_t until = gnutls_x509_crt_get_expiration_time(
	    stls_subject_cert(s));
	char date[STLS_DATE_MAX];

	if (from == (time_t)-1 || until == (time_t)-1)
		return stls_rule_refuse(
		    err, s, "has no readable period of validity");
	if (now > until) {
		stls_format_date(date, sizeof(date), until);
		return stls_rule_refuse(err, s, "expired on %s", date);
	}
	if (now < from) {
		stls_format_date(date, sizeof(date), from);
		return stls_rule_refuse(err, s,
		    "is not valid before %s (is the clock right?)", date);
	}
	return SMTPTLS_OK;
}

/* Nobody verifies the signature of an anchor. */
static int
rule_signature(struct stls_err *err, const struct stls_subject *s)
{
	int algorithm = gnutls_x509_crt_get_signature_algorithm(
	    stls_subject_cert(s));
	const char *name;

	if (algorithm >= 0 &&
	    !stls_rules_signature_is_weak((gnutls_sign_algorithm_t)algorithm))
		return SMTPTLS_OK;
	name = gnutls_sign_get_name((gnutls_sign_algorithm_t)algorithm);
	return stls_rule_refuse(err, s, "has a weak signature (%s)",
	    name != NULL ? name : "of an unknown kind");
}

/* The medium level of GnuTLS: RSA of 2048 bits, curves of 224. */
static int
rule_key(struct stls_err *err, const struct stls_subject *s)
{
	unsigned int bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(
	    stls_subject_cert(s), &bits);
	const char *name;

	if (algorithm > 0 &&
	    gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm,
		bits) >= GNUTLS_SEC_PARAM_MEDIUM)
		return SMTPTLS_OK;
	name = gnutls_pk_get_name((gnutls_pk_algorithm_t)algorithm);
	return stls_rule_refuse(err, s, "has a weak key (%s with %u bits)",
	    name != NULL ? name : "unknown algorithm", bits);
}

/* When a rule does not count. */
#define FORM 1	  /* not with the lax profile */
#define ISSUED 2  /* not for the anchor, which is trusted as it is */
#define CHAINED 4 /* not for an anchor that is the peer's own certificate */
#define LEAF 8	  /* not for CAs above the peer's own */

/*
 * Anchors are under most rules of form, because they are with X509_STRICT. What
 * is the peer's own certificate and the anchor at once is not: RFC 6818 section
 * 2 says that RFC 5280 is not about it.
 */
static const struct row {
	stls_rule *check;
	unsigned int flags;
} rules[] = {
	{ stls_rule_encoding, 0 },
	{ stls_rule_extensions, 0 },
	{ rule_time, 0 },
	{ rule_signature, ISSUED },
	{ rule_key, 0 },
	{ stls_rule_purpose, 0 },
	{ stls_rule_proxy, 0 },
	{ stls_rule_ca, 0 },
	{ stls_rule_path_len, 0 },
	{ stls_rule_constraints, 0 },
	{ stls_rule_names, 0 },
	{ stls_rule_leaf_usage, LEAF },
	{ stls_rule_algorithms, 0 },
	{ stls_rule_dates, 0 },
	{ stls_rule_issued, ISSUED },
	{ stls_rule_version, FORM | LEAF },
	{ stls_rule_leaf_is_no_ca, FORM | CHAINED | LEAF },
	{ stls_rule_ca_form, FORM | CHAINED },
	{ stls_rule_serial, FORM | ISSUED },
	{ stls_rule_years, FORM | ISSUED },
	{ stls_rule_issuer_name, FORM | CHAINED },
	{ stls_rule_subject_name, FORM | CHAINED },
	{ stls_rule_subject_key_id, FORM | CHAINED },
	{ stls_rule_authority_key_id, FORM | CHAINED },
};

/* Before GnuTLS is asked, which has no such limits. */
static const struct row bounds[] = {
	{ stls_rule_encoding, 0 },
	{ stls_rule_constraints, 0 },
	{ stls_rule_growth, 0 },
};

static bool
counts(unsigned int flags, const struct stls_subject *s)
{
	return ((flags & FORM) == 0 || !s->verify->is_lax) &&
	    ((flags & ISSUED) == 0 || !is_anchor(s)) &&
	    ((flags & CHAINED) == 0 || s->path->count > 1) &&
	    ((flags & LEAF) == 0 || s->index == 0);
}

bool
stls_rules_signature_is_weak(gnutls_sign_algorithm_t algorithm)
{
	switch (gnutls_sign_get_hash_algorithm(algorithm)) {
	case GNUTLS_DIG_UNKNOWN:
		/* Ed25519 and Ed448 have no hash of their own. */
		return algorithm != GNUTLS_SIGN_EDDSA_ED25519 &&
		    algorithm != GNUTLS_SIGN_EDDSA_ED448;
	case GNUTLS_DIG_MD2:
	case GNUTLS_DIG_MD5:
	case GNUTLS_DIG_SHA1:
	case GNUTLS_DIG_RMD160:
		return true;
	default:
		return gnutls_sign_is_secure2(
			   algorithm, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) == 0;
	}
}

void
stls_rules_label(char *out, size_t cap, const struct stls_verify *verify,
    gnutls_x509_crt_t cert, size_t index)
{
	char subject[STLS_NAME_MAX];

	stls_cert_subject(subject, sizeof(subject), cert);
	if (index > 0)
		snprintf(out, cap, "CA certificate \"%s\"", subject);
	else if (verify->purpose == SMTPTLS_CLIENT_AUTH)
		snprintf(out, cap, "client certificate \"%s\"", subject);
	else if (verify->host != NULL)
		snprintf(out, cap, "certificate of %s", verify->host->name);
	else
		snprintf(out, cap, "server certificate \"%s\"", subject);
}

/* The parts of a whole path. */
struct dissected {
	struct stls_parts parts[STLS_PATH_MAX + 1];
	size_t count;
};

static void
dissected_done(struct dissected *all)
{
	while (all->count > 0)
		stls_parts_done(&all->parts[--all->count]);
}

static int
dissect(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_path *path, struct dissected *all)
{
	char label[STLS_LABEL_MAX];
	int r;

	for (; all->count < path->count; all->count++) {
		gnutls_x509_crt_t cert = path->cert[all->count];

		r = stls_parts_init(&all->parts[all->count], err, cert);
		if (r == SMTPTLS_E_CERTIFICATE) {
			stls_rules_label(
			    label, sizeof(label), verify, cert, all->count);
			stls_err_prefix(err, "%s", label);
		}
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

static int
check_one(struct stls_err *err, const struct stls_subject *s,
    const struct row *row, size_t count)
{
	size_t i;
	int r;

	for (i = 0; i < count; i++) {
		if (!counts(row[i].flags, s))
			continue;
		r = row[i].check(err, s);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

static int
check(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_path *path, const struct row *row, size_t count)
{
	CLEANUP(dissected_done) struct dissected all = { .count = 0 };
	struct stls_subject s = {
		.verify = verify, .path = path, .parts = all.parts
	};
	int r = dissect(err, verify, path, &all);

	if (r < 0)
		return r;
	for (s.index = 0; s.index < path->count; s.index++) {
		r = check_one(err, &s, row, count);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

int
stls_rules_check_bounds(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_path *path)
{
	return check(
	    err, verify, path, bounds, sizeof(bounds) / sizeof(bounds[0]));
}

int
stls_rules_check(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_path *path)
{
	return check(
	    err, verify, path, rules, sizeof(rules) / sizeof(rules[0]));
}
