/* SPDX-License-Identifier: MIT */
/* What is to be thought of TLS and the certificates. */
#include "probe/probe.h"

#include <string.h>

/* Whoever renews by himself does it earlier than this. */
#define DAYS_FEW 14

static void
judge_tls(struct probe *probe)
{
	struct smtptls_session *session = probe->main.session;
	enum smtptls_tls_version version = session != NULL
	    ? smtptls_session_version(session)
	    : SMTPTLS_TLS_NONE;
	const char *name = smtptls_tls_version_name(version), *group;
	struct smtptls_cipher cipher;

	if (version == SMTPTLS_TLS_NONE)
		return;
	if (version < SMTPTLS_TLS_1_2)
		probe_add_verdict(probe, "version", RATING_BAD,
		    "%s is broken; the server needs 1.2 or 1.3", name);
	else if (version == SMTPTLS_TLS_1_2)
		probe_add_verdict(probe, "version", RATING_GOOD,
		    "%s is safe with such a suite; 1.3 takes less time", name);
	else
		probe_add_verdict(probe, "version", RATING_GOOD, "%s", name);
	if (smtptls_session_cipher(session, &cipher) == 0 &&
	    strstr(cipher.name, "_CBC_") != NULL)
		probe_add_verdict(probe, "suite", RATING_WEAK,
		    "%s has no authenticated encryption; have the server "
		    "offer GCM or ChaCha20",
		    cipher.name);
	group = smtptls_session_group(session);
	if (strcmp(group, "FFDHE2048") == 0)
		probe_add_verdict(probe, "group", RATING_WEAK,
		    "%s is small; have the server offer X25519 or SECP256R1",
		    group);
	else if (group[0] != '\0')
		probe_add_verdict(probe, "group", RATING_GOOD,
		    "%s keeps what is recorded today secret when the key of "
		    "the server is stolen",
		    group);
	if (strstr(smtptls_session_signature(session), "SHA1") != NULL)
		probe_add_verdict(probe, "signature", RATING_BAD,
		    "the handshake is signed with SHA-1; update the server");
}

static void
judge_verification(struct probe *probe)
{
	const struct endpoint *main = &probe->main;

	if (main->is_verified)
		probe_add_verdict(probe, "verified", RATING_GOOD,
		    "the certificate is good for %s and from a CA that is "
		    "trusted",
		    main->host);
	else if (main->result == SMTPTLS_E_CERTIFICATE)
		probe_add_verdict(probe, "verified", RATING_BAD,
		    "nothing is sent there, no password either; if it is a CA "
		    "of your own, give its file by --cafile; if the name is "
		    "not right, use one that the certificate has; else the "
		    "server, or the CA that is named, needs a new certificate");
	else if (main->session != NULL && main->result == 0)
		probe_add_verdict(probe, "verified", RATING_BAD,
		    "an --insecure option is set, so anybody may have "
		    "answered; leave it out");
}

/* The key is what is thought of, whatever else the certificate is good for. */
static void
judge_pins(struct probe *probe)
{
	const struct settings *settings = probe->settings;
	struct smtptls_cert_info info;
	size_t i;

	if (settings->pins.count == 0 || probe->main.session == NULL ||
	    smtptls_session_get_peer_cert_info(probe->main.session, 0, &info) <
		0)
		return;
	for (i = 0; i < settings->pins.count; i++) {
		if (strcmp(settings->pins.text[i] + sizeof(STLS_PIN_PREFIX) - 1,
			info.spki_sha256) == 0)
			break;
	}
	if (i < settings->pins.count)
		probe_add_verdict(probe, "pin", RATING_GOOD,
		    "the key is one of those that are pinned");
	else
		probe_add_verdict(probe, "pin", RATING_BAD,
		    "the key is none of those that are pinned, and nothing is "
		    "sent there; if its owner says that it is new, its pin "
		    "is " STLS_PIN_PREFIX "%s",
		    info.spki_sha256);
}

static void
judge_expiry(
    struct probe *probe, const struct smtptls_cert_info *info, size_t index)
{
	long left = probe_days_left(info->not_after);

	if (probe_seconds_left(info->not_before) > 0)
		probe_add_verdict(probe, "expiry", RATING_BAD,
		    "certificate %zu is not valid before %s; see whether a "
		    "clock is wrong",
		    index, info->not_before);
	else if (left < 0)
		probe_add_verdict(probe, "expiry", RATING_BAD,
		    "certificate %zu expired %ld days ago; renew it", index,
		    -left);
	else if (left < DAYS_FEW)
		probe_add_verdict(probe, "expiry", RATING_WEAK,
		    "certificate %zu expires in %ld days; renew it, and see "
		    "why that did not happen by itself",
		    index, left);
	else if (index == 0)
		probe_add_verdict(
		    probe, "expiry", RATING_GOOD, "%ld days are left", left);
}

static void
judge_key(
    struct probe *probe, const struct smtptls_cert_info *info, size_t index)
{
	bool is_rsa = strncmp(info->key, "RSA", 3) == 0;

	if (is_rsa && info->key_bits < 2048)
		probe_add_verdict(probe, "key", RATING_BAD,
		    "certificate %zu has an RSA key of %u bits; it needs 2048 "
		    "or more",
		    index, info->key_bits);
	else if (index == 0)
		probe_add_verdict(probe, "key", RATING_GOOD, "%s, %u bits",
		    info->key, info->key_bits);
	if (strcmp(info->subject, info->issuer) == 0) {
		if (index > 0)
			probe_add_verdict(probe, "chain", RATING_WEAK,
			    "certificate %zu is a root, which whoever trusts "
			    "it has and nobody else believes; leave it out of "
			    "the chain",
			    index);
	} else if (strstr(info->signature, "SHA1") != NULL ||
	    strstr(info->signature, "MD5") != NULL) {
		probe_add_verdict(probe, "chain", RATING_BAD,
		    "certificate %zu is signed with %s; have it issued anew",
		    index, info->signature);
	}
}

static void
judge_certificates(struct probe *probe)
{
	struct smtptls_cert_info info;
	size_t i;

	if (probe->main.session == NULL)
		return;
	for (i = 0; smtptls_session_get_peer_cert_info(
			probe->main.session, i, &info) == 0;
	     i++) {
		judge_expiry(probe, &info, i);
		judge_key(probe, &info, i);
	}
	if (i == 0 || probe->main.result == SMTPTLS_E_CERTIFICATE)
		return;
	if (smtptls_session_has_ocsp_staple(probe->main.session))
		probe_add_verdict(probe, "ocsp", RATING_GOOD,
		    "a response is stapled%s",
		    probe->main.is_verified
			? " and says that the certificate is good"
			: "");
	else
		probe_add_verdict(probe, "ocsp", RATING_GOOD,
		    "no response is stapled, and the certificate does not "
		    "demand one");
}

void
probe_judge_tls(struct probe *probe)
{
	judge_tls(probe);
	judge_verification(probe);
	judge_pins(probe);
	judge_certificates(probe);
}
