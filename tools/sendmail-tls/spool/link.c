/* SPDX-License-Identifier: MIT */
#include "spool/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "client/connection.h"

/* A server that hangs up this often on one run is left alone. */
#define LOSSES_MAX 3

static void
is_of_no_use(struct spool_link *link, const struct stls_err *err)
{
	link->status = err->code;
	snprintf(link->text, sizeof(link->text), "%s", stls_err_text(err));
}

/*
 * A message goes with the account that it came with, as that is set now; by
 * the server of the command line where that names one, and if it came with
 * none, by what is set for all.
 */
static void
choose_settings(const struct settings *settings, struct spool_link *link)
{
	struct stls_err err = { 0 };

	link->settings = settings;
	if (settings->url_is_given || settings->account == NULL ||
	    link->account[0] == '\0' ||
	    strcmp(settings->account, link->account) == 0)
		return;
	if (settings_for_account(&err, settings, link->account, &link->own) !=
	    0)
		is_of_no_use(link, &err);
	else
		link->settings = &link->own;
}

int
spool_links_get(struct stls_err *err, struct spool_links *links,
    const char *account, struct spool_link **out_link)
{
	struct spool_link **grown, *link;
	size_t i;

	for (i = 0; i < links->count; i++) {
		if (strcmp(links->links[i]->account, account) != 0)
			continue;
		*out_link = links->links[i];
		return 0;
	}
	grown = stls_realloc(
	    links->links, (links->count + 1) * sizeof(grown[0]));
	if (grown == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	links->links = grown;
	link = stls_alloc_zero(sizeof(*link));
	if (link != NULL)
		link->account = stls_strdup(account);
	if (link == NULL || link->account == NULL) {
		free(link);
		return stls_err_set(err, EX_OSERR, "out of memory");
	}
	links->links[links->count++] = link;
	*out_link = link;
	choose_settings(links->settings, link);
	return 0;
}

int
spool_link_prepare(struct stls_err *err, const struct spool_links *links,
    struct spool_link *link)
{
	int r;

	if (link->status != 0 || link->client != NULL)
		return link->status;
	link->sent = 0;
	if (link->settings->url == NULL)
		r = settings_no_server(err, link->settings);
	else
		r = connection_prepare(
		    err, link->settings, links->identity, &link->client);
	if (r != 0)
		is_of_no_use(link, err);
	return r;
}

/* Whether it failed before there was a conversation about messages. */
static bool
failed_to_connect(const struct smtptls_client *client)
{
	static const char *const steps[] = { "connect", "greeting", "EHLO",
		"STARTTLS", "TLS", "AUTH" };
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(smtptls_client_step(client), steps[i]) == 0)
			return true;
	}
	return false;
}

bool
spool_link_settle(
    struct spool_link *link, int status, const char *text, bool untouched)
{
	bool was_used = link->sent > 0;
	bool is_cancelled, at_start;
	int r;

	link->sent++;
	r = smtptls_client_drive(link->client);
	if (r >= 0)
		return false;
	is_cancelled = link->was_cancelled = r == SMTPTLS_E_CANCELLED;
	at_start = failed_to_connect(link->client);
	smtptls_client_free(link->client);
	link->client = NULL;
	/* Servers close what they waited for, or count messages. */
	if (was_used && untouched && !is_cancelled && !at_start)
		return true;
	if (is_cancelled || at_start || ++link->losses >= LOSSES_MAX) {
		link->status = status != 0 ? status : EX_TEMPFAIL;
		snprintf(link->text, sizeof(link->text), "%s", text);
	}
	return false;
}

bool
spool_links_were_cancelled(const struct spool_links *links)
{
	size_t i;

	for (i = 0; i < links->count; i++) {
		if (links->links[i]->was_cancelled)
			return true;
	}
	return false;
}

void
spool_links_done(struct spool_links *links)
{
	struct spool_link *link;
	size_t i;

	for (i = 0; i < links->count; i++) {
		link = links->links[i];
		if (link->client != NULL)
			smtptls_client_quit(link->client);
		smtptls_client_free(link->client);
		settings_done(&link->own);
		free(link->account);
		free(link);
	}
	free(links->links);
	memset(links, 0, sizeof(*links));
}
