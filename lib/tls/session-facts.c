/* SPDX-License-Identifier: MIT */
/* What a session tells of itself. */
#include "tls/session-parts.h"

#include "tls/suite.h"

enum smtptls_tls_version
smtptls_session_version(const struct smtptls_session *session)
{
	if (!stls_session_is_done(session))
		return SMTPTLS_TLS_NONE;
	return stls_priority_version(gnutls_protocol_get_version(session->tls));
}

const char *
smtptls_tls_version_name(enum smtptls_tls_version version)
{
	switch (version) {
	case SMTPTLS_SSL_3_0:
		return "SSLv3";
	case SMTPTLS_TLS_1_0:
		return "TLSv1.0";
	case SMTPTLS_TLS_1_1:
		return "TLSv1.1";
	case SMTPTLS_TLS_1_2:
		return "TLSv1.2";
	case SMTPTLS_TLS_1_3:
		return "TLSv1.3";
	default:
		return "none";
	}
}

/* In TLS 1.3 the key exchange is no part of the suite. */
static bool
is_suite_of(const struct stls_suite *suite, gnutls_session_t tls)
{
	bool is_1_3 = gnutls_protocol_get_version(tls) == GNUTLS_TLS1_3;

	if (suite->cipher != gnutls_cipher_get(tls) ||
	    is_1_3 != (suite->version == GNUTLS_TLS1_3))
		return false;
	return is_1_3 ||
	    (suite->kx == gnutls_kx_get(tls) &&
		suite->mac == gnutls_mac_get(tls));
}

int
smtptls_session_cipher(
    const struct smtptls_session *session, struct smtptls_cipher *out_cipher)
{
	struct stls_suites suites;
	size_t i;

	if (session == NULL || out_cipher == NULL)
		return SMTPTLS_E_INVALID;
	if (stls_fork_happened(session->made_in))
		return SMTPTLS_E_FORKED;
	if (!stls_session_is_done(session))
		return SMTPTLS_E_STATE;
	stls_suites_list(&suites, session->context->priority);
	for (i = 0; i < suites.count; i++) {
		if (is_suite_of(&suites.suite[i], session->tls))
			break;
	}
	if (i == suites.count)
		return SMTPTLS_E_STATE;
	out_cipher->name = suites.suite[i].name;
	out_cipher->version = smtptls_session_version(session);
	out_cipher->strength_bits =
	    (int)gnutls_cipher_get_key_size(suites.suite[i].cipher) * 8;
	return SMTPTLS_OK;
}

const char *
smtptls_session_group(const struct smtptls_session *session)
{
	const char *name = NULL;

	if (stls_session_is_done(session))
		name = gnutls_group_get_name(gnutls_group_get(session->tls));
	return name != NULL ? name : "";
}

const char *
smtptls_session_signature(const struct smtptls_session *session)
{
	gnutls_sign_algorithm_t algorithm;
	const char *name = NULL;

	if (!stls_session_is_done(session))
		return "";
	algorithm = (gnutls_sign_algorithm_t)gnutls_sign_algorithm_get(
	    session->tls);
	if (algorithm != GNUTLS_SIGN_UNKNOWN)
		name = gnutls_sign_get_name(algorithm);
	return name != NULL ? name : "";
}

int
smtptls_session_has_ocsp_staple(const struct smtptls_session *session)
{
	gnutls_datum_t der;

	return session != NULL && !stls_fork_happened(session->made_in) &&
	    session->tls != NULL &&
	    gnutls_ocsp_status_request_get2(session->tls, 0, &der) >= 0;
}

int
smtptls_session_is_resumed(const struct smtptls_session *session)
{
	return stls_session_is_done(session) &&
	    gnutls_session_is_resumed(session->tls) != 0;
}

int
smtptls_session_sent_certificate(const struct smtptls_session *session)
{
	return stls_session_is_done(session) && session->sent_certificate;
}

static const gnutls_datum_t *
peer_der(const struct smtptls_session *session, size_t index)
{
	const gnutls_datum_t *der;
	unsigned int count = 0;

	der = gnutls_certificate_get_peers(session->tls, &count);
	return der != NULL && index < count ? &der[index] : NULL;
}

int
smtptls_session_get_peer_cert(const struct smtptls_session *session,
    size_t index, const unsigned char **out_der, size_t *out_len)
{
	const gnutls_datum_t *der;

	if (session == NULL || out_der == NULL || out_len == NULL)
		return SMTPTLS_E_INVALID;
	if (stls_fork_happened(session->made_in))
		return SMTPTLS_E_FORKED;
	if (session->tls == NULL)
		return SMTPTLS_E_STATE;
	der = peer_der(session, index);
	if (der == NULL)
		return SMTPTLS_E_INVALID;
	*out_der = der->data;
	*out_len = der->size;
	return SMTPTLS_OK;
}

/*
 * Also for a session that failed: who refuses a certificate wants to show
 * which one.
 */
int
smtptls_session_get_peer_cert_info(struct smtptls_session *session,
    size_t index, struct smtptls_cert_info *out_info)
{
	struct stls_peer_cert *cert;
	const gnutls_datum_t *der;
	struct stls_err err;
	int r;

	if (session == NULL || out_info == NULL)
		return SMTPTLS_E_INVALID;
	if (stls_fork_happened(session->made_in))
		return SMTPTLS_E_FORKED;
	for (cert = session->peer_certs; cert != NULL; cert = cert->next) {
		if (cert->index == index)
			break;
	}
	if (cert == NULL) {
		der = session->tls != NULL ? peer_der(session, index) : NULL;
		if (der == NULL)
			return SMTPTLS_E_INVALID;
		r = stls_peer_cert_new(&err, der, &cert);
		if (r < 0 && session->state != STLS_SESSION_FAILED)
			stls_err_copy(&session->err, &err);
		if (r < 0)
			return r;
		cert->index = index;
		cert->next = session->peer_certs;
		session->peer_certs = cert;
	}
	*out_info = cert->info;
	return SMTPTLS_OK;
}
