/* SPDX-License-Identifier: MIT */
#include "spool-options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

const char *
spool_account_of(const struct settings *settings)
{
	return settings->account != NULL ? settings->account : "";
}

struct numbers {
	int64_t notify, ret, require_tls, smtputf8, hold_until, hold_for;
	int64_t has_priority, priority, deliver_by, deliver_by_return;
};

static const struct {
	const char *name;
	size_t field;
} names[] = {
	{ "notify", offsetof(struct numbers, notify) },
	{ "ret", offsetof(struct numbers, ret) },
	{ "require-tls", offsetof(struct numbers, require_tls) },
	{ "smtputf8", offsetof(struct numbers, smtputf8) },
	{ "hold-until", offsetof(struct numbers, hold_until) },
	{ "hold-is-interval", offsetof(struct numbers, hold_for) },
	{ "has-priority", offsetof(struct numbers, has_priority) },
	{ "priority", offsetof(struct numbers, priority) },
	{ "deliver-by", offsetof(struct numbers, deliver_by) },
	{ "deliver-by-return", offsetof(struct numbers, deliver_by_return) },
};

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

static int64_t *
number_of(struct numbers *numbers, size_t i)
{
	return (void *)((char *)numbers + names[i].field);
}

int
spool_options_add(struct stls_err *err, const struct settings *settings,
    const struct mail_options *options, struct spool_message *message)
{
	struct numbers numbers = {
		.notify = options->notify,
		.ret = options->ret,
		.require_tls = options->require_tls,
		.smtputf8 = options->smtputf8 || settings->smtputf8,
		.hold_until = options->hold_until,
		.hold_for = options->hold_is_interval,
		.has_priority = options->has_priority,
		.priority = options->priority,
		.deliver_by = options->deliver_by,
		.deliver_by_return = options->deliver_by_return,
	};
	char value[32];
	size_t i;
	int r = 0;

	for (i = 0; i < NAME_COUNT && r == 0; i++) {
		snprintf(
		    value, sizeof(value), "%" PRId64, *number_of(&numbers, i));
		if (*number_of(&numbers, i) != 0)
			r = spool_message_add_option(
			    err, message, names[i].name, value);
	}
	if (r == 0 && options->envid[0] != '\0')
		r = spool_message_add_option(
		    err, message, "envid", options->envid);
	return r;
}

static int
read_number(struct numbers *numbers, const struct spool_option *option)
{
	char *end;
	size_t i;

	for (i = 0; i < NAME_COUNT; i++) {
		if (strcmp(names[i].name, option->name) != 0)
			continue;
		errno = 0;
		*number_of(numbers, i) = strtoll(option->value, &end, 10);
		return errno == 0 && *end == '\0' && end != option->value ? 0
									  : -1;
	}
	return -1;
}

int
spool_options_get(struct stls_err *err, const struct spool_message *message,
    struct mail_options *out_options)
{
	const struct spool_option *option = message->options;
	struct mail_options options = { 0 };
	struct numbers n = { 0 };
	size_t i;

	for (i = 0; i < message->option_count; i++, option++) {
		if (strcmp(option->name, "envid") == 0 &&
		    strlen(option->value) <= MAIL_ENVID_MAX)
			snprintf(options.envid, sizeof(options.envid), "%s",
			    option->value);
		else if (read_number(&n, option) < 0)
			return stls_err_set(err, EX_DATAERR,
			    "its option %s is not known, or has a bad value",
			    option->name);
	}
	options.notify = (unsigned int)n.notify;
	options.ret = (unsigned int)n.ret;
	options.require_tls = n.require_tls != 0;
	options.smtputf8 = n.smtputf8 != 0;
	options.hold_until = (time_t)n.hold_until;
	options.hold_is_interval = n.hold_for != 0;
	options.has_priority = n.has_priority != 0;
	options.priority = (int)n.priority;
	options.deliver_by = (time_t)n.deliver_by;
	options.deliver_by_return = n.deliver_by_return != 0;
	*out_options = options;
	return 0;
}
