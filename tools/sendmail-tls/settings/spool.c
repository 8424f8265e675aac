/* SPDX-License-Identifier: MIT */
#include "settings/spool.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "settings/moment.h"

/* Ten years. */
#define INTERVAL_MAX_S (3650 * 86400)

int
settings_set_spool_lifetime(
    struct stls_err *err, void *target, const struct option_use *use)
{
	int seconds;

	if (!moment_parse_interval(use->value, false, INTERVAL_MAX_S, &seconds))
		return stls_err_set(err, EX_USAGE,
		    "%s is an interval as 30s, 15m, 4h or 5d, not \"%s\"",
		    use->shown, use->value);
	((struct settings *)target)->spool_lifetime_s = seconds;
	return 0;
}

int
settings_set_spool_in_doubt(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;

	if (strcmp(use->value, "retry") == 0)
		settings->spool_holds_doubt = false;
	else if (strcmp(use->value, "hold") == 0)
		settings->spool_holds_doubt = true;
	else
		return stls_err_set(err, EX_USAGE,
		    "%s is retry or hold, not \"%s\"", use->shown, use->value);
	return 0;
}

/* An interval is for a daemon; here it says that only what is due is tried. */
int
settings_set_queue_run(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct settings *settings = target;
	const char *value = use->value;
	int ignored;

	settings->mode = MODE_QUEUE_RUN;
	settings->queue_kind = QUEUE_ALL;
	settings->queue_key = NULL;
	if (value[0] == 'I' || value[0] == 'R') {
		settings->queue_kind = value[0] == 'I' ? QUEUE_ID
						       : QUEUE_RECIPIENT;
		settings->queue_key = value + 1;
	} else if (moment_parse_interval(
		       value, true, INTERVAL_MAX_S, &ignored)) {
		settings->queue_kind = QUEUE_DUE;
	} else if (value[0] != '\0') {
		return stls_err_set(err, EX_USAGE,
		    "%s%s: it is -q, -qINTERVAL as -q15m, -qI ID or -qR ADDR",
		    use->shown, value);
	}
	return 0;
}

const char *
settings_queue_key(const struct settings *s)
{
	if (s->queue_key != NULL && s->queue_key[0] != '\0')
		return s->queue_key;
	if (s->recipient_count > 0 && s->recipients[0][0] != '\0')
		return s->recipients[0];
	return NULL;
}

int
settings_check_queue(struct stls_err *err, const struct settings *s)
{
	if (s->mode != MODE_QUEUE_RUN ||
	    (s->queue_kind != QUEUE_ID && s->queue_kind != QUEUE_RECIPIENT) ||
	    settings_queue_key(s) != NULL)
		return 0;
	return stls_err_set(err, EX_USAGE,
	    s->queue_kind == QUEUE_ID
		? "-qI needs the id of a message, which -bp shows"
		: "-qR needs a part of a recipient's address");
}
