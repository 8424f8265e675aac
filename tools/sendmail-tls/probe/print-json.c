/* SPDX-License-Identifier: MIT */
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>

#include "probe/json.h"

/*
 * Raised when a member changes its meaning or goes; new ones may come.
 * doc/probe-schema.md has them all.
 */
#define SCHEMA 1

static const char *
or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
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
put_tls(struct json *json, struct smtptls_session *session)
{
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
	json_string(
	    json, "signature", or_null(smtptls_session_signature(session)));
	json_bool(
	    json, "ocsp_staple", smtptls_session_has_ocsp_staple(session) != 0);
	json_bool(json, "client_certificate",
	    smtptls_session_sent_certificate(session));
	json_end_object(json);
}

static void
put_certificate(struct json *json, const struct smtptls_cert_info *info)
{
	char pin[80];

	snprintf(pin, sizeof(pin), "sha256//%s", info->spki_sha256);
	json_begin_object(json, NULL);
	json_string(json, "subject", info->subject);
	json_string(json, "issuer", info->issuer);
	json_string(json, "serial", info->serial);
	json_string(json, "not_before", info->not_before);
	json_string(json, "not_after", info->not_after);
	json_number(json, "days_left", probe_days_left(info->not_after));
	json_string(json, "names", info->names);
	json_string(json, "key", info->key);
	json_number(json, "key_bits", (long)info->key_bits);
	json_string(json, "signature", info->signature);
	json_string(json, "spki_sha256", info->spki_sha256);
	json_string(json, "pin", pin);
	json_end_object(json);
}

static void
put_certificates(struct json *json, struct smtptls_session *session)
{
	struct smtptls_cert_info info;
	size_t i;

	json_begin_array(json, "certificates");
	for (i = 0; session != NULL &&
	     smtptls_session_get_peer_cert_info(session, i, &info) == 0;
	     i++)
		put_certificate(json, &info);
	json_end_array(json);
}

static void
put_capabilities(struct json *json, const struct endpoint *endpoint)
{
	const char *capability;
	size_t i;

	json_begin_array(json, "capabilities");
	for (i = 0; (capability = smtptls_client_capability(
			 endpoint->client, i)) != NULL;
	     i++)
		json_string(json, NULL, capability);
	json_end_array(json);
	if (!endpoint->has_clear) {
		json_string(json, "capabilities_before_tls", NULL);
		return;
	}
	json_begin_array(json, "capabilities_before_tls");
	for (i = 0; i < endpoint->clear_count; i++)
		json_string(json, NULL, endpoint->clear[i]);
	json_end_array(json);
}

static void
put_mechanisms(struct json *json, const struct smtptls_client *client)
{
	const char *next = NULL;
	char name[64];

	json_begin_array(json, "mechanisms");
	while (probe_next_mechanism(client, &next, name, sizeof(name)))
		json_string(json, NULL, name);
	json_end_array(json);
}

static void
put_limit(struct json *json, const char *key, uint64_t number)
{
	/* More than there is memory in the world is no limit. */
	if (number == 0 || number > INT64_MAX)
		json_string(json, key, NULL);
	else
		json_number(json, key, (long)number);
}

static void
put_limits(struct json *json, const struct smtptls_client *client)
{
	struct probe_limits limits;

	probe_get_limits(client, &limits);
	json_begin_object(json, "limits");
	put_limit(json, "size", limits.size);
	put_limit(json, "recipients", limits.recipients);
	put_limit(json, "messages", limits.messages);
	put_limit(json, "hold_seconds", limits.hold_s);
	json_end_object(json);
}

/* What there is to tell of one URL. */
static void
put_endpoint(struct json *json, const struct endpoint *endpoint)
{
	struct smtptls_client *client = endpoint->client;

	json_string(json, "server", endpoint->url);
	json_string(json, "address", or_null(smtptls_client_peer(client)));
	json_number(json, "status", endpoint->status);
	json_string(json, "step", smtptls_client_step(client));
	json_string(json, "error",
	    endpoint->result < 0 ? smtptls_client_error(client) : NULL);
	put_reply(json, client);
	json_bool(json, "verified", endpoint->is_verified);
	put_tls(json, endpoint->session);
	put_certificates(json, endpoint->session);
	json_string(json, "greeting", endpoint->greeting);
	put_capabilities(json, endpoint);
	put_mechanisms(json, client);
	put_limits(json, client);
	json_string(json, "authenticated",
	    endpoint->result == 0
		? or_null(smtptls_client_auth_mechanism(client))
		: NULL);
}

static void
put_srv(struct json *json, const struct probe *probe)
{
	const struct srv_record *record;
	size_t i;

	if (!probe->has_srv) {
		json_string(json, "srv", NULL);
		return;
	}
	json_begin_object(json, "srv");
	json_string(json, "domain", probe->domain);
	json_string(json, "error",
	    probe->srv_err.code != 0 ? probe->srv_err.text : NULL);
	json_bool(json, "denied", probe->srv.is_denied);
	json_begin_array(json, "records");
	for (i = 0; i < probe->srv.count; i++) {
		record = &probe->srv.records[i];
		json_begin_object(json, NULL);
		json_string(json, "target", record->target);
		json_number(json, "port", record->port);
		json_number(json, "priority", record->priority);
		json_number(json, "weight", record->weight);
		json_bool(json, "implicit_tls", record->implicit_tls);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void
put_addresses(struct json *json, const struct probe *probe)
{
	static const char *const words[] = {
		[ADDRESS_USED] = "used",
		[ADDRESS_GOOD] = "good",
		[ADDRESS_BAD] = "bad",
		[ADDRESS_NOT_TRIED] = "not tried",
	};
	size_t i;

	json_begin_array(json, "addresses");
	for (i = 0; i < probe->address_count; i++) {
		json_begin_object(json, NULL);
		json_string(json, "address", probe->addresses[i].text);
		json_string(json, "result", words[probe->addresses[i].is]);
		json_string(json, "error", or_null(probe->addresses[i].error));
		json_end_object(json);
	}
	json_end_array(json);
}

static void
put_choice(struct json *json, const struct probe *probe)
{
	const struct probe_choice *choice = &probe->choice;

	if (choice->url == NULL) {
		json_string(json, "choice", NULL);
		return;
	}
	json_begin_object(json, "choice");
	json_string(json, "url", choice->url);
	json_string(json, "pipelining", choice->pipelining);
	json_bool(json, "chunking", choice->chunking);
	json_string(json, "mechanism", or_null(choice->mechanism));
	json_end_object(json);
}

static void
put_verdicts(struct json *json, const struct probe *probe)
{
	const struct verdict *verdict;
	size_t i;

	json_begin_array(json, "verdicts");
	for (i = 0; i < probe->verdict_count; i++) {
		verdict = &probe->verdicts[i];
		json_begin_object(json, NULL);
		json_string(json, "point", verdict->point);
		json_string(json, "rating", rating_name(verdict->rating));
		json_string(json, "text", verdict->text);
		json_end_object(json);
	}
	json_end_array(json);
}

void
probe_print_json(const struct probe *probe)
{
	struct json json = { .file = stdout };

	json_begin_object(&json, NULL);
	json_number(&json, "schema", SCHEMA);
	put_endpoint(&json, &probe->main);
	put_srv(&json, probe);
	put_addresses(&json, probe);
	if (probe->other.url[0] != '\0') {
		json_begin_object(&json, "other_port");
		put_endpoint(&json, &probe->other);
		json_end_object(&json);
	} else {
		json_string(&json, "other_port", NULL);
	}
	put_choice(&json, probe);
	put_verdicts(&json, probe);
	json_end_object(&json);
	putchar('\n');
}
