/* SPDX-License-Identifier: MIT */
#include "settings/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "settings/moment.h"
#include "settings/settings.h"
#include "smtp/xtext.h"

static struct mail_options *
options_of(void *target)
{
	return &((struct settings *)target)->options;
}

static unsigned int
notify_of(const char *word, size_t len)
{
	static const struct {
		const char *word;
		unsigned int bit;
	} words[] = {
		{ "never", SMTPTLS_NOTIFY_NEVER },
		{ "success", SMTPTLS_NOTIFY_SUCCESS },
		{ "failure", SMTPTLS_NOTIFY_FAILURE },
		{ "delay", SMTPTLS_NOTIFY_DELAY },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == len &&
		    strncasecmp(words[i].word, word, len) == 0)
			return words[i].bit;
	}
	return 0;
}

/* RFC 3461 section 4.1; the commas of sendmail(8) may be blanks. */
int
settings_set_notify(
    struct stls_err *err, void *target, const struct option_use *use)
{
	const char *p = use->value + strspn(use->value, ", ");
	unsigned int notify = 0, bit = 1;
	size_t len;

	while (*p != '\0' && bit != 0) {
		len = strcspn(p, ", ");
		bit = notify_of(p, len);
		notify |= bit;
		p += len;
		p += strspn(p, ", ");
	}
	if (bit == 0 || notify == 0 ||
	    ((notify & SMTPTLS_NOTIFY_NEVER) != 0 &&
		notify != SMTPTLS_NOTIFY_NEVER))
		return stls_err_set(err, EX_USAGE,
		    "%s %s: it is never, or some of success, failure and "
		    "delay",
		    use->shown, use->value);
	options_of(target)->notify = notify;
	return 0;
}

int
settings_set_return(
    struct stls_err *err, void *target, const struct option_use *use)
{
	if (strcasecmp(use->value, "full") == 0)
		options_of(target)->ret = SMTPTLS_RETURN_FULL;
	else if (strcasecmp(use->value, "hdrs") == 0)
		options_of(target)->ret = SMTPTLS_RETURN_HEADERS;
	else
		return stls_err_set(err, EX_USAGE, "%s %s: it is full or hdrs",
		    use->shown, use->value);
	return 0;
}

int
settings_set_envid(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct mail_options *options = options_of(target);
	char xtext[MAIL_ENVID_MAX + 1];

	if (stls_xtext_encode(xtext, sizeof(xtext), use->value) <= 0)
		return stls_err_set(err, EX_USAGE,
		    "%s %s: it is printable ASCII and has from 1 to %d "
		    "characters, of which each blank, + and = is three",
		    use->shown, use->value, MAIL_ENVID_MAX);
	snprintf(options->envid, sizeof(options->envid), "%s", use->value);
	return 0;
}

int
settings_set_hold_until(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct mail_options *options = options_of(target);
	time_t until = 0, now = time(NULL);
	int interval = 0;

	if (moment_parse_interval(
		use->value, false, MAIL_INTERVAL_MAX_S, &interval) &&
	    interval > 0) {
		options->hold_for_s = interval;
		options->hold_until = 0;
		options->asked_at = now;
		return 0;
	}
	if (!moment_parse(use->value, &until))
		return stls_err_set(err, EX_USAGE,
		    "%s %s: it is a date and time as 2026-11-27T08:00:00Z or "
		    "2026-11-27T08:00:00+01:00, or an interval as 90m, 4h or "
		    "5d",
		    use->shown, use->value);
	if (until <= now)
		return stls_err_set(
		    err, EX_USAGE, "%s %s is over", use->shown, use->value);
	options->hold_for_s = 0;
	options->hold_until = until;
	return 0;
}

int
settings_set_priority(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct mail_options *options = options_of(target);
	const char *p = use->value;
	bool is_negative = *p == '-';

	p += is_negative || *p == '+';
	if (p[0] < '0' || p[0] > '9' || p[1] != '\0')
		return stls_err_set(err, EX_USAGE,
		    "%s %s: it is a number from -9 to 9", use->shown,
		    use->value);
	options->has_priority = true;
	options->priority = is_negative ? '0' - *p : *p - '0';
	return 0;
}

/*
 * RFC 2852 section 4. Without a word more the sender is told of the delay, and
 * the message still arrives: with `return` it comes back as soon as it meets a
 * server that does not know the extension, as most do not.
 */
int
settings_set_deliver_by(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct mail_options *options = options_of(target);
	size_t len = strcspn(use->value, ",");
	const char *mode = use->value + len;
	bool is_return = strcasecmp(mode, ",return") == 0;
	char number[16] = "";
	int seconds = 0;

	if (len < sizeof(number))
		memcpy(number, use->value, len);
	if (!moment_parse_interval(
		number, true, MAIL_INTERVAL_MAX_S, &seconds) ||
	    seconds == 0 ||
	    (mode[0] != '\0' && !is_return && strcasecmp(mode, ",notify") != 0))
		return stls_err_set(err, EX_USAGE,
		    "%s %s: it is a number of seconds, alone or with ,notify "
		    "or ,return behind it",
		    use->shown, use->value);
	options->deliver_by_s = seconds;
	options->deliver_by_return = is_return;
	options->asked_at = time(NULL);
	return 0;
}
