/* SPDX-License-Identifier: MIT */
#include "probe/configure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "client/connection.h"

static void
free_context(struct smtptls_context **context)
{
	smtptls_context_free(*context);
}

static void
configuration_done(struct configuration *c)
{
	endpoint_done(&c->endpoint);
	stls_address_done(&c->address);
}

/* "mail.example.org" is in "example.org", and so is that itself. */
static bool
is_inside(const char *host, const char *domain)
{
	size_t len = strlen(host), domain_len = strlen(domain);

	return len >= domain_len &&
	    strcmp(host + len - domain_len, domain) == 0 &&
	    (len == domain_len || host[len - domain_len - 1] == '.');
}

__attribute__((format(printf, 3, 4))) static void
add_candidate(struct configuration *c, bool is_outside, const char *fmt, ...)
{
	struct candidate *candidate = &c->candidates[c->count];
	va_list args;

	if (c->count == CANDIDATES_MAX)
		return;
	c->count++;
	candidate->is_outside = is_outside;
	va_start(args, fmt);
	vsnprintf(candidate->url, sizeof(candidate->url), fmt, args);
	va_end(args);
}

static void
add_record(struct configuration *c, const struct srv_record *record)
{
	bool is_outside = !is_inside(record->target, c->address.domain);
	const char *scheme = record->implicit_tls ? "smtps" : "smtp";
	unsigned int usual = record->implicit_tls ? 465 : 587;

	if (record->port == usual)
		add_candidate(c, is_outside, "%s://%s", scheme, record->target);
	else
		add_candidate(c, is_outside, "%s://%s:%u", scheme,
		    record->target, record->port);
}

/* TLS from the first byte on both, before STARTTLS on one. */
static void
add_usual_names(struct configuration *c)
{
	static const char *const schemes[] = { "smtps", "smtp" };
	static const char *const names[] = { "smtp", "mail" };
	size_t i;

	c->origin = ORIGIN_USUAL_NAMES;
	for (i = 0; i < 4; i++)
		add_candidate(c, false, "%s://%s.%s", schemes[i / 2],
		    names[i % 2], c->address.domain);
}

static int
find_candidates(struct stls_err *err, struct configuration *c)
{
	const char *domain = c->address.domain;
	struct srv_list srv;
	size_t i;
	int r;

	if (c->settings->url != NULL) {
		c->origin = ORIGIN_GIVEN;
		add_candidate(c, false, "%s", c->settings->url);
		return 0;
	}
	r = srv_lookup(&c->srv_err, domain, &srv);
	if (r == EX_OSERR) {
		stls_err_copy(err, &c->srv_err);
		return r;
	}
	if (srv.count == 0 && srv.is_denied)
		return stls_err_set(err, EX_UNAVAILABLE,
		    "%s says by its SRV records that it offers no submission "
		    "of mail",
		    domain);
	c->origin = ORIGIN_SRV;
	for (i = 0; i < srv.count; i++)
		add_record(c, &srv.records[i]);
	if (c->count == 0)
		add_usual_names(c);
	return 0;
}

/* Whether it is the one. */
static bool
try(struct configuration *c, struct candidate *candidate,
    const struct identity *identity, struct smtptls_context *context)
{
	struct endpoint *endpoint = &c->endpoint;
	int r;

	candidate->was_tried = true;
	endpoint_set_url(endpoint, candidate->url);
	r = endpoint_look(&candidate->err, endpoint, c->settings, identity,
	    context, NULL, true);
	if (r == 0 && endpoint->status != 0)
		r = stls_err_set(&candidate->err, endpoint->status, "%s",
		    smtptls_client_error(endpoint->client));
	if (r == 0)
		return true;
	r = endpoint->result;
	endpoint_done(endpoint);
	endpoint->result = r;
	return false;
}

/* The failure that says most: it was there and was refused, then later. */
static int
status_of_all(const struct configuration *c)
{
	int status = EX_NOHOST;
	size_t i;

	for (i = 0; i < c->count; i++) {
		if (c->candidates[i].err.code == EX_PROTOCOL)
			return EX_PROTOCOL;
		if (c->candidates[i].was_tried &&
		    c->candidates[i].err.code != EX_NOHOST)
			status = c->candidates[i].err.code;
	}
	return status;
}

/* One line, but it may be long. */
static int
tell_failure(struct stls_err *err, const struct configuration *c)
{
	size_t i;

	fprintf(stderr,
	    PROGRAM ": %s: no server that can be verified was "
		    "found%s%s",
	    c->address.mailbox,
	    c->origin == ORIGIN_SRV	    ? " by SRV"
		: c->srv_err.code != 0	    ? ", and not by SRV: "
		: c->origin == ORIGIN_GIVEN ? ""
					    : "; there is no SRV record",
	    c->srv_err.code != 0 ? c->srv_err.text : "");
	for (i = 0; i < c->count && c->candidates[i].was_tried; i++)
		fprintf(stderr, "; %s: %s", c->candidates[i].url,
		    c->candidates[i].err.text);
	fputc('\n', stderr);
	stls_err_clear(err);
	return status_of_all(c);
}

static int
choose(struct stls_err *err, struct configuration *c,
    const struct identity *identity)
{
	CLEANUP(free_context) struct smtptls_context *context = NULL;
	int r;

	r = connection_make_context(err, c->settings, &context);
	if (r == 0)
		r = find_candidates(err, c);
	if (r != 0)
		return r;
	for (c->chosen = 0; c->chosen < c->count; c->chosen++) {
		if (try(c, &c->candidates[c->chosen], identity, context))
			return 0;
		if (c->endpoint.result == SMTPTLS_E_CANCELLED)
			break;
	}
	return tell_failure(err, c);
}

static int
check(struct stls_err *err, const struct settings *settings,
    struct stls_address *out_address)
{
	const char *text = settings->configure;

	if (settings->insecure_no_verify || settings->insecure_cleartext ||
	    settings->insecure_legacy_tls)
		return stls_err_set(err, EX_USAGE,
		    "--configure takes only servers that are verified: leave "
		    "out the --insecure options");
	if (settings->recipient_count > 0)
		return stls_err_set(err, EX_USAGE,
		    "--configure takes one address, and nothing is sent: what "
		    "is %s?",
		    settings->recipients[0]);
	if (stls_address_parse(err, text, strlen(text), false, out_address) <
	    0) {
		stls_err_prefix(err, "--configure");
		return err->code = EX_USAGE;
	}
	if (out_address->domain[0] == '[')
		return stls_err_set(err, EX_USAGE,
		    "--configure: %s has no domain, but an address", text);
	return 0;
}

int
configure_run(struct stls_err *err, const struct settings *settings,
    const struct identity *identity)
{
	CLEANUP(configuration_done)
	struct configuration c = { .settings = settings };
	int r;

	r = check(err, settings, &c.address);
	if (r == 0)
		r = choose(err, &c, identity);
	if (r != 0)
		return r;
	stls_err_clear(err);
	configure_print(&c);
	endpoint_quit(&c.endpoint);
	return 0;
}
