/* SPDX-License-Identifier: MIT */
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "client/connection.h"
#include "client/report.h"

static void
free_context(struct smtptls_context **context)
{
	smtptls_context_free(*context);
}

static void
probe_done(struct probe *probe)
{
	endpoint_done(&probe->main);
	endpoint_done(&probe->other);
}

/*
 * A host whose URL names no port has two: TLS from the first byte on 465, and
 * STARTTLS on 587 (RFC 8314). Nobody is authenticated there: credentials are
 * for what was asked for.
 */
static void
look_at_other_port(struct probe *probe, const struct identity *identity,
    struct smtptls_context *context)
{
	const struct settings *settings = probe->settings;
	struct stls_err err = { 0 };
	char url[PROBE_URL_CAP];
	bool is_ipv6 = strchr(probe->main.host, ':') != NULL;

	if (probe->main.names_port || probe->main.is_lmtp ||
	    settings->connect_to != NULL || settings->insecure_cleartext)
		return;
	snprintf(url, sizeof(url), "%s://%s%s%s",
	    probe->main.is_smtps ? "smtp" : "smtps", is_ipv6 ? "[" : "",
	    probe->main.host, is_ipv6 ? "]" : "");
	endpoint_set_url(&probe->other, url);
	if (endpoint_look(&err, &probe->other, settings, identity, context,
		NULL, true) != 0)
		probe->other.url[0] = '\0';
}

/* Where the name is not known or somebody has had enough there is no more. */
static void
look_around(struct probe *probe, const struct identity *identity,
    struct smtptls_context *context)
{
	if (probe->main.result == SMTPTLS_E_CANCELLED ||
	    probe->main.result == SMTPTLS_E_RESOLVE)
		return;
	look_at_other_port(probe, identity, context);
	if (probe->other.result == SMTPTLS_E_CANCELLED)
		return;
	probe_look_at_addresses(probe, identity, context);
	probe_look_at_srv(probe);
}

static int
print(struct stls_err *err, const struct probe *probe)
{
	if (probe->settings->json)
		probe_print_json(probe);
	else
		probe_print_text(probe);
	if (fflush(stdout) != 0)
		return stls_err_set(
		    err, EX_SOFTWARE, "standard output cannot be written");
	return 0;
}

int
probe_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity)
{
	CLEANUP(free_context) struct smtptls_context *context = NULL;
	CLEANUP(probe_done) struct probe probe = { .settings = settings };
	int r;

	r = connection_make_context(err, settings, &context);
	if (r != 0)
		return r;
	endpoint_set_url(&probe.main, settings->url);
	r = endpoint_look(
	    err, &probe.main, settings, identity, context, NULL, false);
	if (r != 0)
		return r;
	stls_err_clear(err);
	look_around(&probe, identity, context);
	probe_judge(&probe);
	r = print(err, &probe);
	if (r != 0)
		return r;
	if (probe.main.result < 0)
		report_failure(settings, probe.main.client);
	endpoint_quit(&probe.main);
	endpoint_quit(&probe.other);
	if (probe.main.result == 0 && probe.main.status != 0)
		return stls_err_set(err, probe.main.status,
		    "%s was reached, but TLS was not verified", settings->url);
	return probe.main.status;
}
