/* SPDX-License-Identifier: MIT */
#include "tls/ocsp.h"

#include <gnutls/ocsp.h>
#include <gnutls/x509-ext.h>

#include "base/cleanup.h"
#include "tls/certs.h"
#include "tls/free.h"
#include "tls/rules.h"

/* RFC 7633 section 4.2.1: the number of the extension status_request. */
#define FEATURE_STATUS_REQUEST 5

/*
 * How old an answer may be that does not say itself until when it holds: what
 * the CA/Browser Forum allows (Baseline Requirements section 4.9.10).
 */
#define AGE_MAX (10 * 24 * 60 * 60)

/* Clocks of responders are not better than others. */
#define SKEW_MAX (5 * 60)

/* A staple and what it is about. */
struct staple {
	gnutls_ocsp_resp_t resp;
	gnutls_x509_crt_t cert;
	gnutls_x509_crt_t issuer;
	const struct stls_verify *verify;
	size_t index; /* of the certificate in the path */
	char *label;  /* STLS_LABEL_MAX bytes for label_of() */
	time_t *until;
};

static void
free_resp(gnutls_ocsp_resp_t *resp)
{
	if (*resp != NULL)
		gnutls_ocsp_resp_deinit(*resp);
}

static const char *
label_of(const struct staple *s)
{
	stls_rules_label(
	    s->label, STLS_LABEL_MAX, s->verify, s->cert, s->index);
	return s->label;
}

static int
refuse(struct stls_err *err, const struct staple *s, const char *why)
{
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "OCSP response for %s %s", label_of(s), why);
}

static int
check_time(struct stls_err *err, const struct staple *s, time_t this_update,
    time_t next_update)
{
	time_t now = time(NULL);

	if (this_update == (time_t)-1 || this_update > now + SKEW_MAX)
		return refuse(err, s, "is of the future");
	if (next_update == (time_t)-1)
		next_update = this_update + AGE_MAX;
	if (next_update <= now)
		return refuse(err, s, "has expired");
	if (next_update < *s->until)
		*s->until = next_update;
	return SMTPTLS_OK;
}

static int
check_status(struct stls_err *err, const struct staple *s, unsigned int index)
{
	time_t this_update, next_update, revoked_at;
	unsigned int status, reason;
	char date[STLS_DATE_MAX];
	int r;

	r = gnutls_ocsp_resp_get_single(s->resp, index, NULL, NULL, NULL, NULL,
	    &status, &this_update, &next_update, &revoked_at, &reason);
	if (r < 0)
		return refuse(err, s, "cannot be read");
	r = check_time(err, s, this_update, next_update);
	if (r < 0)
		return r;
	if (status == GNUTLS_OCSP_CERT_GOOD)
		return SMTPTLS_OK;
	if (status != GNUTLS_OCSP_CERT_REVOKED)
		return refuse(err, s, "says that it is unknown");
	stls_format_date(date, sizeof(date), revoked_at);
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE, "%s was revoked on %s",
	    label_of(s), date);
}

static int
check_signature(struct stls_err *err, const struct staple *s)
{
	int algorithm = gnutls_ocsp_resp_get_signature_algorithm(s->resp);
	unsigned int wrong = 0;

	if (gnutls_ocsp_resp_verify_direct(s->resp, s->issuer, &wrong, 0) < 0 ||
	    wrong != 0)
		return refuse(err, s, "is not signed by whom its CA appointed");
	if (algorithm < 0 ||
	    stls_rules_signature_is_weak((gnutls_sign_algorithm_t)algorithm))
		return refuse(err, s, "has a weak signature");
	return SMTPTLS_OK;
}

/* Which of the answers in the response is about the certificate. */
static int
find_answer(
    struct stls_err *err, const struct staple *s, unsigned int *out_index)
{
	unsigned int i;
	int r;

	for (i = 0;; i++) {
		r = gnutls_ocsp_resp_check_crt(s->resp, i, s->cert);
		if (r == GNUTLS_E_SUCCESS)
			break;
		if (r != GNUTLS_E_OCSP_RESPONSE_ERROR)
			return refuse(err, s, "is about another certificate");
	}
	*out_index = i;
	return SMTPTLS_OK;
}

static int
check_staple(struct stls_err *err, struct staple *s, const gnutls_datum_t *der)
{
	CLEANUP(free_resp) gnutls_ocsp_resp_t resp = NULL;
	unsigned int index = 0;
	int r;

	if (gnutls_ocsp_resp_init(&resp) < 0)
		return stls_err_nomem(err);
	s->resp = resp;
	if (gnutls_ocsp_resp_import(resp, der) < 0)
		return refuse(err, s, "cannot be read");
	if (gnutls_ocsp_resp_get_status(resp) != GNUTLS_OCSP_RESP_SUCCESSFUL)
		return refuse(err, s, "is none: the responder had an error");
	r = find_answer(err, s, &index);
	if (r == SMTPTLS_OK)
		r = check_signature(err, s);
	if (r == SMTPTLS_OK)
		r = check_status(err, s, index);
	return r;
}

/* What cannot be read is taken for a demand. */
static bool
demands_staple(gnutls_x509_crt_t cert)
{
	CLEANUP(free_features) gnutls_x509_tlsfeatures_t features = NULL;
	unsigned int i, feature;
	int r;

	r = gnutls_x509_tlsfeatures_init(&features);
	if (r >= 0)
		r = gnutls_x509_crt_get_tlsfeatures(cert, features, 0, NULL);
	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return false;
	if (r < 0)
		return true;
	for (i = 0; gnutls_x509_tlsfeatures_get(features, i, &feature) >= 0;
	     i++) {
		if (feature == FEATURE_STATUS_REQUEST)
			return true;
	}
	return false;
}

/* Only clients ask for staples, so only servers owe them. */
static int
check_without_staple(struct stls_err *err, const struct staple *s, size_t index)
{
	if (index > 0 || s->verify->purpose != SMTPTLS_SERVER_AUTH ||
	    !demands_staple(s->cert))
		return SMTPTLS_OK;
	return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
	    "%s demands an OCSP response and came without one", label_of(s));
}

int
stls_ocsp_check(struct stls_err *err, const struct stls_verify *verify,
    gnutls_session_t session, const struct stls_path *path, time_t *until)
{
	char label[STLS_LABEL_MAX];
	struct staple s = { .verify = verify, .label = label, .until = until };
	gnutls_datum_t der;
	size_t i;
	int r;

	for (i = 0; i + 1 < path->count; i++) {
		s.index = i;
		s.cert = path->cert[i];
		s.issuer = path->cert[i + 1];
		r = gnutls_ocsp_status_request_get2(
		    session, (unsigned int)path->sent_as[i], &der);
		if (r >= 0)
			r = check_staple(err, &s, &der);
		else
			r = check_without_staple(err, &s, i);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}
