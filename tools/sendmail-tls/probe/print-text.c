/* SPDX-License-Identifier: MIT */
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A word in front, so that lines can be told apart by a script as well. */
static void
print_field(const char *name, const char *value)
{
	printf("%-14s%s\n", name, value);
}

static enum smtptls_tls_version
version_of(const struct endpoint *endpoint)
{
	return endpoint->session != NULL
	    ? smtptls_session_version(endpoint->session)
	    : SMTPTLS_TLS_NONE;
}

static void
print_tls(const struct endpoint *endpoint)
{
	enum smtptls_tls_version version = version_of(endpoint);
	struct smtptls_cipher cipher;
	const char *group, *signature;

	if (version == SMTPTLS_TLS_NONE) {
		print_field("tls:", "not established");
		return;
	}
	printf("%-14s%s", "tls:", smtptls_tls_version_name(version));
	if (smtptls_session_cipher(endpoint->session, &cipher) == 0)
		printf(", %s, %d bits", cipher.name, cipher.strength_bits);
	group = smtptls_session_group(endpoint->session);
	if (group[0] != '\0')
		printf(", %s", group);
	signature = smtptls_session_signature(endpoint->session);
	if (signature[0] != '\0')
		printf(", %s", signature);
	putchar('\n');
}

/* Whether who reads standard output reads the other one as well. */
static bool
is_read_together(void)
{
	struct stat out, err;

	return fstat(STDOUT_FILENO, &out) == 0 &&
	    fstat(STDERR_FILENO, &err) == 0 && out.st_dev == err.st_dev &&
	    out.st_ino == err.st_ino;
}

static void
print_verified(const struct endpoint *endpoint)
{
	if (endpoint->is_verified)
		print_field("verified:", "yes");
	else if (endpoint->result == 0)
		print_field("verified:", "no: an --insecure option is set");
	else if (is_read_together())
		/* The reason is long, and comes at the end. */
		print_field("verified:", "no");
	else
		printf("%-14sno: %s\n",
		    "verified:", smtptls_client_error(endpoint->client));
}

static void
print_srv(const struct probe *probe)
{
	const struct srv_record *record;
	size_t i;

	if (!probe->has_srv)
		return;
	if (probe->srv_err.code != 0)
		printf("%-14s%s\n", "srv:", probe->srv_err.text);
	else if (probe->srv.count == 0)
		printf("%-14s%s for %s\n",
		    "srv:", probe->srv.is_denied ? "not offered" : "none",
		    probe->domain);
	for (i = 0; i < probe->srv.count; i++) {
		record = &probe->srv.records[i];
		printf("%-14s_%s._tcp.%s leads to %s:%u, priority %u, weight "
		       "%u\n",
		    "srv:", record->implicit_tls ? "submissions" : "submission",
		    probe->domain, record->target, record->port,
		    record->priority, record->weight);
	}
}

static void
print_addresses(const struct probe *probe)
{
	const struct probe_address *address;
	size_t i;

	for (i = 0; i < probe->address_count; i++) {
		address = &probe->addresses[i];
		if (address->is == ADDRESS_USED)
			continue;
		printf("%-14s%s: %s\n", "also at:", address->text,
		    address->is == ADDRESS_GOOD		   ? "does the same"
			: address->is == ADDRESS_NOT_TRIED ? "not tried"
			: address->error[0] != '\0'	   ? address->error
							   : "not verified");
	}
}

static void
print_certificates(const struct endpoint *endpoint)
{
	struct smtptls_cert_info info;
	size_t i;

	if (endpoint->session == NULL)
		return;
	for (i = 0; smtptls_session_get_peer_cert_info(
			endpoint->session, i, &info) == 0;
	     i++) {
		print_field("certificate:", info.subject);
		if (info.names[0] != '\0')
			print_field("  names:", info.names);
		print_field("  issuer:", info.issuer);
		printf("%-14s%s to %s, %ld days left\n",
		    "  valid:", info.not_before, info.not_after,
		    probe_days_left(info.not_after));
		print_field("  serial:", info.serial);
		printf("%-14s%s, %u bits, signed with %s\n", "  key:", info.key,
		    info.key_bits, info.signature);
		print_field("  key sha256:", info.spki_sha256);
		printf("%-14ssha256//%s\n", "  pin:", info.spki_sha256);
	}
	if (i > 0)
		print_field("ocsp:",
		    smtptls_session_has_ocsp_staple(endpoint->session)
			? "stapled"
			: "none");
}

static bool
is_offered_now(const struct endpoint *endpoint, const char *line)
{
	const char *capability;
	size_t i;

	for (i = 0; (capability = smtptls_client_capability(
			 endpoint->client, i)) != NULL;
	     i++) {
		if (strcmp(capability, line) == 0)
			return true;
	}
	return false;
}

static bool
was_offered_before(const struct endpoint *endpoint, const char *line)
{
	size_t i;

	for (i = 0; i < endpoint->clear_count; i++) {
		if (strcmp(endpoint->clear[i], line) == 0)
			return true;
	}
	return false;
}

/* EHLO, and where there were two how they differ. */
static void
print_capabilities(const struct endpoint *endpoint)
{
	bool has_both = endpoint->has_clear &&
	    version_of(endpoint) != SMTPTLS_TLS_NONE;
	const char *capability;
	size_t i;

	if (endpoint->greeting != NULL)
		print_field("greeting:", endpoint->greeting);
	for (i = 0; has_both && i < endpoint->clear_count; i++) {
		if (!is_offered_now(endpoint, endpoint->clear[i]))
			printf("%-14s%s (before TLS only)\n",
			    "offered:", endpoint->clear[i]);
	}
	for (i = 0; (capability = smtptls_client_capability(
			 endpoint->client, i)) != NULL;
	     i++)
		printf("%-14s%s%s\n", "offers:", capability,
		    has_both && !was_offered_before(endpoint, capability)
			? " (inside of TLS only)"
			: "");
}

static void
print_authentication(const struct probe *probe)
{
	struct smtptls_client *client = probe->main.client;
	const char *mechanism = smtptls_client_auth_mechanism(client);
	const char *offered = smtptls_client_find_capability(client, "AUTH");

	if (offered != NULL)
		print_field("mechanisms:", offered);
	if (!settings_want_auth(probe->settings))
		return;
	if (probe->main.result == 0)
		printf("%-14syes, by %s\n", "logged in:", mechanism);
	else
		print_field("logged in:", "no");
}

static void
print_limit(const char *name, uint64_t number, const char *unit)
{
	if (number != 0)
		printf("%-14s%s %llu%s\n", "limit:", name,
		    (unsigned long long)number, unit);
}

static void
print_limits(const struct probe *probe)
{
	struct probe_limits limits;

	probe_get_limits(probe->main.client, &limits);
	print_limit("size", limits.size, " octets");
	print_limit("recipients", limits.recipients, " a message");
	print_limit("messages", limits.messages, " a connection");
	print_limit("hold", limits.hold_s, " seconds");
}

static void
print_other_port(const struct endpoint *other)
{
	if (other->url[0] == '\0')
		return;
	printf("%-14s%s, ", "other port:", other->url);
	if (other->is_verified && other->result == 0)
		printf("verified, %s\n",
		    smtptls_tls_version_name(version_of(other)));
	else
		printf("no: %s\n",
		    other->result < 0 ? smtptls_client_error(other->client)
				      : "not verified");
}

static void
print_choice(const struct probe *probe)
{
	const struct probe_choice *choice = &probe->choice;

	if (choice->url == NULL)
		return;
	printf("%-14s--url %s", "choice:", choice->url);
	if (probe->main.result == 0)
		printf(", --pipelining %s, %s%s%s", choice->pipelining,
		    choice->chunking ? "BDAT" : "DATA",
		    choice->mechanism[0] != '\0' ? ", --auth " : "",
		    choice->mechanism);
	putchar('\n');
}

static void
print_verdicts(const struct probe *probe)
{
	const struct verdict *verdict;
	size_t i;

	for (i = 0; i < probe->verdict_count; i++) {
		verdict = &probe->verdicts[i];
		printf("%s:%*s%s: %s\n", rating_name(verdict->rating),
		    (int)(13 - strlen(rating_name(verdict->rating))), "",
		    verdict->point, verdict->text);
	}
}

void
probe_print_text(const struct probe *probe)
{
	const char *peer = smtptls_client_peer(probe->main.client);

	print_field("server:", probe->main.url);
	print_field("address:", peer[0] != '\0' ? peer : "none");
	print_tls(&probe->main);
	print_verified(&probe->main);
	print_srv(probe);
	print_addresses(probe);
	print_other_port(&probe->other);
	print_certificates(&probe->main);
	print_capabilities(&probe->main);
	print_authentication(probe);
	print_limits(probe);
	print_choice(probe);
	print_verdicts(probe);
}
