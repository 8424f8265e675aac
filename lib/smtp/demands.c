/* SPDX-License-Identifier: MIT */
#include "smtp/demands.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Append to a text that is known to fit: see the limits in the header. */
__attribute__((format(printf, 3, 4))) static void
append(char *buf, size_t cap, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + len, cap - len, fmt, ap);
	va_end(ap);
}

const char *
stls_demands_format_mail(
    const struct stls_demands *d, char buf[STLS_MAIL_DEMANDS_CAP])
{
	const size_t cap = STLS_MAIL_DEMANDS_CAP;

	buf[0] = '\0';
	if (d->ret != NULL)
		append(buf, cap, " RET=%s", d->ret);
	if (d->envid[0] != '\0')
		append(buf, cap, " ENVID=%s", d->envid);
	if (d->require_tls)
		append(buf, cap, " REQUIRETLS");
	if (d->hold_for_s > 0)
		append(buf, cap, " HOLDFOR=%" PRIu32, d->hold_for_s);
	if (d->hold_until[0] != '\0')
		append(buf, cap, " HOLDUNTIL=%s", d->hold_until);
	if (d->has_priority)
		append(buf, cap, " MT-PRIORITY=%d", d->priority);
	if (d->has_deliver_by)
		append(buf, cap, " BY=%" PRId32 ";%s%s", d->deliver_by_s,
		    d->deliver_by_return ? "R" : "N",
		    d->deliver_by_trace ? "T" : "");
	return buf;
}

static void
append_notify(char *buf, unsigned int notify)
{
	static const struct {
		unsigned int bit;
		const char *word;
	} words[] = {
		{ STLS_NOTIFY_NEVER, "NEVER" },
		{ STLS_NOTIFY_SUCCESS, "SUCCESS" },
		{ STLS_NOTIFY_FAILURE, "FAILURE" },
		{ STLS_NOTIFY_DELAY, "DELAY" },
	};
	const char *separator = " NOTIFY=";
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((notify & words[i].bit) == 0)
			continue;
		append(buf, STLS_RCPT_DEMANDS_CAP, "%s%s", separator,
		    words[i].word);
		separator = ",";
	}
}

const char *
stls_demands_format_rcpt(
    const struct stls_demands *d, size_t index, char buf[STLS_RCPT_DEMANDS_CAP])
{
	unsigned int notify = d->notify;

	buf[0] = '\0';
	if (index < d->rcpt_count && d->rcpts[index].notify != 0)
		notify = d->rcpts[index].notify;
	append_notify(buf, notify);
	if (index < d->rcpt_count && d->rcpts[index].orcpt != NULL)
		append(buf, STLS_RCPT_DEMANDS_CAP, " ORCPT=%s",
		    d->rcpts[index].orcpt);
	return buf;
}

static bool
needs_dsn(const struct stls_demands *d)
{
	size_t i;

	for (i = 0; i < d->rcpt_count; i++) {
		if (d->rcpts[i].notify != 0 || d->rcpts[i].orcpt != NULL)
			return true;
	}
	return d->notify != 0 || d->ret != NULL || d->envid[0] != '\0';
}

/* Digits that end at a blank or the end; 0 where there are none. */
static uint64_t
parse_limit(const char *text)
{
	uint64_t limit = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (limit > UINT32_MAX)
			return 0;
		limit = limit * 10 + (uint64_t)(*text - '0');
	}
	return *text == '\0' || *text == ' ' ? limit : 0;
}

/* Whether a text has the form of hold_until: then the two compare as texts. */
static bool
is_hold_until(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	size_t i;

	for (i = 0; form[i] != '\0'; i++) {
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9'
				   : text[i] != form[i])
			return false;
	}
	return text[i] == '\0' || text[i] == ' ';
}

/*
 * RFC 4865 section 3: the longest interval, and the last date. What is not
 * understood is no limit: the server will say what it thinks.
 */
static int
check_hold(struct stls_err *err, const struct stls_demands *d,
    const char *limits, const char *server)
{
	uint64_t interval = parse_limit(limits);
	const char *date = strchr(limits, ' ');

	if (interval > 0 && d->hold_for_s > interval)
		return stls_err_set(err, SMTPTLS_E_UNSUPPORTED,
		    "%s holds a message %" PRIu64
		    " seconds at most (FUTURERELEASE), not %" PRIu32,
		    server, interval, d->hold_for_s);
	if (date == NULL || d->hold_until[0] == '\0')
		return SMTPTLS_OK;
	date += strspn(date, " ");
	if (!is_hold_until(date) ||
	    strncmp(d->hold_until, date, STLS_HOLD_UNTIL_CAP - 1) <= 0)
		return SMTPTLS_OK;
	return stls_err_set(err, SMTPTLS_E_UNSUPPORTED,
	    "%s holds a message until %.*s at most (FUTURERELEASE), not %s",
	    server, STLS_HOLD_UNTIL_CAP - 1, date, d->hold_until);
}

/* RFC 2852 section 3: the least that it takes to promise it. */
static int
check_deliver_by(struct stls_err *err, const struct stls_demands *d,
    const char *limits, const char *server)
{
	uint64_t least = parse_limit(limits);

	if (!d->deliver_by_return || (uint64_t)d->deliver_by_s >= least)
		return SMTPTLS_OK;
	return stls_err_set(err, SMTPTLS_E_UNSUPPORTED,
	    "%s needs %" PRIu64
	    " seconds at least to deliver a message (DELIVERBY), not %" PRId32,
	    server, least, d->deliver_by_s);
}

static int
missing(struct stls_err *err, const char *server, const char *extension)
{
	return stls_err_set(err, SMTPTLS_E_UNSUPPORTED, "%s does not offer %s",
	    server, extension);
}

int
stls_demands_check(struct stls_err *err, const struct stls_demands *d,
    const struct stls_capabilities *offered, bool tls, const char *server)
{
	const char *hold = stls_capabilities_find(offered, "FUTURERELEASE");
	const char *by = stls_capabilities_find(offered, "DELIVERBY");
	int r = SMTPTLS_OK;

	if (server == NULL)
		server = "the server";
	/* RFC 8689 section 4.1: what is said in clear is no offer. */
	if (d->require_tls &&
	    (!tls || stls_capabilities_find(offered, "REQUIRETLS") == NULL))
		return missing(err, server,
		    "REQUIRETLS (RFC 8689), by which TLS is asked for all the "
		    "way");
	if (needs_dsn(d) && stls_capabilities_find(offered, "DSN") == NULL)
		return missing(err, server,
		    "DSN (RFC 3461), by which notifications are asked for");
	if (d->has_priority &&
	    stls_capabilities_find(offered, "MT-PRIORITY") == NULL)
		return missing(err, server,
		    "MT-PRIORITY (RFC 6710), by which a priority is given");
	if (d->hold_for_s > 0 || d->hold_until[0] != '\0')
		r = hold != NULL ? check_hold(err, d, hold, server)
				 : missing(err, server,
				       "FUTURERELEASE (RFC 4865), by which a "
				       "message is held");
	if (r < 0 || !d->has_deliver_by)
		return r;
	return by != NULL ? check_deliver_by(err, d, by, server)
			  : missing(err, server,
				"DELIVERBY (RFC 2852), by which a time is set");
}

void
stls_demands_done(struct stls_demands *d)
{
	size_t i;

	for (i = 0; i < d->rcpt_count; i++)
		free(d->rcpts[i].orcpt);
	free(d->rcpts);
	memset(d, 0, sizeof(*d));
}
