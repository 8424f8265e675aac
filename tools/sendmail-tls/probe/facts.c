/* SPDX-License-Identifier: MIT */
/* What can be read out of what the server says. */
#include "probe/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_S (24 * 60 * 60)

/* A number that begins here; 0: there is none, or it is none. */
static uint64_t
number_at(const char *text)
{
	unsigned long long number;
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	number = strtoull(text, &end, 10);
	return *end == '\0' || *end == ' ' ? number : 0;
}

/* `LIMITS RCPTMAX=20 MAILMAX=5` */
static uint64_t
limit_of(const char *limits, const char *name)
{
	size_t len = strlen(name);

	while (limits != NULL) {
		limits += strspn(limits, " ");
		if (strncasecmp(limits, name, len) == 0 && limits[len] == '=')
			return number_at(limits + len + 1);
		limits = strchr(limits, ' ');
	}
	return 0;
}

void
probe_get_limits(
    const struct smtptls_client *client, struct probe_limits *out_limits)
{
	const char *limits = smtptls_client_find_capability(client, "LIMITS");

	out_limits->size = number_at(
	    smtptls_client_find_capability(client, "SIZE"));
	out_limits->recipients = limit_of(limits, "RCPTMAX");
	out_limits->messages = limit_of(limits, "MAILMAX");
	out_limits->hold_s = number_at(
	    smtptls_client_find_capability(client, "FUTURERELEASE"));
}

bool
probe_next_mechanism(const struct smtptls_client *client, const char **next,
    char *name, size_t cap)
{
	size_t len;

	if (*next == NULL)
		*next = smtptls_client_find_capability(client, "AUTH");
	if (*next == NULL)
		return false;
	*next += strspn(*next, " ");
	len = strcspn(*next, " ");
	if (len == 0)
		return false;
	snprintf(name, cap, "%.*s", (int)len, *next);
	*next += len;
	return true;
}

double
probe_seconds_left(const char *when)
{
	struct tm tm = { 0 };

	if (strptime(when, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return 0;
	return difftime(timegm(&tm), time(NULL));
}

long
probe_days_left(const char *when)
{
	double left = probe_seconds_left(when) / DAY_S;
	long days = (long)left;

	return left < (double)days ? days - 1 : days;
}
