/* SPDX-License-Identifier: MIT */
#include "tls/session.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tls/explain.h"
#include "tls/suite.h"
#include "tls/verify.h"

/*
 * Tickets, key updates and alerts that may come between two pieces of data.
 * Servers send up to four tickets at once, and rekey after gigabytes; nobody
 * who sends more than 32 of them means well, and each costs us work. A message
 * of a handshake counts when it comes and when GnuTLS returns because of it.
 */
#define CHATTER_MAX 64

/* RFC 7919 knows no smaller group, and the medium level no smaller key. */
#define DH_BITS_MIN 2048

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

static bool
is_client(const struct smtptls_session *session)
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
static int
fail(struct smtptls_session *session)
{
	session->state = STLS_SESSION_FAILED;
	session->verified = false;
	return session->err.code;
}

static int
refuse_state(struct smtptls_session *session, const char *why)
{
	return stls_err_set(&session->err, SMTPTLS_E_STATE, "%s", why);
}

/*
 * GnuTLS answers key updates and swallows tickets by itself, without end.
 * This is called for each message of a handshake, those behind it included.
 */
static int
count_message(gnutls_session_t tls, unsigned int type, unsigned int when,
    unsigned int incoming, const gnutls_datum_t *message)
{
	struct smtptls_session *session = gnutls_session_get_ptr(tls);

	(void)type;
	(void)when;
	(void)message;
	if (session->state != STLS_SESSION_OPEN &&
	    session->state != STLS_SESSION_CLOSED)
		return 0;
	if (incoming != 0 && ++session->chatter > CHATTER_MAX)
		return GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS;
	return 0;
}

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
	const struct smtptls_context *context = session->context;
	struct stls_verify how = {
		.purpose = context->purpose,
		.trust = &context->trust,
		.host = context->check_hostname ? &session->host : NULL,
	};
	int r;

	session->verified = false;
	if (is_client(session) ? context->verify_mode == SMTPTLS_CERT_NONE
			       : is_anonymous_client(session))
		return SMTPTLS_OK;
	r = stls_verify_peer(
	    &session->err, &how, session->tls, &session->verified_until);
	if (r < 0)
		return r;
	session->verified = !context->insecure;
	return SMTPTLS_OK;
}

/*
 * In the middle of the handshake, where a client shows its certificate next:
 * who it is, only a server that is verified shall learn. The verdict that
 * counts is the one at the end: GnuTLS does not call this when it resumes.
 */
static int
verify_early(gnutls_session_t tls)
{
	struct smtptls_session *session = gnutls_session_get_ptr(tls);

	return verify(session) < 0 ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR
				   : GNUTLS_E_SUCCESS;
}

/* ---- making one ---- */

static int
set_host(struct smtptls_session *session, const char *hostname)
{
	int r;

	if (!is_client(session)) {
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
		gnutls_session_set_verify_function(session->tls, verify_early);
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
	unsigned int flags = is_client(session)
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
	    GNUTLS_HOOK_POST, count_message);
	r = gnutls_priority_set(session->tls, session->context->priority);
	if (r < 0)
		return r;
	r = gnutls_credentials_set(session->tls, GNUTLS_CRD_CERTIFICATE,
	    session->context->credentials.cert);
	if (r < 0)
		return r;
	return is_client(session) ? set_up_client(session)
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
	return r < 0 ? fail(session) : SMTPTLS_OK;
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
	if (r == SMTPTLS_E_NOMEM)
		return stls_err_nomem(&session->err);
	if (r < 0)
		return refuse_state(session, "there is a transport already");
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
		return refuse_state(session, "the handshake has begun");
	gnutls_session_set_keylog_function(
	    session->tls, session->gnutls_keylog);
	return SMTPTLS_OK;
}

/* ---- handshake ---- */

static void
note_own_certificate(struct smtptls_session *session)
{
	if (!is_client(session))
		return;
	if (gnutls_session_is_resumed(session->tls))
		session->sent_certificate = session->resumed_certificate;
	else
		session->sent_certificate =
		    gnutls_certificate_client_get_request_status(
			session->tls) != 0 &&
		    gnutls_certificate_get_ours(session->tls) != NULL;
}

/* Tell the peer why, as far as it goes without waiting. */
static int
fail_with_alert(
    struct smtptls_session *session, gnutls_alert_description_t alert)
{
	(void)gnutls_alert_send(session->tls, GNUTLS_AL_FATAL, alert);
	return fail(session);
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
		return fail_with_alert(session, GNUTLS_A_INSUFFICIENT_SECURITY);
	r = verify(session);
	if (r < 0)
		return fail_with_alert(session,
		    r == SMTPTLS_E_CERTIFICATE ? GNUTLS_A_BAD_CERTIFICATE
					       : GNUTLS_A_INTERNAL_ERROR);
	note_own_certificate(session);
	session->chatter = 0;
	session->state = STLS_SESSION_OPEN;
	return SMTPTLS_OK;
}

/*
 * Whether GnuTLS only has something to say, or is to be called again. It also
 * says AGAIN after a message that is no data, such as a ticket: there may be
 * more in the buffer, of which poll(2) knows nothing. And after each piece of
 * what comes or goes in pieces, which are no messages.
 */
static bool
goes_on(struct smtptls_session *session, int r)
{
	bool blocked = session->transport.would_block;
	bool in_pieces = session->transport.was_short && !blocked;

	session->transport.would_block = false;
	session->transport.was_short = false;
	if (r == GNUTLS_E_INTERRUPTED || (r == GNUTLS_E_AGAIN && in_pieces))
		return true;
	if (r != GNUTLS_E_WARNING_ALERT_RECEIVED &&
	    (r != GNUTLS_E_AGAIN || blocked))
		return false;
	return ++session->chatter <= CHATTER_MAX;
}

static bool
is_to_wait(const struct smtptls_session *session, int r)
{
	return r == GNUTLS_E_AGAIN && session->chatter <= CHATTER_MAX;
}

static int
fail_with_gnutls(struct smtptls_session *session, int r)
{
	if (r == GNUTLS_E_WARNING_ALERT_RECEIVED || r == GNUTLS_E_AGAIN)
		r = GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS;
	/* verify_early() has told why, and that is the better sentence. */
	if (r == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		return fail_with_alert(session, GNUTLS_A_BAD_CERTIFICATE);
	(void)stls_explain(session, r);
	if (session->err.code != SMTPTLS_E_IO &&
	    r != GNUTLS_E_FATAL_ALERT_RECEIVED && stls_explain_is_tls(session))
		(void)gnutls_alert_send_appropriate(session->tls, r);
	return fail(session);
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
	if (session->transport.buffer == NULL)
		return refuse_state(session, "there is no transport");
	session->state = STLS_SESSION_HANDSHAKE;
	do {
		r = gnutls_handshake(session->tls);
	} while (r < 0 && goes_on(session, r));
	if (is_to_wait(session, r))
		return SMTPTLS_AGAIN;
	if (r < 0)
		return fail_with_gnutls(session, r);
	return finish_handshake(session);
}

int
smtptls_session_is_verified(const struct smtptls_session *session)
{
	return stls_session_is_done(session) && session->verified;
}

/* ---- data ---- */

int
smtptls_session_read(
    struct smtptls_session *session, void *buf, size_t cap, size_t *out_len)
{
	ssize_t n;
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (!stls_session_is_done(session))
		return refuse_state(session, "the handshake is not done");
	if (buf == NULL || cap == 0 || out_len == NULL)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "there is no place to read to");
	if (session->at_end) {
		*out_len = 0;
		return SMTPTLS_OK;
	}
	/* A write may have come to EAGAIN since. */
	session->transport.would_block = false;
	do {
		n = gnutls_record_recv(session->tls, buf, cap);
	} while (n < 0 && goes_on(session, (int)n));
	if (is_to_wait(session, (int)n))
		return SMTPTLS_AGAIN;
	if (n < 0)
		return fail_with_gnutls(session, (int)n);
	session->at_end = n == 0;
	session->chatter = 0;
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

int
smtptls_session_write(struct smtptls_session *session, const void *data,
    size_t len, size_t *out_len)
{
	ssize_t n;
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (session->state != STLS_SESSION_OPEN || session->closing)
		return refuse_state(session, "the session is not open");
	if (data == NULL || len == 0 || out_len == NULL)
		return stls_err_set(&session->err, SMTPTLS_E_INVALID,
		    "there is nothing to write");
	/* GnuTLS has encrypted the first `unsent` bytes already. */
	if (session->unsent > len)
		return refuse_state(session,
		    "an unfinished write must be repeated with the same data");
	if (session->unsent > 0)
		len = session->unsent;
	do {
		n = gnutls_record_send(session->tls, data, len);
	} while (n == GNUTLS_E_INTERRUPTED);
	session->unsent = n == GNUTLS_E_AGAIN ? len : 0;
	if (n == GNUTLS_E_AGAIN)
		return SMTPTLS_AGAIN;
	if (n < 0 && session->transport.write_errno != 0) {
		/* Why, the peer may have said before it closed: read on. */
		session->closing = true;
		return stls_explain(session, (int)n);
	}
	if (n < 0)
		return fail_with_gnutls(session, (int)n);
	*out_len = (size_t)n;
	return SMTPTLS_OK;
}

size_t
smtptls_session_pending(const struct smtptls_session *session)
{
	if (!stls_session_is_done(session))
		return 0;
	return gnutls_record_check_pending(session->tls) +
	    session->transport.end - session->transport.start;
}

int
smtptls_session_close(struct smtptls_session *session)
{
	int r;

	r = stls_session_enter(session);
	if (r < 0)
		return r;
	if (session->state == STLS_SESSION_CLOSED)
		return SMTPTLS_OK;
	if (session->state != STLS_SESSION_OPEN)
		return refuse_state(session, "the handshake is not done");
	/* A record that is on its way out must leave whole. */
	if (session->unsent > 0)
		return refuse_state(session, "a write is not finished");
	session->closing = true;
	do {
		r = gnutls_bye(session->tls, GNUTLS_SHUT_WR);
	} while (r == GNUTLS_E_INTERRUPTED);
	if (r == GNUTLS_E_AGAIN)
		return SMTPTLS_AGAIN;
	if (r < 0)
		return fail_with_gnutls(session, r);
	session->state = STLS_SESSION_CLOSED;
	return SMTPTLS_OK;
}

short
smtptls_session_events(const struct smtptls_session *session)
{
	if (!stls_session_is_usable(session))
		return 0;
	return gnutls_record_get_direction(session->tls) != 0 ? POLLOUT
							      : POLLIN;
}

/* ---- facts ---- */

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
