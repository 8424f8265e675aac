/* SPDX-License-Identifier: MIT */
/* Where the DNS says that the host is, and who else it names. */
#include "probe/probe.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static void
free_addresses(struct addrinfo **list)
{
	if (*list != NULL)
		freeaddrinfo(*list);
}

static bool
format(const struct addrinfo *info, char *out, size_t cap)
{
	char host[64], port[8];

	if (getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host),
		port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	snprintf(out, cap, info->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
	    host, port);
	return true;
}

static bool
is_known(const struct probe *probe, const char *text)
{
	size_t i;

	for (i = 0; i < probe->address_count; i++) {
		if (strcmp(probe->addresses[i].text, text) == 0)
			return true;
	}
	return false;
}

/* All: what a client falls back on is to be known before it has to. */
static void
list_addresses(struct probe *probe)
{
	CLEANUP(free_addresses) struct addrinfo *list = NULL;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	const struct addrinfo *info;
	struct probe_address *address;

	if (getaddrinfo(probe->main.host, probe->main.port, &hints, &list) != 0)
		return;
	for (info = list;
	     info != NULL && probe->address_count < PROBE_ADDRESSES_MAX;
	     info = info->ai_next) {
		address = &probe->addresses[probe->address_count];
		if (!format(info, address->text, sizeof(address->text)) ||
		    is_known(probe, address->text))
			continue;
		address->is = ADDRESS_NOT_TRIED;
		probe->address_count++;
	}
}

static void
try_address(struct probe *probe, struct probe_address *address,
    const struct identity *identity, struct smtptls_context *context)
{
	CLEANUP(endpoint_done) struct endpoint there = { 0 };
	struct settings quiet = *probe->settings;
	struct stls_err err = { 0 };

	quiet.verbose = false;
	endpoint_set_url(&there, probe->main.url);
	if (endpoint_look(&err, &there, &quiet, identity, context,
		address->text, true) != 0)
		return;
	endpoint_quit(&there);
	address->is = there.status == 0 ? ADDRESS_GOOD : ADDRESS_BAD;
	if (there.result < 0)
		snprintf(address->error, sizeof(address->error), "%s",
		    smtptls_client_error(there.client));
}

void
probe_look_at_addresses(struct probe *probe, const struct identity *identity,
    struct smtptls_context *context)
{
	const char *used = smtptls_client_peer(probe->main.client);
	size_t i, tried = 0;

	if (probe->settings->connect_to != NULL)
		return;
	list_addresses(probe);
	for (i = 0; i < probe->address_count; i++) {
		if (strcmp(probe->addresses[i].text, used) == 0)
			probe->addresses[i].is = ADDRESS_USED;
		else if (tried++ < PROBE_TRIED_MAX)
			try_address(
			    probe, &probe->addresses[i], identity, context);
	}
}

/* What is behind the @, if it can be a domain. */
static const char *
domain_of(const char *address)
{
	const char *at = address != NULL ? strrchr(address, '@') : NULL;

	return at != NULL ? at + 1 : "";
}

static bool
ask(struct probe *probe, const char *domain)
{
	struct stls_err ignored;
	struct stls_host host;

	if (strchr(domain, '.') == NULL ||
	    stls_host_parse(&ignored, domain, strlen(domain), &host) < 0 ||
	    host.is_ip)
		return false;
	probe->has_srv = true;
	snprintf(probe->domain, sizeof(probe->domain), "%s", host.name);
	stls_err_clear(&probe->srv_err);
	return srv_lookup(&probe->srv_err, host.name, &probe->srv) == 0 &&
	    (probe->srv.count > 0 || probe->srv.is_denied);
}

/*
 * A URL has a host, the records belong to the domain in mail addresses: that
 * of the user or the sender, or else, in the hope that it is one, the host or
 * what it is in.
 */
void
probe_look_at_srv(struct probe *probe)
{
	const struct settings *settings = probe->settings;
	const char *domain = domain_of(settings->user);
	const char *dot = strchr(probe->main.host, '.');
	struct stls_err ignored;
	struct stls_host host;

	if (settings->connect_to != NULL || probe->main.is_lmtp ||
	    dot == NULL ||
	    stls_host_parse(&ignored, probe->main.host,
		strlen(probe->main.host), &host) < 0 ||
	    host.is_ip)
		return;
	if (domain[0] == '\0')
		domain = domain_of(settings->sender);
	if (domain[0] != '\0')
		ask(probe, domain);
	else if (!ask(probe, probe->main.host) && probe->srv_err.code == 0)
		ask(probe, dot + 1);
}
