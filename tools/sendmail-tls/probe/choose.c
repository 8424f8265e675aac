/* SPDX-License-Identifier: MIT */
/* What this client would do with what is offered. */
#include "probe/probe.h"

#include <stdio.h>
#include <strings.h>

static bool
offers(const struct probe *probe, const char *keyword)
{
	return smtptls_client_find_capability(probe->main.client, keyword) !=
	    NULL;
}

/* As the library has them: the first one is the best. */
static const struct {
	const char *name;
	bool needs_cert, needs_token;
} mechanisms[] = {
	{ "EXTERNAL", true, false },
	{ "OAUTHBEARER", false, true },
	{ "XOAUTH2", false, true },
	{ "PLAIN", false, false },
	{ "LOGIN", false, false },
};

#define MECHANISM_COUNT (sizeof(mechanisms) / sizeof(mechanisms[0]))

/* Of a mechanism that cannot be used. */
#define NO_RANK (2 * MECHANISM_COUNT)

/*
 * The lower the better. Who has not said by what to log in could have a token,
 * and has a password more often.
 */
static size_t
rank_of(const struct settings *settings, const char *name)
{
	bool has_token = settings->password.source == PASSWORD_TOKEN_COMMAND;
	size_t i;

	for (i = 0; i < MECHANISM_COUNT; i++) {
		if (strcasecmp(name, mechanisms[i].name) == 0)
			break;
	}
	if (i == MECHANISM_COUNT)
		return NO_RANK;
	if (mechanisms[i].needs_cert)
		return settings->cert != NULL ? i : NO_RANK;
	if (mechanisms[i].needs_token == has_token)
		return i;
	if (mechanisms[i].needs_token && !settings_want_auth(settings))
		return MECHANISM_COUNT + i;
	return NO_RANK;
}

static void
choose_mechanism(struct probe *probe)
{
	struct smtptls_client *client = probe->main.client;
	const char *used = smtptls_client_auth_mechanism(client);
	char *best = probe->choice.mechanism, name[64];
	size_t rank, best_rank = NO_RANK;
	const char *next = NULL;

	if (used[0] != '\0') {
		snprintf(best, sizeof(probe->choice.mechanism), "%s", used);
		return;
	}
	while (probe_next_mechanism(client, &next, name, sizeof(name))) {
		rank = rank_of(probe->settings, name);
		if (rank >= best_rank)
			continue;
		best_rank = rank;
		snprintf(best, sizeof(probe->choice.mechanism), "%s", name);
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
