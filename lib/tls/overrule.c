/* SPDX-License-Identifier: MIT */
#include "tls/overrule.h"

#include <gnutls/abstract.h>
#include <gnutls/x509-ext.h>

#include "base/cleanup.h"
#include "tls/free.h"
#include "tls/parts.h"
#include "tls/rules.h"

bool
stls_overrule_is_for(unsigned int status)
{
	return (status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE) != 0 &&
	    (status &
		~(unsigned int)(GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE |
		    GNUTLS_CERT_INVALID)) == 0;
}

static void
free_key(gnutls_pubkey_t *key)
{
	if (*key != NULL)
		gnutls_pubkey_deinit(*key);
}

static void
free_iter(gnutls_x509_trust_list_iter_t *iter)
{
	gnutls_x509_trust_list_iter_deinit(*iter);
}

static gnutls_datum_t
datum_of(const struct stls_der *der)
{
	return (gnutls_datum_t){ (unsigned char *)der->at,
		(unsigned int)stls_der_left(der) };
}

static bool
is_signed_by(gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer)
{
	CLEANUP(stls_parts_done) struct stls_parts parts = { .fault = NULL };
	CLEANUP(free_key) gnutls_pubkey_t key = NULL;
	int algorithm = gnutls_x509_crt_get_signature_algorithm(cert);
	gnutls_datum_t tbs, signature;
	struct stls_err unused;

	if (algorithm < 0 || stls_parts_init(&parts, &unused, cert) < 0 ||
	    parts.fault != NULL || gnutls_pubkey_init(&key) < 0 ||
	    gnutls_pubkey_import_x509(key, issuer, 0) < 0)
		return false;
	tbs = datum_of(&parts.tbs);
	signature = datum_of(&parts.signature);
	return gnutls_pubkey_verify_data2(key,
		   (gnutls_sign_algorithm_t)algorithm, 0, &tbs,
		   &signature) >= 0;
}

/* RFC 7633 section 4.2.2: what a CA demands those below it have to have. */
static bool
has_features(const struct stls_path *path)
{
	CLEANUP(free_features) gnutls_x509_tlsfeatures_t features = NULL;
	size_t i;
	int r;

	if (gnutls_x509_tlsfeatures_init(&features) < 0)
		return false;
	for (i = path->count - 1; i > 0; i--) {
		r = gnutls_x509_crt_get_tlsfeatures(
		    path->cert[i], features, GNUTLS_EXT_FLAG_APPEND, NULL);
		if (r < 0 && r != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
		if (gnutls_x509_tlsfeatures_check_crt(
			features, path->cert[i - 1]) == 0)
			return false;
	}
	return true;
}

/*
 * What GnuTLS says of one step alone, but for constraints: on its way down a
 * path it stops at the first certificate that is wrong, and has seen nothing of
 * those below it, which the policy of the system may find too weak.
 */
static bool
is_issued_by(gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer)
{
	unsigned int status = 0;

	if (gnutls_x509_crt_check_issuer(cert, issuer) == 0 ||
	    gnutls_x509_crt_verify(
		cert, &issuer, 1, STLS_PATH_VERIFY_FLAGS, &status) < 0)
		return false;
	/* Wrong parameters of a signature count as a constraint, too. */
	return (status == 0 || stls_overrule_is_for(status)) &&
	    is_signed_by(cert, issuer);
}

/* From the top: below what the anchor did not sign a stranger signs at will. */
static bool
is_sound(const struct stls_path *path)
{
	size_t i;

	for (i = path->count - 1; i > 0; i--) {
		if (!is_issued_by(path->cert[i - 1], path->cert[i]))
			return false;
	}
	return has_features(path);
}

/* Takes the anchor over. */
static int
try_anchor(const struct stls_verify *verify, gnutls_x509_crt_t anchor,
    struct stls_path *path, bool *out_is_good)
{
	struct stls_path whole = *path;
	struct stls_err unused;
	int r;

	whole.anchor = anchor;
	whole.cert[whole.count++] = anchor;
	r = stls_rules_check(&unused, verify, &whole);
	*out_is_good = r == SMTPTLS_OK && is_sound(&whole);
	if (*out_is_good)
		*path = whole;
	else
		stls_path_done(&whole);
	return r == SMTPTLS_E_NOMEM ? r : SMTPTLS_OK;
}

/* Several anchors may have one name: renewed ones, and ones of another key. */
static int
try_anchors(const struct stls_verify *verify,
    const struct stls_anchors *anchors, struct stls_path *path,
    bool *out_is_good)
{
	CLEANUP(free_iter) gnutls_x509_trust_list_iter_t iter = NULL;
	gnutls_x509_crt_t last = path->cert[path->count - 1], anchor = NULL;
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK && !*out_is_good) {
		r = gnutls_x509_trust_list_iter_get_ca(
		    anchors->list, &iter, &anchor);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return SMTPTLS_OK;
		if (r < 0)
			return SMTPTLS_E_NOMEM;
		if (gnutls_x509_crt_check_issuer(last, anchor) != 0)
			r = try_anchor(verify, anchor, path, out_is_good);
		else
			gnutls_x509_crt_deinit(anchor);
	}
	return r;
}

int
stls_overrule(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_anchors *anchors, struct stls_path *path,
    bool *out_is_good)
{
	*out_is_good = false;
	if (verify->trust->is_live)
		return SMTPTLS_OK;
	return try_anchors(verify, anchors, path, out_is_good) < 0
	    ? stls_err_nomem(err)
	    : SMTPTLS_OK;
}
