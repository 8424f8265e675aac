/* SPDX-License-Identifier: MIT */
/* The handshake, and who the peer is. */
#include "tls/session-parts.h"

#include "tls/verify.h"

/* RFC 7919 knows no smaller group, and the medium level no smaller key. */
#define DH_BITS_MIN 2048

/* Whether the peer of a server may go without a certificate, and did. */
static bool
is_anonymous_client(const struct smtptls_session *session)
{
	unsigned int count = 0;

	if (session->context->verify_mode == SMTPTLS_CERT_NONE)
		return true;
	return session->context->verify_mode == SMTPTLS_CERT_OPTIONAL &&
	    gnutls_certificate_get_peers(session->tls, &count) == NULL;
}

/*
 * Verify the peer: after every handshake, resumed or not, because a resumed
 * session proves no more than that somebody had the ticket of an earlier one.
 */
static int
verify(struct smtptls_session *session)
{
	struct smtptls_context *context = session->context;
	bool is_client = stls_session_is_client(session);
	struct stls_verify how = {
		.purpose = context->purpose,
		.trust = &context->trust,
		.verdicts = &context->verdicts,
		.host = context->check_hostname ? &session->host : NULL,
		.pins = &context->pins,
		.is_lax = context->lax,
		.takes_any_cert = is_client &&
		    context->verify_mode == SMTPTLS_CERT_NONE,
	};
	int r;

	session->verified = false;
	if (!is_client && is_anonymous_client(session))
		return SMTPTLS_OK;
	r = stls_verify_peer(
	    &session->err, &how, session->tls, &session->verified_until);
	if (r < 0)
		return r;
	session->verified = !context->insecure && !how.takes_any_cert;
	return SMTPTLS_OK;
}

/*
 * In the middle of the handshake, where a client shows its certificate next:
 * who it is, only a server that is verified shall learn. The verdict that
 * counts is the one at the end: GnuTLS does not call this when it resumes.
 */
int
stls_session_verify_early(gnutls_session_t tls)
{
	struct smtptls_session *session = gnutls_session_get_ptr(tls);

	return verify(session) < 0 ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR
				   : GNUTLS_E_SUCCESS;
}

static void
note_own_certificate(struct smtptls_session *session)
{
	if (!stls_session_is_client(session))
		return;
	if (gnutls_session_is_resumed(session->tls))
		session->sent_certificate = session->resumed_certificate;
	else
		session->sent_certificate =
		    gnutls_certificate_client_get_request_status(
			session->tls) != 0 &&
		    gnutls_certificate_get_ours(session->tls) != NULL;
}

/*
 * Looked at here, and not told to GnuTLS before: what it is told takes the
 * place of what the system's policy asks for, which may be more.
 */
static int
check_group(struct smtptls_session *session)
{
	int bits = gnutls_dh_get_prime_bits(session->tls);

	if (bits <= 0 || bits >= DH_BITS_MIN)
		return SMTPTLS_OK;
	return stls_err_set(&session->err, SMTPTLS_E_TLS,
	    "the server offers a Diffie-Hellman group that is too small (%d "
	    "bits)",
	    bits);
}

static int
finish_handshake(struct smtptls_session *session)
{
	int r;

	r = check_group(session);
	if (r < 0)
		return stls_session_fail_with_alert(
		    session, GNUTLS_A_INSUFFICIENT_SECURITY);
	r = verify(session);
	if (r < 0)
		return stls_session_fail_with_alert(session,
		    r == SMTPTLS_E_CERTIFICATE ? GNUTLS_A_BAD_CERTIFICATE
					       : GNUTLS_A_INTERNAL_ERROR);
	note_own_certificate(session);
	session->chatter = 0;
	session->state = STLS_SESSION_OPEN;
	return SMTPTLS_OK;
}

int
smtptls_session_handshake(struct smtptls_session *session)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (session->state == STLS_SESSION_OPEN ||
	    session->state == STLS_SESSION_CLOSED)
		return SMTPTLS_OK;
	if (!session->transport.is_set)
		return stls_session_refuse_state(
		    session, "there is no transport");
	if (stls_transport_prepare(&session->transport) < 0)
		return stls_err_nomem(&session->err);
	session->state = STLS_SESSION_HANDSHAKE;
	do {
		r = gnutls_handshake(session->tls);
	} while (r < 0 && stls_session_goes_on(session, r));
	if (stls_session_is_to_wait(session, r))
		return SMTPTLS_AGAIN;
	if (r < 0)
		return stls_session_fail_with_gnutls(session, r);
	return finish_handshake(session);
}

int
smtptls_session_is_verified(const struct smtptls_session *session)
{
	return stls_session_is_done(session) && session->verified;
}
