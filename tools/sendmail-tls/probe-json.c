/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

/* Raised when a member changes its meaning or goes; new ones may come. */
#define SCHEMA 1

static const char *
or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void
put_reply(struct json *json, const struct smtptls_client *client)
{
	int code = smtptls_client_reply_code(client);

	if (code == 0) {
		json_string(json, "reply", NULL);
		return;
	}
	json_begin_object(json, "reply");
	json_number(json, "code", code);
	json_string(
	    json, "enhanced", or_null(smtptls_client_reply_enhanced(client)));
	json_string(json, "text", smtptls_client_reply_text(client));
	json_end_object(json);
}

static void
put_tls(struct json *json, const struct probe *probe)
{
	struct smtptls_session *session = probe->session;
	struct smtptls_cipher cipher;

	if (session == NULL ||
	    smtptls_session_version(session) == SMTPTLS_TLS_NONE) {
		json_string(json, "tls", NULL);
		return;
	}
	json_begin_object(json, "tls");
	json_string(json, "version",
	    smtptls_tls_version_name(smtptls_session_version(session)));
	if (smtptls_session_cipher(session, &cipher) == 0) {
		json_string(json, "cipher", cipher.name);
		json_number(json, "bits", cipher.strength_bits);
	}
	json_string(json, "group", or_null(smtptls_session_group(session)));
	json_bool(json, "client_certificate",
	    smtptls_session_sent_certificate(session));
	json_end_object(json);
}

static void
put_certificates(struct json *json, const struct probe *probe)
{
	struct smtptls_cert_info info;
	size_t i;

	json_begin_array(json, "certificates");
	for (i = 0; probe->session != NULL &&
	     smtptls_session_get_peer_cert_info(probe->session, i, &info) == 0;
	     i++) {
		json_begin_object(json, NULL);
		json_string(json, "subject", info.subject);
		json_string(json, "issuer", info.issuer);
		json_string(json, "serial", info.serial);
		json_string(json, "not_before", info.not_before);
		json_string(json, "not_after", info.not_after);
		json_string(json, "names", info.names);
		json_string(json, "spki_sha256", info.spki_sha256);
		json_end_object(json);
	}
	json_end_array(json);
}

static void
put_capabilities(struct json *json, const struct smtptls_client *client)
{
	const char *capability;
	size_t i;

	json_begin_array(json, "capabilities");
	for (i = 0; (capability = smtptls_client_capability(client, i)) != NULL;
	     i++)
		json_string(json, NULL, capability);
	json_end_array(json);
}

/* The words of the AUTH extension (RFC 4954 section 3). */
static void
put_mechanisms(struct json *json, const struct smtptls_client *client)
{
	const char *word = smtptls_client_find_capability(client, "AUTH");
	char name[64];
	size_t len;

	json_begin_array(json, "mechanisms");
	while (word != NULL && *(word += strspn(word, " ")) != '\0') {
		len = strcspn(word, " ");
		snprintf(name, sizeof(name), "%.*s", (int)len, word);
		json_string(json, NULL, name);
		word += len;
	}
	json_end_array(json);
}

void
probe_print_json(const struct probe *probe)
{
	struct json json = { .file = stdout };
	struct smtptls_client *client = probe->client;

	json_begin_object(&json, NULL);
	json_number(&json, "schema", SCHEMA);
	json_string(&json, "server", probe->settings->url);
	json_string(&json, "address", or_null(smtptls_client_peer(client)));
	json_number(&json, "status", probe->status);
	json_string(&json, "step", smtptls_client_step(client));
	json_string(&json, "error",
	    probe->result < 0 ? smtptls_client_error(client) : NULL);
	put_reply(&json, client);
	json_bool(&json, "verified", probe->is_verified);
	put_tls(&json, probe);
	put_certificates(&json, probe);
	put_capabilities(&json, client);
	put_mechanisms(&json, client);
	json_string(&json, "authenticated",
	    probe->result == 0 ? or_null(smtptls_client_auth_mechanism(client))
			       : NULL);
	json_end_object(&json);
	putchar('\n');
}
