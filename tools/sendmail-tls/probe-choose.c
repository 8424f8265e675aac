/* SPDX-License-Identifier: MIT */
/* What this client would do with what is offered. */
#include "probe.h"

#include <stdio.h>
#include <strings.h>

static bool
offers(const struct probe *probe, const char *keyword)
{
	return smtptls_client_find_capability(probe->main.client, keyword) !=
	    NULL;
}

static bool
speaks(const char *mechanism)
{
	return strcasecmp(mechanism, "PLAIN") == 0 ||
	    strcasecmp(mechanism, "LOGIN") == 0 ||
	    strcasecmp(mechanism, "EXTERNAL") == 0;
}

static void
choose_mechanism(struct probe *probe)
{
	struct smtptls_client *client = probe->main.client;
	const char *used = smtptls_client_auth_mechanism(client);
	bool has_cert = probe->settings->cert != NULL, is_better;
	char *best = probe->choice.mechanism, name[64];
	const char *next = NULL;

	if (used[0] != '\0') {
		snprintf(best, sizeof(probe->choice.mechanism), "%s", used);
		return;
	}
	while (probe_next_mechanism(client, &next, name, sizeof(name))) {
		if (!speaks(name) ||
		    (strcasecmp(name, "EXTERNAL") == 0 && !has_cert))
			continue;
		is_better = best[0] == '\0' ||
		    strcasecmp(name, "EXTERNAL") == 0 ||
		    (strcasecmp(best, "LOGIN") == 0);
		if (is_better)
			snprintf(
			    best, sizeof(probe->choice.mechanism), "%s", name);
	}
}

/* A login that failed says nothing against the server. */
static bool
can_be_used(const struct endpoint *endpoint)
{
	return endpoint->is_verified &&
	    (endpoint->result == 0 || endpoint->result == SMTPTLS_E_AUTH);
}

void
probe_choose(struct probe *probe)
{
	const struct settings *settings = probe->settings;
	struct probe_choice *choice = &probe->choice;
	enum smtptls_pipelining level = settings->pipelining;
	const struct endpoint *main = &probe->main, *other = &probe->other;
	bool has_chunking = offers(probe, "CHUNKING") && !settings->no_chunking;

	if (can_be_used(main) && (main->is_smtps || !can_be_used(other)))
		choice->url = main->url;
	else if (can_be_used(other))
		choice->url = other->url;
	if (!offers(probe, "PIPELINING"))
		level = SMTPTLS_PIPELINING_NONE;
	if (level == SMTPTLS_PIPELINING_ONE_FLIGHT && !has_chunking)
		level = SMTPTLS_PIPELINING_STANDARD;
	choice->pipelining = level == SMTPTLS_PIPELINING_NONE ? "none"
	    : level == SMTPTLS_PIPELINING_STANDARD	      ? "standard"
							      : "one-flight";
	/* BDAT where it saves a flight, as the engine has it. */
	choice->chunking = has_chunking &&
	    settings->pipelining != SMTPTLS_PIPELINING_NONE &&
	    level != SMTPTLS_PIPELINING_STANDARD;
	choose_mechanism(probe);
}
