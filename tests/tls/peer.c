/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>

#include <check.h>

#include "tls/context.h"

#define must(call) ck_assert_int_ge((call), 0)

/* More steps than any handshake has, byte by byte. */
#define STEPS_MAX 10000

static gnutls_datum_t
copy_datum(const gnutls_datum_t *datum)
{
	gnutls_datum_t copy = { gnutls_malloc(datum->size), datum->size };

	ck_assert_ptr_nonnull(copy.data);
	memcpy(copy.data, datum->data, datum->size);
	return copy;
}

/* GnuTLS sends what it cannot read, as long as it need not look at it. */
static void
set_pcert(gnutls_pcert_st *pcert, const struct cert *cert)
{
	gnutls_privkey_t key;

	pcert->type = GNUTLS_CRT_X509;
	if (cert->der.data != NULL)
		pcert->cert = copy_datum(&cert->der);
	else
		must(gnutls_x509_crt_export2(
		    cert->crt, GNUTLS_X509_FMT_DER, &pcert->cert));
	must(gnutls_privkey_init(&key));
	must(gnutls_privkey_import_x509(
	    key, cert->key, GNUTLS_PRIVKEY_IMPORT_COPY));
	must(gnutls_pubkey_init(&pcert->pubkey));
	must(gnutls_pubkey_import_privkey(
	    pcert->pubkey, key, GNUTLS_KEY_DIGITAL_SIGNATURE, 0));
	gnutls_privkey_deinit(key);
}

/* Unlike gnutls_certificate_set_key() this sends whatever it is given. */
static int
give_cert(gnutls_session_t tls, const struct gnutls_cert_retr_st *info,
    gnutls_pcert_st **pcert, unsigned int *pcert_len,
    gnutls_ocsp_data_st **ocsp, unsigned int *ocsp_len, gnutls_privkey_t *key,
    unsigned int *flags)
{
	const struct peer *peer = gnutls_session_get_ptr(tls);
	const struct peer_spec *spec = peer->spec;
	unsigned int i;

	(void)info;
	*pcert = gnutls_calloc(PEER_CHAIN_MAX, sizeof(**pcert));
	*ocsp = gnutls_calloc(PEER_CHAIN_MAX, sizeof(**ocsp));
	for (i = 0; i < PEER_CHAIN_MAX && spec->chain[i] != NULL; i++) {
		if (spec->any_cert)
			set_pcert(&(*pcert)[i], spec->chain[i]);
		else
			must(gnutls_pcert_import_x509(
			    &(*pcert)[i], spec->chain[i]->crt, 0));
	}
	*pcert_len = i;
	for (i = 0; i < PEER_CHAIN_MAX && spec->staple[i] != NULL; i++)
		(*ocsp)[i].response = copy_datum(spec->staple[i]);
	*ocsp_len = i;
	must(gnutls_privkey_init(key));
	must(gnutls_privkey_import_x509(
	    *key, spec->chain[0]->key, GNUTLS_PRIVKEY_IMPORT_COPY));
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	return 0;
}

static void
set_credentials(struct peer *peer)
{
	const struct peer_spec *spec = peer->spec;

	if (spec->anonymous) {
		must(gnutls_anon_allocate_server_credentials(&peer->anonymous));
		gnutls_anon_set_server_known_dh_params(
		    peer->anonymous, GNUTLS_SEC_PARAM_MEDIUM);
		must(gnutls_credentials_set(
		    peer->tls, GNUTLS_CRD_ANON, peer->anonymous));
		return;
	}
	must(gnutls_certificate_allocate_credentials(&peer->credentials));
	if (spec->chain[0] != NULL)
		gnutls_certificate_set_retrieve_function3(
		    peer->credentials, give_cert);
	if (spec->dh != NULL)
		gnutls_certificate_set_dh_params(peer->credentials, spec->dh);
	else
		gnutls_certificate_set_known_dh_params(
		    peer->credentials, GNUTLS_SEC_PARAM_MEDIUM);
	must(gnutls_credentials_set(
	    peer->tls, GNUTLS_CRD_CERTIFICATE, peer->credentials));
}

struct peer *
peer_new(const struct peer_spec *spec)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct peer_spec *copy = malloc(sizeof(*copy));
	int fds[2];

	ck_assert_ptr_nonnull(peer);
	ck_assert_ptr_nonnull(copy);
	*copy = *spec;
	peer->spec = copy;
	peer->result = GNUTLS_E_AGAIN;
	ck_assert_int_eq(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	peer->fd = fds[0];
	peer->other = fds[1];
	must(gnutls_init(&peer->tls,
	    spec->flags | GNUTLS_NO_SIGNAL |
		(spec->is_client ? GNUTLS_CLIENT : GNUTLS_SERVER)));
	gnutls_session_set_ptr(peer->tls, peer);
	gnutls_transport_set_int(peer->tls, peer->fd);
	must(gnutls_priority_set_direct(peer->tls,
	    spec->priority != NULL ? spec->priority : "NORMAL", NULL));
	set_credentials(peer);
	if (spec->asks_for_cert)
		gnutls_certificate_server_set_request(
		    peer->tls, GNUTLS_CERT_REQUEST);
	if (spec->ticket_key != NULL)
		must(gnutls_session_ticket_enable_server(
		    peer->tls, spec->ticket_key));
	return peer;
}

void
peer_free(struct peer *peer)
{
	if (peer == NULL)
		return;
	gnutls_deinit(peer->tls);
	if (peer->credentials != NULL)
		gnutls_certificate_free_credentials(peer->credentials);
	if (peer->anonymous != NULL)
		gnutls_anon_free_server_credentials(peer->anonymous);
	if (peer->fd >= 0)
		close(peer->fd);
	if (peer->other >= 0)
		close(peer->other);
	free((void *)peer->spec);
	free(peer);
}

bool peer_client_is_eager;

struct smtptls_context *
peer_client_context(struct factory *factory, const struct cert *ca)
{
	struct smtptls_context *context = NULL;
	const char *pem;

	ck_assert_int_eq(
	    smtptls_context_new(SMTPTLS_SERVER_AUTH, &context), SMTPTLS_OK);
	context->trust.is_eager = peer_client_is_eager;
	if (ca == NULL)
		return context;
	pem = factory_pem(factory, ca, NULL, NULL);
	ck_assert_int_eq(
	    smtptls_context_load_verify_mem(context, pem, strlen(pem)),
	    SMTPTLS_OK);
	return context;
}

struct smtptls_context *
peer_server_context(struct factory *factory, const struct cert *cert,
    const struct cert *intermediate)
{
	struct smtptls_context *context = NULL;
	const char *cert_file, *key_file;

	cert_file = factory_file(factory, "server.pem",
	    factory_pem(factory, cert, intermediate, NULL));
	key_file = factory_file(
	    factory, "server.key", factory_key_pem(factory, cert));
	ck_assert_int_eq(
	    smtptls_context_new(SMTPTLS_CLIENT_AUTH, &context), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_context_load_cert_chain(
			     context, cert_file, key_file, NULL, NULL),
	    SMTPTLS_OK);
	return context;
}

struct smtptls_session *
peer_session(
    struct peer *peer, struct smtptls_context *context, const char *hostname)
{
	struct smtptls_session *session = NULL;
	int r = smtptls_session_new(context, hostname, &session);

	ck_assert_msg(r == SMTPTLS_OK, "%s", smtptls_session_error(session));
	ck_assert_int_eq(
	    smtptls_session_set_fd(session, peer->other), SMTPTLS_OK);
	return session;
}

int
peer_log_no_key(
    gnutls_session_t tls, const char *label, const gnutls_datum_t *key)
{
	(void)tls;
	(void)label;
	(void)key;
	return 0;
}

void
peer_step(struct peer *peer)
{
	if (peer->result == GNUTLS_E_AGAIN ||
	    peer->result == GNUTLS_E_INTERRUPTED ||
	    peer->result == GNUTLS_E_WARNING_ALERT_RECEIVED)
		peer->result = gnutls_handshake(peer->tls);
}

int
peer_handshake(struct peer *peer, struct smtptls_session *session)
{
	int r = SMTPTLS_AGAIN, i;

	for (i = 0; i < STEPS_MAX; i++) {
		if (r == SMTPTLS_AGAIN)
			r = smtptls_session_handshake(session);
		peer_step(peer);
		/* What the peer cannot send will not come. */
		if (peer->result < 0 && gnutls_error_is_fatal(peer->result) &&
		    r == SMTPTLS_AGAIN)
			shutdown(peer->fd, SHUT_WR);
		if (r != SMTPTLS_AGAIN &&
		    (r < 0 || peer->result == 0 ||
			gnutls_error_is_fatal(peer->result)))
			return r;
	}
	ck_abort_msg("the handshake does not end");
	return r;
}

void
peer_write(struct peer *peer, const void *data, size_t len)
{
	ck_assert_int_eq(gnutls_record_send(peer->tls, data, len), (int)len);
}

void
peer_read(struct peer *peer, void *data, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		n = gnutls_record_recv(
		    peer->tls, (char *)data + have, len - have);
		if (n == GNUTLS_E_INTERRUPTED)
			continue;
		ck_assert_msg(n > 0, "peer reads: %s", gnutls_strerror((int)n));
		have += (size_t)n;
	}
}

int
peer_pair(
    struct smtptls_session *client, struct smtptls_session *server, int fds[2])
{
	int a = SMTPTLS_AGAIN, b = SMTPTLS_AGAIN, i;

	ck_assert_int_eq(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	ck_assert_int_eq(smtptls_session_set_fd(client, fds[0]), SMTPTLS_OK);
	ck_assert_int_eq(smtptls_session_set_fd(server, fds[1]), SMTPTLS_OK);
	for (i = 0; i < STEPS_MAX; i++) {
		if (a == SMTPTLS_AGAIN)
			a = smtptls_session_handshake(client);
		if (b == SMTPTLS_AGAIN)
			b = smtptls_session_handshake(server);
		if (a < 0)
			return a;
		if (b < 0)
			return b;
		if (a == SMTPTLS_OK && b == SMTPTLS_OK)
			return SMTPTLS_OK;
	}
	ck_abort_msg("the handshake does not end");
	return SMTPTLS_E_STATE;
}
