/* SPDX-License-Identifier: MIT */
#include "settings-server.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "settings.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

int
settings_set_pipelining(
    struct stls_err *err, void *target, const struct option_use *use)
{
	static const struct {
		const char *word;
		enum smtptls_pipelining level;
	} levels[] = {
		{ "none", SMTPTLS_PIPELINING_NONE },
		{ "standard", SMTPTLS_PIPELINING_STANDARD },
		{ "one-flight", SMTPTLS_PIPELINING_ONE_FLIGHT },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(levels[i].word, use->value) != 0)
			continue;
		((struct settings *)target)->pipelining = levels[i].level;
		return 0;
	}
	return stls_err_set(err, EX_USAGE,
	    "%s %s: it is none, standard or one-flight", use->shown,
	    use->value);
}

int
settings_set_tls_min(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	if (strcmp(use->value, "1.2") == 0)
		settings->tls_min = SMTPTLS_TLS_1_2;
	else if (strcmp(use->value, "1.3") == 0)
		settings->tls_min = SMTPTLS_TLS_1_3;
	else if (strcmp(use->value, "1.0") == 0 ||
	    strcmp(use->value, "1.1") == 0)
		return stls_err_set(err, EX_USAGE,
		    "%s %s is not safe: --insecure-legacy-tls allows it",
		    use->shown, use->value);
	else
		return stls_err_set(err, EX_USAGE, "%s is 1.2 or 1.3, not %s",
		    use->shown, use->value);
	return 0;
}

int
settings_set_timeout(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char *p = use->value;
	long seconds = 0;

	while (*p >= '0' && *p <= '9' && seconds <= INT_MAX / 1000)
		seconds = seconds * 10 + (*p++ - '0');
	if (*p != '\0' || seconds < 1 || seconds > INT_MAX / 1000)
		return stls_err_set(err, EX_USAGE,
		    "%s is a number of seconds from 1 to %d, not \"%s\"",
		    use->shown, INT_MAX / 1000, use->value);
	settings->timeout_s = (int)seconds;
	return 0;
}

int
settings_set_auth(
    struct stls_err *err, void *target, const struct option_use *use)
{
	static const char *const known[] = { "PLAIN", "LOGIN", "EXTERNAL" };
	struct settings *settings = target;
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(use->value, known[i]) == 0) {
			settings->auth = known[i];
			return 0;
		}
	}
	return stls_err_set(err, EX_USAGE,
	    "%s is PLAIN, LOGIN or EXTERNAL in this version, not %s",
	    use->shown, use->value);
}
