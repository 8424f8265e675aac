/* SPDX-License-Identifier: MIT */
#include "tls/rules.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "tls/certs.h"

/* A certificate under a rule. */
struct subject {
	const struct stls_verify *verify;
	gnutls_x509_crt_t cert;
	size_t index; /* in the path; 0 is the peer's own */
	bool is_anchor;
	char *label; /* STLS_LABEL_MAX bytes for label_of() */
};

/* Only failures need the name: to format it costs more than the rules. */
static const char *
label_of(const struct subject *s)
{
	stls_rules_label(
	    s->label, STLS_LABEL_MAX, s->verify, s->cert, s->index);
	return s->label;
}

static void
free_datum(gnutls_datum_t *datum)
{
	gnutls_free(datum->data);
}

/* RFC 5280 section 4.1.2.5. */
static int
rule_time(struct stls_err *err, const struct subject *s)
{
	time_t now = time(NULL);
	time_t from = gnutls_x509_crt_get_activation_time(s->cert);
	time_t until = gnutls_x509_crt_get_expiration_time(s->cert);
	char date[STLS_DATE_MAX];

	if (from == (time_t)-1 || until == (time_t)-1)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "%s has no readable period of validity", label_of(s));
	if (now > until) {
		stls_format_date(date, sizeof(date), until);
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "%s expired on %s", label_of(s), date);
	}
	if (now < from) {
		stls_format_date(date, sizeof(date), from);
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "%s is not valid before %s (is the clock right?)",
		    label_of(s), date);
	}
	return SMTPTLS_OK;
}

/* Nobody verifies the signature of an anchor. */
static int
rule_signature(struct stls_err *err, const struct subject *s)
{
	int algorithm = gnutls_x509_crt_get_signature_algorithm(s->cert);
	const char *name;

	if (s->is_anchor)
		return SMTPTLS_OK;
	if (algorithm >= 0 &&
	    !stls_rules_signature_is_weak((gnutls_sign_algorithm_t)algorithm))
		return SMTPTLS_OK;
	name = gnutls_sign_get_name((gnutls_sign_algorithm_t)algorithm);
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "%s has a weak signature (%s)", label_of(s),
	    name != NULL ? name : "of an unknown kind");
}

/* The medium level of GnuTLS: RSA of 2048 bits, curves of 224. */
static int
rule_key(struct stls_err *err, const struct subject *s)
{
	unsigned int bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(s->cert, &bits);
	const char *name;

	if (algorithm > 0 &&
	    gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm,
		bits) >= GNUTLS_SEC_PARAM_MEDIUM)
		return SMTPTLS_OK;
	name = gnutls_pk_get_name((gnutls_pk_algorithm_t)algorithm);
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "%s has a weak key (%s with %u bits)", label_of(s),
	    name != NULL ? name : "unknown algorithm", bits);
}

/* Whether one of the purposes is the one we need. */
static bool
has_purpose(gnutls_x509_crt_t cert, const char *wanted)
{
	char oid[128];
	size_t len;
	unsigned int i;
	int r;

	for (i = 0;; i++) {
		len = sizeof(oid);
		r = gnutls_x509_crt_get_key_purpose_oid(
		    cert, i, oid, &len, NULL);
		if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (r < 0)
			return false;
		if (strcmp(oid, wanted) == 0)
			return true;
	}
}

/*
 * RFC 5280 section 4.2.1.12: where the extension is, the purpose must be in
 * it. For a CA that is not the letter of the RFC, but what everybody does. As
 * with OpenSSL, and so in Python, anyExtendedKeyUsage is not enough.
 */
static int
rule_purpose(struct stls_err *err, const struct subject *s)
{
	CLEANUP(free_datum) gnutls_datum_t der = { NULL, 0 };
	bool is_server = s->verify->purpose == SMTPTLS_SERVER_AUTH;
	int r;

	r = gnutls_x509_crt_get_extension_by_oid2(
	    s->cert, GNUTLS_X509EXT_OID_EXTENDED_KEY_USAGE, 0, &der, NULL);
	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return SMTPTLS_OK;
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	if (r >= 0 &&
	    has_purpose(s->cert,
		is_server ? GNUTLS_KP_TLS_WWW_SERVER
			  : GNUTLS_KP_TLS_WWW_CLIENT))
		return SMTPTLS_OK;
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "%s is not for %s (its extended key usage does not have %s)",
	    label_of(s), is_server ? "TLS servers" : "TLS clients",
	    is_server ? "serverAuth" : "clientAuth");
}

/* Who signs others must be a CA: RFC 5280 section 4.2.1.9. */
static int
rule_ca(struct stls_err *err, const struct subject *s)
{
	unsigned int is_ca = 0;
	int r;

	if (s->index == 0 || s->is_anchor)
		return SMTPTLS_OK;
	r = gnutls_x509_crt_get_basic_constraints(s->cert, NULL, &is_ca, NULL);
	if (r >= 0 && is_ca != 0)
		return SMTPTLS_OK;
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "%s signed a certificate and is none of a CA", label_of(s));
}

typedef int rule(struct stls_err *err, const struct subject *subject);

static rule *const rules[] = {
	rule_time,
	rule_signature,
	rule_key,
	rule_purpose,
	rule_ca,
};

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

int
stls_rules_check(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_path *path)
{
	char label[STLS_LABEL_MAX];
	struct subject subject = { .verify = verify, .label = label };
	size_t i, j;
	int r;

	for (i = 0; i < path->count; i++) {
		subject.cert = path->cert[i];
		subject.index = i;
		subject.is_anchor = i + 1 == path->count;
		for (j = 0; j < sizeof(rules) / sizeof(rules[0]); j++) {
			r = rules[j](err, &subject);
			if (r < 0)
				return r;
		}
	}
	return SMTPTLS_OK;
}
