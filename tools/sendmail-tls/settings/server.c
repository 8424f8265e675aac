/* SPDX-License-Identifier: MIT */
#include "settings/server.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include <smtptls/context.h>

#include "base/cleanup.h"
#include "crypto/pin.h"
#include "mail/address.h"
#include "net/url.h"
#include "settings/settings.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * What the library would refuse later is refused where it is said, so that a
 * mistake in a file is told with its line, in whatever account it is.
 */
static int
keep_if(struct stls_err *err, void *target, const struct option_use *use, int r)
{
	const char **field = (void *)((char *)target + use->spec->field);

	if (r < 0) {
		stls_err_prefix(err, "%s", use->shown);
		return err->code = r == SMTPTLS_E_NOMEM ? EX_OSERR : EX_USAGE;
	}
	*field = use->value;
	return 0;
}

int
settings_set_url(
    struct stls_err *err, void *target, const struct option_use *use)
{
	struct stls_url url;

	return keep_if(err, target, use, stls_url_parse(err, use->value, &url));
}

int
settings_set_connect_to(
    struct stls_err *err, void *target, const struct option_use *use)
{
	CLEANUP(stls_place_done) struct stls_place place = { 0 };

	return keep_if(
	    err, target, use, stls_place_parse(err, use->value, &place));
}

static int
parse_literal(struct stls_err *err, const char *text)
{
	CLEANUP(stls_address_done) struct stls_address address = { 0 };
	int r;

	r = stls_address_make(err, "x", 1, text, strlen(text), &address);
	if (r == 0 || r == SMTPTLS_E_NOMEM)
		return r;
	return stls_err_set(err, r, "%s is no address in brackets", text);
}

static int
parse_domain(struct stls_err *err, const char *text)
{
	struct stls_host host;
	int r;

	if (text[0] == '[')
		return parse_literal(err, text);
	r = stls_host_parse(err, text, strlen(text), &host);
	if (r == 0 && host.is_ip)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "an address is written in brackets, [192.0.2.1] or "
		    "[IPv6:2001:db8::1], not %s",
		    text);
	return r;
}

int
settings_set_domain(
    struct stls_err *err, void *target, const struct option_use *use)
{
	return keep_if(err, target, use, parse_domain(err, use->value));
}

static void
free_context(struct smtptls_context **context)
{
	smtptls_context_free(*context);
}

int
settings_set_ciphers(
    struct stls_err *err, void *target, const struct option_use *use)
{
	CLEANUP(free_context) struct smtptls_context *context = NULL;
	int r;

	r = smtptls_context_new(SMTPTLS_SERVER_AUTH, &context);
	if (r == 0)
		r = smtptls_context_set_ciphers(context, use->value);
	if (r < 0)
		stls_err_set(err, r, "%s", smtptls_context_error(context));
	return keep_if(err, target, use, r);
}

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

static int
add_pin(struct stls_err *err, struct settings *settings,
    const struct option_use *use, const char *text)
{
	unsigned char pin[STLS_PIN_LEN];

	if (stls_pin_parse(err, text, pin) < 0)
		return stls_err_prefix(err, "%s", use->shown),
		       err->code = EX_USAGE;
	if (settings->pins.count == SETTINGS_PINS_MAX)
		return stls_err_set(err, EX_USAGE,
		    "%s: a server has %d pins at most", use->shown,
		    SETTINGS_PINS_MAX);
	stls_pin_format(settings->pins.text[settings->pins.count++], pin);
	return 0;
}

/*
 * One pin or more. They are checked where they are said, so that a mistake is
 * told with its line; and nothing is no pin, as without any each key will do.
 */
int
settings_set_pin(
    struct stls_err *err, void *target, const struct option_use *use)
{
	static const char blanks[] = " \t";
	struct settings *settings = target;
	const char *p = use->value + strspn(use->value, blanks);
	char word[2 * STLS_PIN_TEXT_LEN];
	size_t len;
	int r;

	if (settings->pins.layer != settings->layer)
		settings->pins.count = 0;
	settings->pins.layer = settings->layer;
	do {
		len = strcspn(p, blanks);
		snprintf(word, sizeof(word), "%.*s", (int)len, p);
		r = add_pin(err, settings, use, word);
		p += len;
		p += strspn(p, blanks);
	} while (r == 0 && *p != '\0');
	return r;
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
	static const char *const known[] = { "PLAIN", "LOGIN", "EXTERNAL",
		"OAUTHBEARER", "XOAUTH2" };
	struct settings *settings = target;
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(use->value, known[i]) == 0) {
			settings->auth = known[i];
			return 0;
		}
	}
	return stls_err_set(err, EX_USAGE,
	    "%s is PLAIN, LOGIN, EXTERNAL, OAUTHBEARER or XOAUTH2 in this "
	    "version, not %s",
	    use->shown, use->value);
}
