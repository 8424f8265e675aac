/* SPDX-License-Identifier: MIT */
/* What is to be thought of what was found, and done about it. */
#include "probe/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Mail with some pictures. */
#define SIZE_SMALL (10 * 1000 * 1000)

const char *
rating_name(enum rating rating)
{
	static const char *const names[] = {
		[RATING_GOOD] = "good",
		[RATING_WEAK] = "weak",
		[RATING_BAD] = "bad",
	};

	return names[rating];
}

void
probe_add_verdict(struct probe *probe, const char *point, enum rating rating,
    const char *fmt, ...)
{
	struct verdict *verdict = &probe->verdicts[probe->verdict_count];
	va_list args;

	if (probe->verdict_count == VERDICTS_MAX)
		return;
	probe->verdict_count++;
	verdict->point = point;
	verdict->rating = rating;
	va_start(args, fmt);
	vsnprintf(verdict->text, sizeof(verdict->text), fmt, args);
	va_end(args);
}

static bool
offers(const struct probe *probe, const char *keyword)
{
	return smtptls_client_find_capability(probe->main.client, keyword) !=
	    NULL;
}

/* Whether SRV records name this host and port. */
static bool
srv_names(const struct srv_list *srv, const struct endpoint *endpoint)
{
	char port[8];
	size_t i;

	for (i = 0; i < srv->count; i++) {
		snprintf(port, sizeof(port), "%u", srv->records[i].port);
		if (strcasecmp(srv->records[i].target, endpoint->host) == 0 &&
		    strcmp(port, endpoint->port) == 0)
			return true;
	}
	return false;
}

static void
judge_srv(struct probe *probe)
{
	const struct srv_list *srv = &probe->srv;

	if (!probe->has_srv || probe->srv_err.code != 0)
		return;
	if (srv->count == 0 && srv->is_denied)
		probe_add_verdict(probe, "srv", RATING_BAD,
		    "%s says by its SRV records that it offers no submission; "
		    "ask who runs the domain",
		    probe->domain);
	else if (srv->count == 0)
		probe_add_verdict(probe, "srv", RATING_WEAK,
		    "no SRV record was found for %s: mail programs cannot "
		    "find the server by themselves; publish "
		    "_submissions._tcp.%s",
		    probe->domain, probe->domain);
	else if (srv_names(srv, &probe->main) ||
	    (probe->other.url[0] != '\0' && srv_names(srv, &probe->other)))
		probe_add_verdict(probe, "srv", RATING_GOOD,
		    "the SRV records of %s lead here", probe->domain);
	else
		probe_add_verdict(probe, "srv", RATING_WEAK,
		    "the SRV records of %s lead to %s:%u; see whether that "
		    "is the server to use",
		    probe->domain, srv->records[0].target,
		    srv->records[0].port);
}

static void
judge_addresses(struct probe *probe)
{
	const struct probe_address *bad = NULL;
	size_t i, count = 0;

	for (i = 0; i < probe->address_count; i++) {
		if (probe->addresses[i].is == ADDRESS_BAD)
			bad = &probe->addresses[i];
		count += probe->addresses[i].is != ADDRESS_NOT_TRIED;
	}
	if (probe->main.result == SMTPTLS_E_RESOLVE)
		probe_add_verdict(probe, "addresses", RATING_BAD,
		    "the name of the host leads nowhere; see whether it is "
		    "written right, and whether the name service works");
	else if (bad != NULL && probe->main.status == 0)
		probe_add_verdict(probe, "addresses", RATING_WEAK,
		    "%s does not do what the others do: who gets it waits or "
		    "fails; mend it or take it out of the DNS",
		    bad->text);
	else if (count > 1 && bad == NULL)
		probe_add_verdict(probe, "addresses", RATING_GOOD,
		    "all %zu that were tried do the same", count);
}

/* There is no TLS, for whatever reason. */
static void
judge_no_tls(struct probe *probe, bool other_is_good)
{
	const struct endpoint *main = &probe->main;
	bool is_silent = main->result == SMTPTLS_E_CONNECT ||
	    main->result == SMTPTLS_E_TIMEOUT;

	if (is_silent && other_is_good)
		probe_add_verdict(probe, "connection", RATING_BAD,
		    "nothing useful answers on port %s; use %s", main->port,
		    probe->other.url);
	else if (is_silent)
		probe_add_verdict(probe, "connection", RATING_BAD,
		    "nothing useful answers on port %s; see whether host and "
		    "port are right and no firewall is in between",
		    main->port);
	else if (main->result == SMTPTLS_E_NO_STARTTLS)
		probe_add_verdict(probe, "connection", RATING_BAD,
		    "there is no STARTTLS, so nothing is sent there; use %s%s",
		    other_is_good ? probe->other.url : "smtps://",
		    other_is_good ? "" : main->host);
	else if (main->result == SMTPTLS_E_TLS)
		probe_add_verdict(probe, "connection", RATING_BAD,
		    "TLS was not agreed on; see whether port and kind of URL "
		    "belong together, else the server needs TLS 1.2 or 1.3 "
		    "and a modern suite");
	else if (main->result < 0)
		probe_add_verdict(probe, "connection", RATING_BAD,
		    "the conversation ended before TLS; the reply may say why; "
		    "one that says nothing may want TLS from the first byte, "
		    "as by smtps://, or be no mail server");
	else
		probe_add_verdict(probe, "connection", RATING_BAD,
		    "there is no TLS: anybody in the network can read and "
		    "change what is sent");
}

static void
judge_connection(struct probe *probe)
{
	const struct endpoint *main = &probe->main;
	bool other_is_good = probe->other.url[0] != '\0' &&
	    probe->other.status == 0;

	if (main->session == NULL || main->result == SMTPTLS_E_CONNECT ||
	    main->result == SMTPTLS_E_TIMEOUT ||
	    main->result == SMTPTLS_E_NO_STARTTLS ||
	    main->result == SMTPTLS_E_TLS)
		judge_no_tls(probe, other_is_good);
	else if (main->is_smtps)
		probe_add_verdict(probe, "connection", RATING_GOOD,
		    "TLS from the first byte (RFC 8314)");
	else
		probe_add_verdict(probe, "connection", RATING_GOOD,
		    "STARTTLS, which is required here%s%s",
		    other_is_good ? "; TLS from the first byte takes less "
				    "time: "
				  : "",
		    other_is_good ? probe->other.url : "");
}

static void
judge_ehlo(struct probe *probe)
{
	const struct endpoint *main = &probe->main;
	bool had_auth = false;
	size_t i;

	for (i = 0; i < main->clear_count; i++)
		had_auth |= strncasecmp(main->clear[i], "AUTH", 4) == 0;
	if (had_auth && main->session != NULL)
		probe_add_verdict(probe, "ehlo", RATING_WEAK,
		    "AUTH is offered before TLS, which invites other programs "
		    "to send passwords in clear; have the server offer it "
		    "after STARTTLS only");
	if (main->result != 0 || main->session == NULL)
		return;
	if (offers(probe, "STARTTLS"))
		probe_add_verdict(probe, "ehlo", RATING_WEAK,
		    "STARTTLS is offered inside of TLS, against RFC 3207; "
		    "update the server, or what stands in front of it");
	if (!offers(probe, "PIPELINING"))
		probe_add_verdict(probe, "ehlo", RATING_WEAK,
		    "PIPELINING is not offered: each recipient takes a round "
		    "trip");
	if (!offers(probe, "8BITMIME"))
		probe_add_verdict(probe, "ehlo", RATING_WEAK,
		    "8BITMIME is not offered: mail with octets above 127 is "
		    "refused");
}

static void
judge_authentication(struct probe *probe)
{
	const struct endpoint *main = &probe->main;
	const char *offered = smtptls_client_find_capability(
	    main->client, "AUTH");

	if (main->result == SMTPTLS_E_AUTH &&
	    probe->settings->password.source == PASSWORD_TOKEN_COMMAND)
		probe_add_verdict(probe, "authentication", RATING_BAD,
		    "the login failed; see whether the user name is right, "
		    "and the token is one for sending mail that has not "
		    "expired");
	else if (main->result == SMTPTLS_E_AUTH)
		probe_add_verdict(probe, "authentication", RATING_BAD,
		    "the login failed; see whether user name and password are "
		    "right, and whether the provider wants a password made "
		    "for programs");
	else if (main->result == 0 && settings_want_auth(probe->settings))
		probe_add_verdict(probe, "authentication", RATING_GOOD,
		    "logged in by %s",
		    smtptls_client_auth_mechanism(main->client));
	else if (main->result != 0 || main->is_lmtp)
		return;
	else if (offered == NULL)
		probe_add_verdict(probe, "authentication", RATING_WEAK,
		    "none is offered: who may send is decided by the address "
		    "of the client, or it is not a server for submission");
	else if (probe->choice.mechanism[0] == '\0')
		probe_add_verdict(probe, "authentication", RATING_WEAK,
		    "no mechanism is offered that this client can use (%s)",
		    offered);
	else
		probe_add_verdict(probe, "authentication", RATING_GOOD,
		    "%s can be used, and was not tried: no user is set",
		    probe->choice.mechanism);
}

static void
judge_limits(struct probe *probe)
{
	struct probe_limits limits;

	if (probe->main.result != 0)
		return;
	probe_get_limits(probe->main.client, &limits);
	if (limits.size == 0)
		probe_add_verdict(probe, "limits", RATING_WEAK,
		    "no largest size is named, so a mail that is too large "
		    "is refused only after it was sent");
	else if (limits.size < SIZE_SMALL)
		probe_add_verdict(probe, "limits", RATING_WEAK,
		    "mail of more than %llu octets is refused",
		    (unsigned long long)limits.size);
	else
		probe_add_verdict(probe, "limits", RATING_GOOD,
		    "mail of up to %llu octets is taken",
		    (unsigned long long)limits.size);
}

/* That nothing answers there only matters to who has another one. */
static void
judge_other_port(struct probe *probe)
{
	const struct endpoint *other = &probe->other;
	bool is_silent = other->result == SMTPTLS_E_CONNECT ||
	    other->result == SMTPTLS_E_TIMEOUT;

	if (other->url[0] == '\0' || (is_silent && probe->main.status != 0))
		return;
	if (other->status == 0)
		probe_add_verdict(probe, "other port", RATING_GOOD,
		    "%s works as well", other->url);
	else if (is_silent && other->is_smtps)
		probe_add_verdict(probe, "other port", RATING_WEAK,
		    "TLS from the first byte is not offered on port 465, "
		    "which RFC 8314 prefers");
	else if (is_silent)
		probe_add_verdict(probe, "other port", RATING_GOOD,
		    "port 587 is not offered, and is not needed");
	else
		probe_add_verdict(probe, "other port", RATING_BAD,
		    "%s answers, but cannot be used: %s", other->url,
		    other->result < 0 ? smtptls_client_error(other->client)
				      : "TLS was not verified");
}

void
probe_judge(struct probe *probe)
{
	probe_choose(probe);
	judge_srv(probe);
	judge_addresses(probe);
	if (probe->main.result != SMTPTLS_E_RESOLVE)
		judge_connection(probe);
	judge_other_port(probe);
	probe_judge_tls(probe);
	judge_ehlo(probe);
	judge_authentication(probe);
	judge_limits(probe);
}
