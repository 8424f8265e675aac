/* SPDX-License-Identifier: MIT */
#include "tls/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tls/explain.h"
#include "tls/session-parts.h"

static const char forked_sentence[] =
    "the session belongs to the parent of this process";

static int
log_no_key(gnutls_session_t tls, const char *label, const gnutls_datum_t *key)
{
	(void)tls;
	(void)label;
	(void)key;
	return 0;
}

bool
stls_session_is_client(const struct smtptls_session *session)
{
	return session->context->purpose == SMTPTLS_SERVER_AUTH;
}

int
stls_session_enter(struct smtptls_session *session)
{
	if (session == NULL)
		return SMTPTLS_E_INVALID;
	if (stls_fork_happened(session->made_in))
		return SMTPTLS_E_FORKED;
	return session->state == STLS_SESSION_FAILED ? session->err.code
						     : SMTPTLS_OK;
}

bool
stls_session_is_usable(const struct smtptls_session *session)
{
	return session != NULL && !stls_fork_happened(session->made_in) &&
	    session->state != STLS_SESSION_FAILED;
}

bool
stls_session_is_done(const struct smtptls_session *session)
{
	return stls_session_is_usable(session) &&
	    (session->state == STLS_SESSION_OPEN ||
		session->state == STLS_SESSION_CLOSED);
}

/* From here on there is nothing but smtptls_session_free(). */
int
stls_session_fail(struct smtptls_session *session)
{
	session->state = STLS_SESSION_FAILED;
	session->verified = false;
	/* Without a reason it would look like a success. */
	if (session->err.code >= 0)
		stls_err_set(
		    &session->err, SMTPTLS_E_TLS, "the TLS session failed");
	return session->err.code;
}

int
stls_session_refuse_state(struct smtptls_session *session, const char *why)
{
	return stls_err_set(&session->err, SMTPTLS_E_STATE, "%s", why);
}

static int
set_host(struct smtptls_session *session, const char *hostname)
{
	int r;

	if (!stls_session_is_client(session)) {
		if (hostname == NULL)
			return SMTPTLS_OK;
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "a server has no host name to verify");
	}
	if (hostname == NULL) {
		if (!session->context->check_hostname)
			return SMTPTLS_OK;
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "there is no host name to verify");
	}
	r = stls_host_parse(
	    &session->err, hostname, strlen(hostname), &session->host);
	if (r < 0)
		return r;
	session->has_host = true;
	return SMTPTLS_OK;
}

/* RFC 6066 section 3: a literal address is no name to send. */
static int
set_up_client(struct smtptls_session *session)
{
	const struct stls_host *host = &session->host;

	if (session->context->has_certificate)
		gnutls_session_set_verify_function(
		    session->tls, stls_session_verify_early);
	if (!session->has_host || host->is_ip)
		return GNUTLS_E_SUCCESS;
	return gnutls_server_name_set(
	    session->tls, GNUTLS_NAME_DNS, host->name, strlen(host->name));
}

static int
set_up_server(struct smtptls_session *session)
{
	const struct smtptls_context *context = session->context;
	gnutls_certificate_request_t request = GNUTLS_CERT_IGNORE;

	if (context->verify_mode == SMTPTLS_CERT_REQUIRED)
		request = GNUTLS_CERT_REQUIRE;
	else if (context->verify_mode == SMTPTLS_CERT_OPTIONAL)
		request = GNUTLS_CERT_REQUEST;
	gnutls_certificate_server_set_request(session->tls, request);
	return gnutls_session_ticket_enable_server(
	    session->tls, &context->ticket_key);
}

static int
set_up_tls(struct smtptls_session *session)
{
	/* Like everybody else: send the certificate to any server that asks. */
	unsigned int flags = stls_session_is_client(session)
	    ? GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT
	    : GNUTLS_SERVER;
	int r;

	r = gnutls_init(&session->tls, flags);
	if (r < 0) {
		session->tls = NULL;
		return r;
	}
	gnutls_session_set_ptr(session->tls, session);
	session->gnutls_keylog = gnutls_session_get_keylog_function(
	    session->tls);
	gnutls_session_set_keylog_function(session->tls, log_no_key);
	gnutls_handshake_set_hook_function(session->tls, GNUTLS_HANDSHAKE_ANY,
	    GNUTLS_HOOK_POST, stls_session_count_message);
	r = gnutls_priority_set(session->tls, session->context->priority);
	if (r < 0)
		return r;
	r = gnutls_credentials_set(session->tls, GNUTLS_CRD_CERTIFICATE,
	    session->context->credentials.cert);
	if (r < 0)
		return r;
	return stls_session_is_client(session) ? set_up_client(session)
					       : set_up_server(session);
}

static int
set_up(struct smtptls_session *session, struct smtptls_context *context,
    const char *hostname)
{
	int r;

	if (context == NULL)
		return stls_err_set(
		    &session->err, SMTPTLS_E_INVALID, "there is no context");
	r = stls_context_freeze(context, &session->err);
	if (r < 0)
		return r;
	session->context = smtptls_context_ref(context);
	r = set_host(session, hostname);
	if (r < 0)
		return r;
	r = set_up_tls(session);
	return r < 0 ? stls_explain(session, r) : SMTPTLS_OK;
}

int
smtptls_session_new(struct smtptls_context *context, const char *hostname,
    struct smtptls_session **out_session)
{
	struct smtptls_session *session;
	int r;

	if (out_session == NULL)
		return SMTPTLS_E_INVALID;
	*out_session = NULL;
	session = stls_alloc_zero(sizeof(*session));
	if (session == NULL)
		return SMTPTLS_E_NOMEM;
	session->made_in = stls_fork_current();
	session->transport.fd = -1;
	r = set_up(session, context, hostname);
	if (r == SMTPTLS_E_NOMEM) {
		smtptls_session_free(session);
		return r;
	}
	*out_session = session;
	return r < 0 ? stls_session_fail(session) : SMTPTLS_OK;
}

void
smtptls_session_free(struct smtptls_session *session)
{
	if (session == NULL)
		return;
	/* This frees and wipes; it does not write, so a child may do it. */
	if (session->tls != NULL)
		gnutls_deinit(session->tls);
	stls_transport_done(&session->transport);
	stls_peer_cert_free(session->peer_certs);
	smtptls_context_free(session->context);
	free(session);
}

const char *
smtptls_session_error(const struct smtptls_session *session)
{
	if (session == NULL)
		return smtptls_strerror(SMTPTLS_E_NOMEM);
	if (stls_fork_happened(session->made_in))
		return forked_sentence;
	return session->err.text;
}

static int
attach(struct smtptls_session *session, int r)
{
	if (r < 0)
		return stls_session_refuse_state(
		    session, "there is a transport already");
	stls_transport_attach(&session->transport, session->tls);
	return SMTPTLS_OK;
}

int
smtptls_session_set_fd(struct smtptls_session *session, int fd)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (fd < 0)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "%d is no descriptor", fd);
	return attach(session, stls_transport_set_fd(&session->transport, fd));
}

int
smtptls_session_set_callbacks(struct smtptls_session *session,
    smtptls_read_cb read, smtptls_write_cb write, void *arg)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (read == NULL || write == NULL)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "a transport needs to read and to write");
	return attach(session,
	    stls_transport_set_callbacks(
		&session->transport, read, write, arg));
}

int
smtptls_session_insecure_log_keys(struct smtptls_session *session)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (session->state != STLS_SESSION_NEW)
		return stls_session_refuse_state(
		    session, "the handshake has begun");
	gnutls_session_set_keylog_function(
	    session->tls, session->gnutls_keylog);
	return SMTPTLS_OK;
}
