/* SPDX-License-Identifier: MIT */
/* What a message asks by extensions: checked here, written by the engine. */
#include "message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "smtp/demands.h"
#include "smtp/xtext.h"

/* 9999-12-31T23:59:59Z: RFC 3339 has four digits for a year. */
#define LAST_SECOND INT64_C(253402300799)

_Static_assert(SMTPTLS_NOTIFY_NEVER == STLS_NOTIFY_NEVER &&
	SMTPTLS_NOTIFY_SUCCESS == STLS_NOTIFY_SUCCESS &&
	SMTPTLS_NOTIFY_FAILURE == STLS_NOTIFY_FAILURE &&
	SMTPTLS_NOTIFY_DELAY == STLS_NOTIFY_DELAY,
    "the numbers of the interface are those of the engine");

/*
 * In front of every setter here: the demands of a message that has none yet
 * are made. What goes wrong spoils the message, as everywhere.
 */
static int
begin(struct smtptls_message *message, struct stls_demands **out_demands)
{
	int r;

	r = stls_message_check_open(message);
	if (r < 0)
		return r;
	if (message->txn.demands == NULL)
		message->txn.demands = stls_alloc_zero(
		    sizeof(*message->txn.demands));
	if (message->txn.demands == NULL) {
		stls_err_nomem(&message->err);
		stls_message_spoil(message);
		return SMTPTLS_E_NOMEM;
	}
	*out_demands = message->txn.demands;
	return SMTPTLS_OK;
}

/* NEVER does not go with the rest (RFC 3461 section 4.1). */
static int
check_notify(struct smtptls_message *message, unsigned int notify)
{
	const unsigned int rest = SMTPTLS_NOTIFY_SUCCESS |
	    SMTPTLS_NOTIFY_FAILURE | SMTPTLS_NOTIFY_DELAY;

	if ((notify & ~(rest | SMTPTLS_NOTIFY_NEVER)) != 0)
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "no set of notifications has the number %u", notify);
	else if ((notify & SMTPTLS_NOTIFY_NEVER) != 0 && (notify & rest) != 0)
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "to be notified never goes with no other notification");
	else
		return SMTPTLS_OK;
	return stls_message_spoil(message);
}

int
smtptls_message_set_notify(struct smtptls_message *message, unsigned int notify)
{
	struct stls_demands *demands = NULL;
	int r;

	r = begin(message, &demands);
	if (r == SMTPTLS_OK)
		r = check_notify(message, notify);
	if (r == SMTPTLS_OK)
		demands->notify = notify;
	return r;
}

/* The demands of one recipient, which has to be there. */
static int
begin_rcpt(struct smtptls_message *message, size_t index,
    struct stls_rcpt_demands **out_rcpt)
{
	struct stls_rcpt_demands *rcpts;
	struct stls_demands *demands = NULL;
	size_t count;
	int r;

	r = begin(message, &demands);
	if (r < 0)
		return r;
	count = message->txn.count;
	if (index >= count) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "there is no recipient %zu, only %zu", index, count);
		stls_message_spoil(message);
		return SMTPTLS_E_INVALID;
	}
	if (index >= demands->rcpt_count) {
		rcpts = stls_realloc(demands->rcpts, count * sizeof(*rcpts));
		if (rcpts == NULL) {
			stls_err_nomem(&message->err);
			stls_message_spoil(message);
			return SMTPTLS_E_NOMEM;
		}
		memset(rcpts + demands->rcpt_count, 0,
		    (count - demands->rcpt_count) * sizeof(*rcpts));
		demands->rcpts = rcpts;
		demands->rcpt_count = count;
	}
	*out_rcpt = &demands->rcpts[index];
	return SMTPTLS_OK;
}

int
smtptls_message_set_recipient_notify(
    struct smtptls_message *message, size_t index, unsigned int notify)
{
	struct stls_rcpt_demands *rcpt;
	int r;

	r = begin_rcpt(message, index, &rcpt);
	if (r == SMTPTLS_OK)
		r = check_notify(message, notify);
	if (r == SMTPTLS_OK)
		rcpt->notify = notify;
	return r;
}

/* An atom of RFC 3464 section 2.1.2: "rfc822", "utf-8". */
static bool
is_address_type(const char *type)
{
	const char *p;

	for (p = type; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' ||
		    strchr("()<>@,;:\\\"/[]?=+", *p) != NULL)
			return false;
	}
	return p > type;
}

/*
 * Write `type;address`; without a type it is that of the address. An address
 * that is not ASCII goes without SMTPUTF8 in this form (RFC 6533 section 3).
 */
static int
format_original(
    char out[STLS_ORCPT_LEN_MAX + 1], const char *type, const char *address)
{
	size_t cap = STLS_ORCPT_LEN_MAX + 1, len;
	bool is_utf8;

	if (type == NULL)
		type = stls_xtext_encode(out, cap, address) >= 0 ? "rfc822"
								 : "utf-8";
	len = strlen(type);
	if (!is_address_type(type) || len + 1 >= cap)
		return -1;
	memcpy(out, type, len);
	out[len++] = ';';
	is_utf8 = len == sizeof("utf-8;") - 1 && memcmp(out, "utf-8", 5) == 0;
	return is_utf8 ? stls_xtext_encode_utf8(out + len, cap - len, address)
		       : stls_xtext_encode(out + len, cap - len, address);
}

int
smtptls_message_set_recipient_original(struct smtptls_message *message,
    size_t index, const char *type, const char *address)
{
	char text[STLS_ORCPT_LEN_MAX + 1], *copy = NULL;
	struct stls_rcpt_demands *rcpt;
	int r;

	r = begin_rcpt(message, index, &rcpt);
	if (r < 0)
		return r;
	if (address != NULL && format_original(text, type, address) <= 0) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "an original recipient has a type and 500 printable "
		    "characters at most, and this has not: \"%s\"",
		    address);
		return stls_message_spoil(message);
	}
	if (address != NULL) {
		copy = stls_strdup(text);
		if (copy == NULL) {
			stls_err_nomem(&message->err);
			return stls_message_spoil(message);
		}
	}
	free(rcpt->orcpt);
	rcpt->orcpt = copy;
	return SMTPTLS_OK;
}

int
smtptls_message_set_return(
    struct smtptls_message *message, enum smtptls_return what)
{
	static const char *const words[] = {
		[SMTPTLS_RETURN_DEFAULT] = NULL,
		[SMTPTLS_RETURN_FULL] = "FULL",
		[SMTPTLS_RETURN_HEADERS] = "HDRS",
	};
	struct stls_demands *demands = NULL;
	int r;

	r = begin(message, &demands);
	if (r < 0)
		return r;
	if ((unsigned int)what >= sizeof(words) / sizeof(words[0])) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "nothing to return has the number %d", (int)what);
		return stls_message_spoil(message);
	}
	demands->ret = words[what];
	return SMTPTLS_OK;
}

int
smtptls_message_set_envelope_id(struct smtptls_message *message, const char *id)
{
	char xtext[STLS_ENVID_LEN_MAX + 1];
	struct stls_demands *demands = NULL;
	int r;

	r = begin(message, &demands);
	if (r < 0)
		return r;
	if (id == NULL)
		id = "";
	if (stls_xtext_encode(xtext, sizeof(xtext), id) < 0) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "an envelope identifier is printable ASCII and has 100 "
		    "characters at most, of which each blank, + and = is "
		    "three: \"%s\"",
		    id);
		return stls_message_spoil(message);
	}
	memcpy(demands->envid, xtext, sizeof(xtext));
	return SMTPTLS_OK;
}

int
smtptls_message_set_require_tls(struct smtptls_message *message, int on)
{
	struct stls_demands *demands = NULL;
	int r;

	r = begin(message, &demands);
	if (r == SMTPTLS_OK)
		demands->require_tls = on != 0;
	return r;
}

int
smtptls_message_require_tls(const struct smtptls_message *message)
{
	return message != NULL && message->txn.demands != NULL &&
	    message->txn.demands->require_tls;
}

int
smtptls_message_set_hold_for_s(struct smtptls_message *message, int seconds)
{
	struct stls_demands *demands = NULL;
	int r;

	r = begin(message, &demands);
	if (r < 0)
		return r;
	if (seconds < 0 || seconds > STLS_INTERVAL_MAX_S) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "a message is held from 1 to %d seconds, not %d",
		    STLS_INTERVAL_MAX_S, seconds);
		return stls_message_spoil(message);
	}
	demands->hold_for_s = (uint32_t)seconds;
	demands->hold_until[0] = '\0';
	return SMTPTLS_OK;
}

int
smtptls_message_set_hold_until(struct smtptls_message *message, int64_t when)
{
	time_t seconds = (time_t)when;
	struct stls_demands *demands = NULL;
	struct tm tm;
	int r;

	r = begin(message, &demands);
	if (r < 0)
		return r;
	if (when < 0 || when > LAST_SECOND || (int64_t)seconds != when ||
	    gmtime_r(&seconds, &tm) == NULL) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "no point in time between 1970 and 9999: %" PRId64, when);
		return stls_message_spoil(message);
	}
	demands->hold_for_s = 0;
	demands->hold_until[0] = '\0';
	if (when > 0)
		strftime(demands->hold_until, sizeof(demands->hold_until),
		    "%Y-%m-%dT%H:%M:%SZ", &tm);
	return SMTPTLS_OK;
}

int
smtptls_message_set_priority(struct smtptls_message *message, int priority)
{
	struct stls_demands *demands = NULL;
	int r;

	r = begin(message, &demands);
	if (r < 0)
		return r;
	if (priority < -STLS_PRIORITY_MAX || priority > STLS_PRIORITY_MAX) {
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "a priority is a number from -9 to 9, not %d", priority);
		return stls_message_spoil(message);
	}
	demands->has_priority = true;
	demands->priority = priority;
	return SMTPTLS_OK;
}

int
smtptls_message_set_deliver_by_s(struct smtptls_message *message, int seconds,
    enum smtptls_deliver_by mode, int trace)
{
	struct stls_demands *demands = NULL;
	int r;

	r = begin(message, &demands);
	if (r < 0)
		return r;
	if (mode != SMTPTLS_DELIVER_BY_NONE &&
	    mode != SMTPTLS_DELIVER_BY_NOTIFY &&
	    mode != SMTPTLS_DELIVER_BY_RETURN)
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "no way to deliver by a time has the number %d", (int)mode);
	else if (seconds > STLS_INTERVAL_MAX_S ||
	    seconds <
		(mode == SMTPTLS_DELIVER_BY_RETURN ? 1 : -STLS_INTERVAL_MAX_S))
		stls_err_set(&message->err, SMTPTLS_E_INVALID,
		    "a message cannot be delivered in %d seconds", seconds);
	else {
		demands->has_deliver_by = mode != SMTPTLS_DELIVER_BY_NONE;
		demands->deliver_by_s = seconds;
		demands->deliver_by_return = mode == SMTPTLS_DELIVER_BY_RETURN;
		demands->deliver_by_trace = trace != 0;
		return SMTPTLS_OK;
	}
	return stls_message_spoil(message);
}
