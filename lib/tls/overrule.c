/* SPDX-License-Identifier: MIT */
#include "tls/overrule.h"

#include <gnutls/abstract.h>
#include <gnutls/x509-ext.h>

#include "base/cleanup.h"
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
free_features(gnutls_x509_tlsfeatures_t *features)
{
	if (*features != NULL)
		gnutls_x509_tlsfeatures_deinit(*features);
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

static bool
is_sound(const struct stls_path *path)
{
	size_t i;

	for (i = 0; i + 1 < path->count; i++) {
		if (gnutls_x509_crt_check_issuer(
			path->cert[i], path->cert[i + 1]) == 0 ||
		    !is_signed_by(path->cert[i], path->cert[i + 1]))
			return false;
	}
	return has_features(path);
}

int
stls_overrule(struct stls_err *err, const struct stls_verify *verify,
    const struct stls_anchors *anchors, struct stls_path *path,
    bool *out_is_good)
{
	struct stls_path whole = *path;
	struct stls_err unused;
	int r;

	*out_is_good = false;
	r = gnutls_x509_trust_list_get_issuer(anchors->list,
	    path->cert[path->count - 1], &whole.anchor, GNUTLS_TL_GET_COPY);
	if (r < 0)
		return SMTPTLS_OK;
	whole.cert[whole.count++] = whole.anchor;
	r = stls_rules_check(&unused, verify, &whole);
	if (r == SMTPTLS_OK && is_sound(&whole)) {
		*path = whole;
		*out_is_good = true;
		return SMTPTLS_OK;
	}
	stls_path_done(&whole);
	return r == SMTPTLS_E_NOMEM ? stls_err_nomem(err) : SMTPTLS_OK;
}
