/* SPDX-License-Identifier: MIT */
#include "tls/path.h"

#include <string.h>

#include "base/cleanup.h"
#include "tls/certs.h"
#include "tls/free.h"
#include "tls/overrule.h"
#include "tls/refusal.h"
#include "tls/revocation.h"
#include "tls/rules.h"

/*
 * Certificates that all name each other as issuer have more paths than anyone
 * can walk: a real peer has one or two.
 */
#define TRIES_MAX 24

/* How much a failure tells; the sentence of the one that tells most is kept. */
enum insight {
	NOTHING,
	NO_ISSUER,
	SOMETHING_WRONG
};

struct search {
	const struct stls_verify *verify;
	const struct stls_anchors *anchors;
	const struct stls_chain *chain;
	struct stls_path *path; /* the stem that is being tried */
	unsigned int tries;
	enum insight insight;
	struct stls_err *err; /* of the insight */
};

/*
 * What GnuTLS tells while it verifies. Its callback has no argument of ours,
 * so this is how it finds its way.
 */
struct report {
	const struct stls_path *path;
	bool anchors_stay;	  /* longer than the verification */
	gnutls_x509_crt_t anchor; /* where they do not stay, a copy */
	size_t below_anchor;	  /* index of the certificate it issued */
	gnutls_x509_crt_t wrong;  /* the certificate it stumbled on */
	bool out_of_memory;
};

static __thread struct report *report;

static bool
is_in_stem(const struct stls_path *path, gnutls_x509_crt_t cert, size_t *index)
{
	size_t i;

	for (i = 0; i < path->count; i++) {
		if (path->cert[i] == cert) {
			*index = i;
			return true;
		}
	}
	return false;
}

static void
drop_anchor(struct report *answer)
{
	if (!answer->anchors_stay)
		free_cert(&answer->anchor);
	answer->anchor = NULL;
}

/*
 * The anchor of a PKCS#11 trust store is GnuTLS's, and gone when the
 * verification is over: hence the copy.
 */
static void
keep_anchor(gnutls_x509_crt_t anchor, size_t below)
{
	drop_anchor(report);
	report->anchor = report->anchors_stay ? anchor : stls_cert_copy(anchor);
	report->below_anchor = below;
	if (report->anchor == NULL)
		report->out_of_memory = true;
}

static int
listen_to_gnutls(gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer,
    gnutls_x509_crl_t crl, unsigned int status)
{
	size_t index, unused;

	(void)crl; /* the lists are ours: tls/revocation.h */
	if (status != 0 && report->wrong == NULL)
		report->wrong = cert;
	if (status != 0 || !is_in_stem(report->path, cert, &index))
		return 0;
	if (issuer != NULL && !is_in_stem(report->path, issuer, &unused))
		keep_anchor(issuer, index);
	return 0;
}

static int
ask_gnutls(struct search *s, struct report *answer, unsigned int *status)
{
	const char *purpose = s->verify->purpose == SMTPTLS_SERVER_AUTH
	    ? GNUTLS_KP_TLS_WWW_SERVER
	    : GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st data = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)purpose,
	};
	int r;

	report = answer;
	r = gnutls_x509_trust_list_verify_crt2(s->anchors->list, s->path->cert,
	    (unsigned int)s->path->count, &data, 1, STLS_PATH_VERIFY_FLAGS,
	    status, listen_to_gnutls);
	report = NULL;
	if (r == GNUTLS_E_MEMORY_ERROR || answer->out_of_memory)
		return stls_err_nomem(s->err);
	if (r < 0)
		*status = GNUTLS_CERT_INVALID;
	return SMTPTLS_OK;
}

/*
 * Put the anchor at the end of the path. One of the peer's certificates may
 * be the anchor itself, or be the same CA with the same key in another dress,
 * which GnuTLS replaces by the anchor.
 */
static int
end_at_anchor(struct search *s, struct report *answer)
{
	struct stls_path *path = s->path;

	if (answer->anchor == NULL)
		return stls_err_set(s->err, SMTPTLS_E_CERTIFICATE,
		    "GnuTLS did not tell which CA it trusts");
	path->count = answer->below_anchor + 1;
	if (stls_cert_is_same(answer->anchor, path->cert[answer->below_anchor]))
		return SMTPTLS_OK;
	path->cert[path->count++] = answer->anchor;
	if (!answer->anchors_stay)
		path->anchor = TAKE(answer->anchor);
	return SMTPTLS_OK;
}

/* Keep a sentence if it tells more than the one before. */
static int
learn(struct search *s, enum insight insight, const struct stls_err *err)
{
	if (insight >= s->insight && s->insight != SOMETHING_WRONG) {
		s->insight = insight;
		stls_err_copy(s->err, err);
	}
	return SMTPTLS_E_CERTIFICATE;
}

/* Nobody we know issued the last certificate of the stem. */
static int
explain_no_issuer(struct search *s)
{
	const struct stls_path *path = s->path;
	gnutls_x509_crt_t last = path->cert[path->count - 1];
	char label[STLS_LABEL_MAX], issuer[STLS_NAME_MAX];
	struct stls_err err;

	stls_rules_label(
	    label, sizeof(label), s->verify, last, path->count - 1);
	stls_cert_issuer(issuer, sizeof(issuer), last);
	if (gnutls_x509_crt_check_issuer(last, last) != 0) {
		stls_err_set(&err, SMTPTLS_E_CERTIFICATE,
		    path->count == 1
			? "%s is self-signed and not trusted itself"
			: "%s, the end of the chain, is not trusted",
		    label);
	} else {
		stls_err_set(&err, SMTPTLS_E_CERTIFICATE,
		    "%s is issued by \"%s\", which is not known: a CA that is "
		    "not trusted, or an intermediate certificate is missing",
		    label, issuer);
	}
	return learn(s, NO_ISSUER, &err);
}

static void
explain_verdict(struct search *s, const struct report *answer,
    unsigned int status, struct stls_err *err)
{
	char label[STLS_LABEL_MAX];
	size_t index = 0;

	if (answer->wrong == NULL ||
	    !is_in_stem(s->path, answer->wrong, &index))
		index = 0;
	stls_rules_label(
	    label, sizeof(label), s->verify, s->path->cert[index], index);
	stls_err_set(err, SMTPTLS_E_CERTIFICATE, "%s %s", label,
	    stls_refusal_sentence(status));
}

/*
 * GnuTLS refused the stem. Our rules, asked about it and about the anchor it
 * would have ended at, know the reason better than a set of bits.
 */
static int
explain_refusal(
    struct search *s, const struct report *answer, unsigned int status)
{
	CLEANUP(free_cert) gnutls_x509_crt_t anchor = NULL;
	struct stls_path whole = *s->path;
	struct stls_verify lax = *s->verify;
	struct stls_err err;
	int r;

	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return explain_no_issuer(s);
	r = gnutls_x509_trust_list_get_issuer(s->anchors->list,
	    whole.cert[whole.count - 1], &anchor, GNUTLS_TL_GET_COPY);
	if (r >= 0)
		whole.cert[whole.count++] = anchor;
	/* GnuTLS knows nothing of their form: it has another reason. */
	lax.is_lax = true;
	r = stls_rules_check(&err, &lax, &whole);
	if (r == SMTPTLS_OK)
		explain_verdict(s, answer, status, &err);
	else if (r != SMTPTLS_E_CERTIFICATE)
		return stls_err_nomem(s->err);
	return learn(s, SOMETHING_WRONG, &err);
}

/* Where lists were loaded, all that is below the anchor must be covered. */
static int
check_revocation(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_path *path)
{
	char label[STLS_LABEL_MAX];
	size_t i;
	int r;

	for (i = 0; verify->trust->crls > 0 && i + 1 < path->count; i++) {
		r = stls_revocation_check(
		    verify->trust, err, path->cert[i], path->cert[i + 1]);
		if (r == SMTPTLS_E_CERTIFICATE) {
			stls_rules_label(
			    label, sizeof(label), verify, path->cert[i], i);
			stls_err_prefix(err, "%s", label);
		}
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}

/* Ask GnuTLS for the way to an anchor, which goes to the end of the path. */
static int
find_anchor(struct search *s)
{
	struct report answer = { .path = s->path,
		.anchors_stay = s->anchors->is_own };
	unsigned int status = 0;
	bool is_overruled = false;
	int r;

	r = ask_gnutls(s, &answer, &status);
	if (r == SMTPTLS_OK && status == 0)
		r = end_at_anchor(s, &answer);
	else if (r == SMTPTLS_OK && stls_overrule_is_for(status))
		r = stls_overrule(
		    s->err, s->verify, s->anchors, s->path, &is_overruled);
	if (r == SMTPTLS_OK && status != 0 && !is_overruled)
		r = explain_refusal(s, &answer, status);
	drop_anchor(&answer);
	return r;
}

/* Judge the stem: GnuTLS, our rules, the revocation lists. */
static int
judge(struct search *s)
{
	struct stls_path stem = *s->path;
	struct stls_err err;
	int r;

	s->tries++;
	r = stls_rules_check_bounds(&err, s->verify, s->path);
	if (r == SMTPTLS_OK) {
		r = find_anchor(s);
		if (r < 0)
			return r;
		r = stls_rules_check(&err, s->verify, s->path);
	}
	if (r == SMTPTLS_OK)
		r = check_revocation(&err, s->verify, s->path);
	if (r == SMTPTLS_OK)
		return r;
	free_cert(&s->path->anchor);
	*s->path = stem;
	if (r != SMTPTLS_E_CERTIFICATE)
		return stls_err_nomem(s->err);
	return learn(s, SOMETHING_WRONG, &err);
}

/* Whether a certificate of the chain may go on top of the stem. */
static bool
fits(const struct search *s, size_t index)
{
	const struct stls_path *path = s->path;
	gnutls_x509_crt_t candidate = s->chain->cert[index];
	size_t i;

	for (i = 0; i < path->count; i++) {
		if (path->sent_as[i] == index ||
		    stls_cert_is_same(path->cert[i], candidate))
			return false;
	}
	return gnutls_x509_crt_check_issuer(
		   path->cert[path->count - 1], candidate) != 0;
}

/*
 * Judge the stem, then make it longer by each certificate that fits. Depth is
 * bounded by STLS_PATH_MAX, the work by TRIES_MAX.
 */
static int
walk(struct search *s)
{
	size_t count = s->path->count, i;
	int r;

	r = judge(s);
	if (r != SMTPTLS_E_CERTIFICATE || count == STLS_PATH_MAX)
		return r;
	for (i = 0; i < s->chain->count && s->tries < TRIES_MAX; i++) {
		if (!fits(s, i))
			continue;
		s->path->cert[count] = s->chain->cert[i];
		s->path->sent_as[count] = i;
		s->path->count = count + 1;
		r = walk(s);
		if (r != SMTPTLS_E_CERTIFICATE)
			return r;
		s->path->count = count;
	}
	return SMTPTLS_E_CERTIFICATE;
}

int
stls_path_find(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_anchors *anchors, const struct stls_chain *chain,
    struct stls_path *out_path)
{
	struct stls_path path = { .cert = { chain->cert[0] }, .count = 1 };
	struct search search = {
		.verify = verify,
		.anchors = anchors,
		.chain = chain,
		.path = &path,
		.err = err,
	};
	int r;

	if (stls_trust_is_empty(verify->trust))
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "no certificate can be verified: no CA was loaded");
	r = walk(&search);
	if (r < 0)
		return r;
	/* What was wrong with paths that were tried before is no error. */
	stls_err_clear(err);
	*out_path = path;
	return SMTPTLS_OK;
}

void
stls_path_done(struct stls_path *path)
{
	free_cert(&path->anchor);
	memset(path, 0, sizeof(*path));
}
