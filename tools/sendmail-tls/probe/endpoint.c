/* SPDX-License-Identifier: MIT */
#include "probe/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "client/connection.h"
#include "client/report.h"
#include "system/process.h"

/* Nobody waits five minutes for what he has not asked for. */
#define ASIDE_CONNECT_MS 5000
#define ASIDE_MS 15000

void
endpoint_set_url(struct endpoint *endpoint, const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end != NULL ? scheme_end + 3 : url;
	const char *port;
	size_t host_len;

	snprintf(endpoint->url, sizeof(endpoint->url), "%s", url);
	endpoint->is_smtps = scheme_end == NULL ||
	    strncasecmp(url, "smtps:", 6) == 0;
	endpoint->is_lmtp = strncasecmp(url, "lmtp:", 5) == 0;
	if (host[0] == '[') {
		host++;
		host_len = strcspn(host, "]");
		port = host[host_len] == ']' ? host + host_len + 1 : "";
	} else {
		host_len = strcspn(host, ":/");
		port = host + host_len;
	}
	snprintf(endpoint->host, sizeof(endpoint->host), "%.*s", (int)host_len,
	    host);
	endpoint->names_port = port[0] == ':';
	if (endpoint->names_port)
		snprintf(endpoint->port, sizeof(endpoint->port), "%.*s",
		    (int)strcspn(port + 1, "/"), port + 1);
	else
		snprintf(endpoint->port, sizeof(endpoint->port), "%s",
		    endpoint->is_smtps ? "465" : "587");
}

/* What a line of a reply says: "250-SIZE 100", "250 SIZE 100". */
static void
keep_clear_line(struct endpoint *endpoint, const char *reply)
{
	if (strncmp(reply, "250", 3) != 0 || strlen(reply) < 4 ||
	    endpoint->clear_count == PROBE_LINES_MAX)
		return;
	endpoint->clear[endpoint->clear_count] = stls_strdup(reply + 4);
	if (endpoint->clear[endpoint->clear_count] != NULL)
		endpoint->clear_count++;
}

/*
 * The client forgets what it was told before TLS, as it must. For people it
 * stands in the trace.
 */
static void
hear(enum smtptls_trace_level level, const char *line, void *arg)
{
	struct endpoint *endpoint = arg;

	(void)level;
	if (endpoint->verbose)
		fprintf(stderr, "%s\n", line);
	if (strncmp(line, "S: ", 3) == 0 && endpoint->greeting == NULL)
		endpoint->greeting = stls_strdup(line + 3);
	if (endpoint->is_smtps || endpoint->clear_state == CLEAR_OVER)
		return;
	if (strncmp(line, "C: EHLO ", 8) == 0 ||
	    strncmp(line, "C: LHLO ", 8) == 0) {
		endpoint->clear_state = CLEAR_FIRST;
	} else if (strncmp(line, "C: ", 3) == 0) {
		endpoint->clear_state = CLEAR_OVER;
	} else if (strncmp(line, "S: ", 3) == 0 &&
	    endpoint->clear_state == CLEAR_FIRST) {
		endpoint->has_clear = strncmp(line + 3, "250", 3) == 0;
		endpoint->clear_state = CLEAR_LINES;
	} else if (strncmp(line, "S: ", 3) == 0 &&
	    endpoint->clear_state == CLEAR_LINES) {
		keep_clear_line(endpoint, line + 3);
	}
}

static void
hurry(struct smtptls_client *client)
{
	static const enum smtptls_phase phases[] = { SMTPTLS_PHASE_HANDSHAKE,
		SMTPTLS_PHASE_GREETING, SMTPTLS_PHASE_COMMAND };
	size_t i;

	smtptls_client_set_timeout_ms(
	    client, SMTPTLS_PHASE_CONNECT, ASIDE_CONNECT_MS);
	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		smtptls_client_set_timeout_ms(client, phases[i], ASIDE_MS);
}

static void
cancel(void *arg)
{
	smtptls_client_cancel(arg);
}

static int
prepare(struct stls_err *err, struct endpoint *endpoint,
    const struct settings *settings, const struct identity *identity,
    struct smtptls_context *context, const char *address, bool is_aside)
{
	struct settings here = *settings;
	int r;

	here.url = endpoint->url;
	/* Credentials are shown once, where they were asked for. */
	if (is_aside) {
		here.user = NULL;
		here.auth = NULL;
		here.password.source = PASSWORD_PROMPT;
	}
	if (address != NULL)
		here.connect_to = NULL;
	r = connection_make_client(
	    err, &here, identity, context, &endpoint->client);
	if (r != 0)
		return r;
	if (address != NULL &&
	    smtptls_client_add_address(endpoint->client, address) < 0)
		return stls_err_set(err, EX_SOFTWARE, "%s",
		    smtptls_client_error(endpoint->client));
	endpoint->verbose = settings->verbose;
	smtptls_client_set_trace(
	    endpoint->client, SMTPTLS_TRACE_PROTOCOL, hear, endpoint);
	return 0;
}

int
endpoint_look(struct stls_err *err, struct endpoint *endpoint,
    const struct settings *settings, const struct identity *identity,
    struct smtptls_context *context, const char *address, bool is_aside)
{
	struct smtptls_client *client;
	int r;

	r = prepare(
	    err, endpoint, settings, identity, context, address, is_aside);
	if (r != 0)
		return r;
	client = endpoint->client;
	if (is_aside)
		hurry(client);
	process_on_interrupt(cancel, client);
	endpoint->result = smtptls_client_connect(client);
	process_on_interrupt(NULL, NULL);

	endpoint->session = smtptls_client_session(client);
	endpoint->is_verified = endpoint->session != NULL &&
	    smtptls_session_is_verified(endpoint->session);
	endpoint->status = report_status(endpoint->result, client, NULL);
	/* A connection that an option allowed, but nobody can vouch for. */
	if (endpoint->status == 0 && !endpoint->is_verified)
		endpoint->status = EX_PROTOCOL;
	return 0;
}

void
endpoint_quit(struct endpoint *endpoint)
{
	if (endpoint->client != NULL && endpoint->result == 0)
		smtptls_client_quit(endpoint->client);
}

void
endpoint_done(struct endpoint *endpoint)
{
	smtptls_client_free(endpoint->client);
	free(endpoint->greeting);
	while (endpoint->clear_count > 0)
		free(endpoint->clear[--endpoint->clear_count]);
	memset(endpoint, 0, sizeof(*endpoint));
}
