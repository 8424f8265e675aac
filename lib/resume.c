/* SPDX-License-Identifier: MIT */
/* What a client resumes TLS sessions with. */
#include "client.h"

#include "crypto/digest.h"
#include "tls/context.h"

/*
 * Two clients have the same key only where nobody could tell their sessions
 * apart: server, way to it, policy and trust (the context, with the certificate
 * in it and every insecure_ call), and who it is for. The password is not in
 * it: it is no part of who somebody is, and a digest could be guessed.
 */
static bool
make_key(const struct smtptls_client *client,
    unsigned char key[STLS_SESSION_KEY_LEN])
{
	const struct stls_url *url = &client->url;
	const struct stls_place *place = &client->place;
	unsigned char flags[] = { url->implicit_tls, url->lmtp,
		(unsigned char)client->way, client->token.data != NULL,
		client->external };
	uint16_t ports[] = { url->port, place->port };
	char address[STLS_ENDPOINT_TEXT_CAP];
	struct stls_digest digest;
	size_t i;

	stls_digest_begin(&digest);
	stls_digest_add(
	    &digest, client->context->id, sizeof(client->context->id));
	stls_digest_add(&digest, flags, sizeof(flags));
	stls_digest_add(&digest, ports, sizeof(ports));
	stls_digest_add_str(&digest, url->host.name);
	stls_digest_add_str(
	    &digest, place->host != NULL ? place->host->name : NULL);
	stls_digest_add_str(&digest, place->unix_path);
	for (i = 0; i < place->address_count; i++) {
		stls_endpoint_format(&place->addresses[i].sock.any, address);
		stls_digest_add_str(&digest, address);
	}
	stls_digest_add_str(&digest, client->user);
	stls_digest_add_str(&digest, client->authzid);
	stls_digest_add_str(&digest, client->only_mechanism);
	return stls_digest_end(&digest, key);
}

/* Where a connection that was given leads to nobody knows. */
void
stls_client_resume_session(struct smtptls_client *client)
{
	client->is_saved = client->session_cache == NULL ||
	    client->way == STLS_WAY_FD || client->way == STLS_WAY_CALLBACKS ||
	    !make_key(client, client->session_key);
	if (!client->is_saved)
		stls_session_cache_resume(client->session_cache,
		    client->session_key, client->session);
}

/*
 * Not right behind the handshake: the tickets of TLS 1.3 come later, with the
 * first thing that the server says.
 */
void
stls_client_save_session(struct smtptls_client *client)
{
	if (client->session == NULL || client->is_saved)
		return;
	client->is_saved = stls_session_cache_save(
	    client->session_cache, client->session_key, client->session);
}
