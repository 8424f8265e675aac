/* SPDX-License-Identifier: MIT */
#include "client/server-tls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include <check.h>

void
visit_host_tls_init(struct visit_host *host)
{
	const struct server_options *options = &host->options;
	const char *priority = options->priority;
	gnutls_x509_crt_t chain[2];
	int count = options->issuer != NULL ? 2 : 1;

	if (options->cert == NULL)
		return;
	chain[0] = options->cert->crt;
	chain[1] = count == 2 ? options->issuer->crt : NULL;
	ck_assert_int_ge(
	    gnutls_certificate_allocate_credentials(&host->credentials), 0);
	ck_assert_int_ge(gnutls_certificate_set_x509_key(host->credentials,
			     chain, count, options->cert->key),
	    0);
	ck_assert_int_ge(gnutls_priority_init(&host->priority,
			     priority != NULL ? priority : "NORMAL", NULL),
	    0);
}

void
visit_host_tls_done(struct visit_host *host)
{
	if (host->credentials != NULL)
		gnutls_certificate_free_credentials(host->credentials);
	if (host->priority != NULL)
		gnutls_priority_deinit(host->priority);
}

static ssize_t
pull(gnutls_transport_ptr_t arg, void *buf, size_t cap)
{
	return (ssize_t)visit_read_wire(arg, buf, cap);
}

static int
pull_timeout(gnutls_transport_ptr_t arg, unsigned int ms)
{
	return visit_wait(arg, POLLIN, (int)ms);
}

static ssize_t
push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct visit *v = arg;

	if (v->holds) {
		received_append(&v->held, data, len);
		return (ssize_t)len;
	}
	if (visit_write_wire(v, data, len))
		return (ssize_t)len;
	gnutls_transport_set_errno(v->tls, EPIPE);
	return -1;
}

void
visit_write_records(struct visit *v, const char *text, size_t len)
{
	const char *end;
	size_t n;

	v->holds = true;
	for (; len > 0; text += n, len -= n) {
		end = memchr(text, '\n', len);
		n = end != NULL ? (size_t)(end - text) + 1 : len;
		visit_write(v, text, n);
	}
	v->holds = false;
	visit_write_wire(v, v->held.data, v->held.len);
	v->held.len = 0;
}

static void
enable_tickets(struct visit *v)
{
	gnutls_datum_t key = *v->host->options.ticket_key;

	if (v->host->options.forgets &&
	    gnutls_session_ticket_key_generate(&key) < 0)
		abort();
	/* It is copied. */
	if (gnutls_session_ticket_enable_server(v->tls, &key) < 0)
		abort();
	if (v->host->options.forgets)
		gnutls_free(key.data);
}

/* Behind the handshake; those before TLS 1.3 have theirs in it. */
static void
send_tickets(struct visit *v)
{
	if (v->host->options.tickets > 0 &&
	    gnutls_protocol_get_version(v->tls) == GNUTLS_TLS1_3)
		gnutls_session_ticket_send(
		    v->tls, (unsigned int)v->host->options.tickets, 0);
}

static int
handshake(struct visit *v)
{
	unsigned int flags = v->host->options.tickets > 0
	    ? GNUTLS_NO_AUTO_SEND_TICKET
	    : 0;
	int r;

	if (gnutls_init(&v->tls, GNUTLS_SERVER | flags) < 0 ||
	    gnutls_priority_set(v->tls, v->host->priority) < 0 ||
	    gnutls_credentials_set(
		v->tls, GNUTLS_CRD_CERTIFICATE, v->host->credentials) < 0)
		abort();
	if (v->host->options.asks_certificate)
		gnutls_certificate_server_set_request(
		    v->tls, GNUTLS_CERT_REQUEST);
	if (v->host->options.ticket_key != NULL)
		enable_tickets(v);
	gnutls_transport_set_ptr(v->tls, v);
	gnutls_transport_set_pull_function(v->tls, pull);
	gnutls_transport_set_pull_timeout_function(v->tls, pull_timeout);
	gnutls_transport_set_push_function(v->tls, push);
	do
		r = gnutls_handshake(v->tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	if (r < 0) {
		gnutls_alert_send_appropriate(v->tls, r);
		return r;
	}
	v->resumed += gnutls_session_is_resumed(v->tls) != 0;
	send_tickets(v);
	return 0;
}

bool
visit_handshake_fails(struct visit *v)
{
	char octet;

	if (handshake(v) == 0 && visit_read_octet(v, &octet)) {
		visit_complain(v, "the client accepted the handshake");
		return false;
	}
	v->is_gone = true;
	return true;
}

bool
visit_shake_hands(struct visit *v, bool drips)
{
	int r;

	v->drips = drips;
	r = handshake(v);
	v->drips = false;
	if (r < 0)
		visit_complain(v, "handshake: %s", gnutls_strerror(r));
	return r == 0;
}
