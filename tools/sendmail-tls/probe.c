/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "connection.h"
#include "process.h"
#include "report.h"

static void
free_client(struct smtptls_client **client)
{
	smtptls_client_free(*client);
}

static void
cancel(void *arg)
{
	smtptls_client_cancel(arg);
}

static void
connect_and_look(const struct settings *settings, struct smtptls_client *client,
    struct probe *probe)
{
	process_on_interrupt(cancel, client);
	probe->result = smtptls_client_connect(client);
	process_on_interrupt(NULL, NULL);

	probe->settings = settings;
	probe->client = client;
	probe->session = smtptls_client_session(client);
	probe->is_verified = probe->session != NULL &&
	    smtptls_session_is_verified(probe->session);
	probe->status = report_status(probe->result, client, NULL);
	/* A connection that an option allowed, but nobody can vouch for. */
	if (probe->status == 0 && !probe->is_verified)
		probe->status = EX_PROTOCOL;
}

int
probe_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity)
{
	CLEANUP(free_client) struct smtptls_client *client = NULL;
	struct probe probe;
	int r;

	r = connection_prepare(err, settings, identity, &client);
	if (r != 0)
		return r;
	stls_err_clear(err);
	connect_and_look(settings, client, &probe);
	if (settings->json)
		probe_print_json(&probe);
	else
		probe_print_text(&probe);
	if (fflush(stdout) != 0)
		return stls_err_set(
		    err, EX_SOFTWARE, "standard output cannot be written");
	if (probe.result < 0)
		report_failure(settings, client);
	else
		smtptls_client_quit(client);
	if (probe.result == 0 && probe.status != 0)
		return stls_err_set(err, probe.status,
		    "%s was reached, but TLS was not verified", settings->url);
	return probe.status;
}
