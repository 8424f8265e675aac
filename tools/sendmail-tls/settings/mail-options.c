/* SPDX-License-Identifier: MIT */
#include "settings/mail-options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "smtp/xtext.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * What takes less is on its way and does not wait: an interval then is what it
 * was given as.
 */
#define ON_ITS_WAY_S 60

/* How long a message has waited since its intervals began. */
static int
waited_s(const struct mail_options *options, time_t now)
{
	/* Clocks are set back, too. */
	if (now < options->asked_at || now - options->asked_at < ON_ITS_WAY_S)
		return 0;
	if (now - options->asked_at > MAIL_INTERVAL_MAX_S)
		return MAIL_INTERVAL_MAX_S;
	return (int)(now - options->asked_at);
}

static int
apply_hold(const struct mail_options *options, time_t now,
    struct smtptls_message *message)
{
	int left = options->hold_for_s - waited_s(options, now);

	if (options->hold_for_s > 0 && left > 0)
		return smtptls_message_set_hold_for_s(message, left);
	if (options->hold_until > now)
		return smtptls_message_set_hold_until(
		    message, options->hold_until);
	return SMTPTLS_OK;
}

static int
apply_dsn(const struct mail_options *options, struct smtptls_message *message)
{
	int r = SMTPTLS_OK;

	if (options->notify != 0)
		r = smtptls_message_set_notify(message, options->notify);
	if (r == SMTPTLS_OK && options->ret != SMTPTLS_RETURN_DEFAULT)
		r = smtptls_message_set_return(message, options->ret);
	if (r == SMTPTLS_OK && options->envid[0] != '\0')
		r = smtptls_message_set_envelope_id(message, options->envid);
	return r;
}

static int
apply_deliver_by(const struct mail_options *options, time_t now,
    struct smtptls_message *message)
{
	return smtptls_message_set_deliver_by_s(message,
	    options->deliver_by_s - waited_s(options, now),
	    options->deliver_by_return ? SMTPTLS_DELIVER_BY_RETURN
				       : SMTPTLS_DELIVER_BY_NOTIFY,
	    0);
}

int
mail_options_apply(struct stls_err *err, const struct mail_options *options,
    time_t now, struct smtptls_message *message)
{
	int r;

	if (options->deliver_by_return &&
	    options->deliver_by_s <= waited_s(options, now))
		return stls_err_set(err, EX_DATAERR,
		    "the message was to be delivered within %d seconds or "
		    "given back, and they are over",
		    options->deliver_by_s);
	r = apply_dsn(options, message);
	if (r == SMTPTLS_OK)
		r = apply_hold(options, now, message);
	if (r == SMTPTLS_OK && options->require_tls)
		r = smtptls_message_set_require_tls(message, 1);
	if (r == SMTPTLS_OK && options->smtputf8)
		r = smtptls_message_set_smtputf8(message, 1);
	if (r == SMTPTLS_OK && options->has_priority)
		r = smtptls_message_set_priority(message, options->priority);
	if (r == SMTPTLS_OK && options->deliver_by_s > 0)
		r = apply_deliver_by(options, now, message);
	if (r == SMTPTLS_OK)
		return 0;
	return stls_err_set(err, r == SMTPTLS_E_NOMEM ? EX_OSERR : EX_DATAERR,
	    "%s", smtptls_message_error(message));
}

/* --- as text --- */

/* Each has a name and a number, but for the envelope identifier. */
enum part {
	PART_NOTIFY,
	PART_RETURN,
	PART_REQUIRE_TLS,
	PART_SMTPUTF8,
	PART_HOLD_FOR,
	PART_HOLD_UNTIL,
	PART_PRIORITY,
	PART_DELIVER_BY,
	PART_DELIVER_BY_RETURN,
	PART_ASKED_AT,
};

static const struct {
	const char *name;
	int64_t min, max;
} parts[] = {
	[PART_NOTIFY] = { "notify", 1, 15 },
	[PART_RETURN] = { "return", 1, 2 },
	[PART_REQUIRE_TLS] = { "require-tls", 1, 1 },
	[PART_SMTPUTF8] = { "smtputf8", 1, 1 },
	[PART_HOLD_FOR] = { "hold-for", 1, MAIL_INTERVAL_MAX_S },
	[PART_HOLD_UNTIL] = { "hold-until", 1, INT64_C(253402300799) },
	[PART_PRIORITY] = { "priority", -9, 9 },
	[PART_DELIVER_BY] = { "deliver-by", 1, MAIL_INTERVAL_MAX_S },
	[PART_DELIVER_BY_RETURN] = { "deliver-by-return", 1, 1 },
	[PART_ASKED_AT] = { "asked-at", 1, INT64_C(253402300799) },
};

__attribute__((format(printf, 2, 3))) static void
append(char text[MAIL_OPTIONS_TEXT_CAP], const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	if (len > 0)
		text[len++] = ' ';
	va_start(ap, fmt);
	vsnprintf(text + len, MAIL_OPTIONS_TEXT_CAP - len, fmt, ap);
	va_end(ap);
}

static void
append_part(char text[MAIL_OPTIONS_TEXT_CAP], enum part part, bool is_set,
    int64_t value)
{
	if (is_set)
		append(text, "%s=%" PRId64, parts[part].name, value);
}

void
mail_options_format(
    const struct mail_options *o, char text[MAIL_OPTIONS_TEXT_CAP])
{
	char envid[MAIL_ENVID_MAX + 1];

	text[0] = '\0';
	append_part(text, PART_NOTIFY, o->notify != 0, o->notify);
	append_part(text, PART_RETURN, o->ret != 0, o->ret);
	if (o->envid[0] != '\0' &&
	    stls_xtext_encode(envid, sizeof(envid), o->envid) > 0)
		append(text, "envid=%s", envid);
	append_part(text, PART_REQUIRE_TLS, o->require_tls, 1);
	append_part(text, PART_SMTPUTF8, o->smtputf8, 1);
	append_part(text, PART_HOLD_FOR, o->hold_for_s > 0, o->hold_for_s);
	append_part(text, PART_HOLD_UNTIL, o->hold_until > 0, o->hold_until);
	append_part(text, PART_PRIORITY, o->has_priority, o->priority);
	append_part(
	    text, PART_DELIVER_BY, o->deliver_by_s > 0, o->deliver_by_s);
	append_part(text, PART_DELIVER_BY_RETURN, o->deliver_by_return, 1);
	append_part(text, PART_ASKED_AT, o->asked_at > 0, o->asked_at);
}

static void
set_part(struct mail_options *options, enum part part, int64_t value)
{
	switch (part) {
	case PART_NOTIFY:
		options->notify = (unsigned int)value;
		break;
	case PART_RETURN:
		options->ret = (enum smtptls_return)value;
		break;
	case PART_REQUIRE_TLS:
		options->require_tls = true;
		break;
	case PART_SMTPUTF8:
		options->smtputf8 = true;
		break;
	case PART_HOLD_FOR:
		options->hold_for_s = (int)value;
		break;
	case PART_HOLD_UNTIL:
		options->hold_until = (time_t)value;
		break;
	case PART_PRIORITY:
		options->has_priority = true;
		options->priority = (int)value;
		break;
	case PART_DELIVER_BY:
		options->deliver_by_s = (int)value;
		break;
	case PART_DELIVER_BY_RETURN:
		options->deliver_by_return = true;
		break;
	case PART_ASKED_AT:
		options->asked_at = (time_t)value;
		break;
	}
}

/* `name=value`; false where it is none of them. */
static bool
parse_part(const char *word, size_t len, struct mail_options *options)
{
	const char *equals = memchr(word, '=', len);
	char value[3 * MAIL_ENVID_MAX + 1], *end;
	size_t name_len, value_len, i;
	long long number;

	if (equals == NULL)
		return false;
	name_len = (size_t)(equals - word);
	value_len = len - name_len - 1;
	if (value_len == 0 || value_len >= sizeof(value))
		return false;
	memcpy(value, equals + 1, value_len);
	value[value_len] = '\0';
	if (name_len == 5 && memcmp(word, "envid", 5) == 0)
		return stls_xtext_decode(
			   options->envid, sizeof(options->envid), value) > 0;

	number = strtoll(value, &end, 10);
	for (i = 0; i < ARRAY_LEN(parts); i++) {
		if (strlen(parts[i].name) != name_len ||
		    memcmp(parts[i].name, word, name_len) != 0)
			continue;
		if (*end != '\0' || number < parts[i].min ||
		    number > parts[i].max)
			return false;
		set_part(options, (enum part)i, number);
		return true;
	}
	return false;
}

int
mail_options_parse(
    struct stls_err *err, const char *text, struct mail_options *options)
{
	struct mail_options parsed = { 0 };
	size_t len;

	while (*text != '\0') {
		len = strcspn(text, " ");
		if (!parse_part(text, len, &parsed))
			return stls_err_set(err, EX_DATAERR,
			    "%.*s is nothing that a message can ask for",
			    (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	*options = parsed;
	return 0;
}

/* --- as arguments --- */

static void
say_notify(char text[32], unsigned int notify)
{
	snprintf(text, 32, "%s%s%s%s",
	    (notify & SMTPTLS_NOTIFY_NEVER) != 0 ? ",never" : "",
	    (notify & SMTPTLS_NOTIFY_SUCCESS) != 0 ? ",success" : "",
	    (notify & SMTPTLS_NOTIFY_FAILURE) != 0 ? ",failure" : "",
	    (notify & SMTPTLS_NOTIFY_DELAY) != 0 ? ",delay" : "");
	memmove(text, text + 1, strlen(text));
}

static void
say_hold(char text[24], const struct mail_options *options)
{
	struct tm tm;

	if (options->hold_for_s > 0)
		snprintf(text, 24, "%ds", options->hold_for_s);
	else if (gmtime_r(&options->hold_until, &tm) != NULL)
		strftime(text, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

size_t
mail_options_to_arguments(const struct mail_options *o,
    struct mail_options_words *words, const char **arguments)
{
	size_t count = 0;

	memset(words, 0, sizeof(*words));
	if (o->smtputf8)
		arguments[count++] = "--smtputf8";
	if (o->require_tls)
		arguments[count++] = "--require-tls";
	if (o->notify != 0) {
		say_notify(words->notify, o->notify);
		arguments[count++] = "-N";
		arguments[count++] = words->notify;
	}
	if (o->ret != SMTPTLS_RETURN_DEFAULT)
		arguments[count++] = o->ret == SMTPTLS_RETURN_FULL ? "-Rfull"
								   : "-Rhdrs";
	if (o->envid[0] != '\0') {
		memcpy(words->envid, o->envid, sizeof(words->envid));
		arguments[count++] = "-V";
		arguments[count++] = words->envid;
	}
	if (o->hold_for_s > 0 || o->hold_until > 0) {
		say_hold(words->hold, o);
		arguments[count++] = "--hold-until";
		arguments[count++] = words->hold;
	}
	if (o->has_priority) {
		snprintf(words->priority, sizeof(words->priority), "%d",
		    o->priority);
		arguments[count++] = "--priority";
		arguments[count++] = words->priority;
	}
	if (o->deliver_by_s > 0) {
		snprintf(words->deliver_by, sizeof(words->deliver_by), "%d%s",
		    o->deliver_by_s, o->deliver_by_return ? ",return" : "");
		arguments[count++] = "--deliver-by";
		arguments[count++] = words->deliver_by;
	}
	return count;
}
