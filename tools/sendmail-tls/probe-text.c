/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <stdio.h>

/* A word in front, so that lines can be told apart by a script as well. */
static void
print_field(const char *name, const char *value)
{
	printf("%-14s%s\n", name, value);
}

static void
print_tls(const struct probe *probe)
{
	enum smtptls_tls_version version = SMTPTLS_TLS_NONE;
	struct smtptls_cipher cipher;
	const char *group;

	if (probe->session != NULL)
		version = smtptls_session_version(probe->session);
	if (version == SMTPTLS_TLS_NONE) {
		print_field("tls:", "not established");
		return;
	}
	printf("%-14s%s", "tls:", smtptls_tls_version_name(version));
	if (smtptls_session_cipher(probe->session, &cipher) == 0)
		printf(", %s, %d bits", cipher.name, cipher.strength_bits);
	group = smtptls_session_group(probe->session);
	if (group[0] != '\0')
		printf(", %s", group);
	putchar('\n');
}

static void
print_verified(const struct probe *probe)
{
	if (probe->is_verified)
		print_field("verified:", "yes");
	else if (probe->result < 0)
		printf("%-14sno: %s\n",
		    "verified:", smtptls_client_error(probe->client));
	else
		print_field("verified:", "no: an --insecure option is set");
}

static void
print_certificates(const struct probe *probe)
{
	struct smtptls_cert_info info;
	size_t i;

	if (probe->session == NULL)
		return;
	for (i = 0;
	     smtptls_session_get_peer_cert_info(probe->session, i, &info) == 0;
	     i++) {
		print_field("certificate:", info.subject);
		if (info.names[0] != '\0')
			print_field("  names:", info.names);
		print_field("  issuer:", info.issuer);
		printf("%-14s%s to %s\n", "  valid:", info.not_before,
		    info.not_after);
		print_field("  serial:", info.serial);
		print_field("  key sha256:", info.spki_sha256);
	}
}

static void
print_capabilities(const struct probe *probe)
{
	const char *capability;
	size_t i;

	for (i = 0;
	     (capability = smtptls_client_capability(probe->client, i)) != NULL;
	     i++)
		print_field("offers:", capability);
}

static void
print_authentication(const struct probe *probe)
{
	const char *mechanism = smtptls_client_auth_mechanism(probe->client);
	const char *offered = smtptls_client_find_capability(
	    probe->client, "AUTH");

	if (offered != NULL)
		print_field("mechanisms:", offered);
	if (!settings_want_auth(probe->settings))
		return;
	if (probe->result == 0)
		printf("%-14syes, by %s\n", "logged in:", mechanism);
	else
		print_field("logged in:", "no");
}

void
probe_print_text(const struct probe *probe)
{
	const char *peer = smtptls_client_peer(probe->client);

	print_field("server:", probe->settings->url);
	print_field("address:", peer[0] != '\0' ? peer : "none");
	print_tls(probe);
	print_verified(probe);
	print_certificates(probe);
	print_capabilities(probe);
	print_authentication(probe);
}
