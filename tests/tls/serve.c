/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#define TURNS_MAX 64

static gnutls_session_t
new_end(unsigned int flags, const struct smtptls_context *context,
    gnutls_certificate_credentials_t credentials, int fd)
{
	gnutls_session_t end;

	ck_assert_ok(gnutls_init(&end, flags | GNUTLS_NONBLOCK));
	ck_assert_ok(gnutls_priority_set(end, context->priority));
	ck_assert_ok(
	    gnutls_credentials_set(end, GNUTLS_CRD_CERTIFICATE, credentials));
	gnutls_transport_set_int(end, fd);
	return end;
}

static bool
shake_hands(gnutls_session_t client, gnutls_session_t server)
{
	int a = GNUTLS_E_AGAIN, b = GNUTLS_E_AGAIN, turn;

	for (turn = 0; turn < TURNS_MAX && (a != 0 || b != 0); turn++) {
		if (a != 0)
			a = gnutls_handshake(client);
		if (b != 0)
			b = gnutls_handshake(server);
		if ((a != 0 && gnutls_error_is_fatal(a)) ||
		    (b != 0 && gnutls_error_is_fatal(b)))
			break;
	}
	return a == 0 && b == 0;
}

static void
take_chain(
    gnutls_session_t client, unsigned int *out_count, gnutls_datum_t *out_first)
{
	unsigned int count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(
	    client, &count);

	if (out_count != NULL)
		*out_count = count;
	if (out_first == NULL)
		return;
	ck_assert_uint_gt(count, 0);
	out_first->size = chain[0].size;
	out_first->data = gnutls_malloc(chain[0].size);
	ck_assert_ptr_nonnull(out_first->data);
	memcpy(out_first->data, chain[0].data, chain[0].size);
}

bool
serve_once(const struct smtptls_context *context, unsigned int *out_count,
    gnutls_datum_t *out_first)
{
	gnutls_certificate_credentials_t none;
	gnutls_session_t client, server;
	int fds[2];
	bool ok;

	ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	ck_assert_ok(gnutls_certificate_allocate_credentials(&none));
	client = new_end(GNUTLS_CLIENT, context, none, fds[0]);
	server = new_end(
	    GNUTLS_SERVER, context, context->credentials.cert, fds[1]);
	ok = shake_hands(client, server);
	if (ok)
		take_chain(client, out_count, out_first);
	gnutls_deinit(client);
	gnutls_deinit(server);
	gnutls_certificate_free_credentials(none);
	close(fds[0]);
	close(fds[1]);
	return ok;
}
