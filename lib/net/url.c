/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/cleanup.h"

#define PORT_DIGITS_MAX 5

static const struct scheme {
	const char *name;
	bool implicit_tls;
	bool lmtp;
	uint16_t default_port; /* 0: there is none */
} schemes[] = {
	{ "smtps", true, false, 465 }, /* RFC 8314 section 3.3 */
	{ "smtp", false, false, 587 }, /* RFC 6409 section 3.1 */
	{ "lmtp", false, true, 0 },    /* RFC 2033 section 5 */
};

static const struct scheme *
find_scheme(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (stls_ascii_is(text, len, schemes[i].name))
			return &schemes[i];
	}
	return NULL;
}

/*
 * Refuse whatever does not belong into a URL of ours, `@` before all else:
 * from then on no sentence can show a password.
 */
static int
check_characters(struct stls_err *err, const char *text)
{
	static const struct {
		char c;
		const char *name;
	} foreign[] = {
		{ '%', "percent escape" },
		{ '?', "query" },
		{ '#', "fragment" },
		{ '\\', "backslash" },
	};
	const char *c;
	size_t i;

	if (strchr(text, '@') != NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the URL has a user name or password in it");
	if (text[0] == '\0')
		return stls_err_set(err, SMTPTLS_E_INVALID, "the URL is empty");
	for (c = text; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "the URL has a blank or control character in it");
	}
	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (strchr(text, foreign[i].c) != NULL)
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "the URL has a %s in it", foreign[i].name);
	}
	return SMTPTLS_OK;
}

/* Find the scheme and what follows it. */
static int
split_scheme(struct stls_err *err, const char *text,
    const struct scheme **out_scheme, const char **out_rest)
{
	const char *mark = strstr(text, "://"), *colon = strchr(text, ':');
	size_t len;

	/* A bare host (RFC 8314 section 3.3). */
	*out_scheme = &schemes[0];
	*out_rest = text;
	if (mark != NULL) {
		len = (size_t)(mark - text);
		*out_scheme = find_scheme(text, len);
		*out_rest = mark + 3;
		if (*out_scheme != NULL)
			return SMTPTLS_OK;
		if (len == 0 ||
		    strspn(text,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789+-.") != len)
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "the URL has no scheme in front of ://");
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the URL has scheme %.*s, not smtps, smtp or lmtp",
		    (int)len, text);
	}
	/* "smtp:host" might mean a host named smtp, but nobody means that. */
	if (colon != NULL && find_scheme(text, (size_t)(colon - text)) != NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the URL has no // behind %.*s:", (int)(colon - text),
		    text);
	return SMTPTLS_OK;
}

/*
 * Only digits are shown: "user:secret" without a host reads like a port.
 * A leading zero is refused because some would read it as octal.
 */
static int
parse_port(struct stls_err *err, const char *what, const char *text, size_t len,
    uint16_t *out_port)
{
	uint32_t port = 0;
	size_t i;

	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		port = i < PORT_DIGITS_MAX
		    ? port * 10 + (uint32_t)(text[i] - '0')
		    : UINT32_MAX;
	if (i < len || len == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the port of %s is no number", what);
	if (text[0] == '0' || len > PORT_DIGITS_MAX || port > UINT16_MAX)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "port %.*s of %s is not in 1 to 65535", (int)len, text,
		    what);
	*out_port = (uint16_t)port;
	return SMTPTLS_OK;
}

/*
 * Find the host of `[ipv6]`, `[ipv6]:port`, `host` or `host:port`. Returns its
 * length, and 0 with err set where there is none.
 */
static size_t
find_host(struct stls_err *err, const char *what, const char *text, size_t len,
    const char **out_host)
{
	const char *colon, *end;

	if (len > 0 && text[0] == '[') {
		end = memchr(text, ']', len);
		colon = memchr(text, ':', len);
		if (end == NULL || colon == NULL || colon > end) {
			stls_err_set(err, SMTPTLS_E_INVALID,
			    "%s has no IPv6 address in brackets", what);
			return 0;
		}
		*out_host = text + 1;
		return (size_t)(end - text - 1);
	}
	colon = memchr(text, ':', len);
	end = colon != NULL ? colon : text + len;
	if (end == text)
		stls_err_set(err, SMTPTLS_E_INVALID, "%s has no host", what);
	*out_host = text;
	return (size_t)(end - text);
}

/* `host`, `host:port` or `[ipv6]:port`; *out_port is 0 where it has none. */
static int
parse_authority(struct stls_err *err, const char *what, const char *text,
    size_t len, struct stls_host *out_host, uint16_t *out_port)
{
	const char *host, *rest, *end = text + len;
	size_t host_len;
	int r;

	host_len = find_host(err, what, text, len, &host);
	if (host_len == 0)
		return err->code;
	rest = host + host_len + (host > text ? 1 : 0);
	if (rest < end && *rest != ':')
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s has something behind ] that is no port", what);
	if (rest < end && memchr(rest + 1, ':', (size_t)(end - rest - 1)))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s has too many colons: an IPv6 address needs brackets",
		    what);
	r = stls_host_parse(err, host, host_len, out_host);
	if (r < 0)
		return r;
	*out_port = 0;
	if (rest == end)
		return SMTPTLS_OK;
	return parse_port(
	    err, what, rest + 1, (size_t)(end - rest - 1), out_port);
}

static int
parse_unix(struct stls_err *err, const char *path, struct stls_place *out_place)
{
	const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	char *copy;

	if (path[0] != '/')
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "path \"%s\" of a unix socket is not absolute", path);
	if (strlen(path) > max)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "path of a unix socket has %zu bytes, at most %zu are "
		    "possible",
		    strlen(path), max);
	copy = stls_strdup(path);
	if (copy == NULL)
		return stls_err_nomem(err);
	memset(out_place, 0, sizeof(*out_place));
	out_place->unix_path = copy;
	return SMTPTLS_OK;
}

int
stls_url_parse(struct stls_err *err, const char *text, struct stls_url *out_url)
{
	const struct scheme *scheme;
	struct stls_url url = { 0 };
	const char *rest, *slash;
	size_t len;
	int r;

	r = check_characters(err, text);
	if (r < 0)
		return r;
	r = split_scheme(err, text, &scheme, &rest);
	if (r < 0)
		return r;

	len = strlen(rest);
	slash = strchr(rest, '/');
	if (slash != NULL && slash[1] != '\0')
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "the URL has a path in it");
	if (slash != NULL)
		len--;
	r = parse_authority(err, "the URL", rest, len, &url.host, &url.port);
	if (r < 0)
		return r;
	if (url.port == 0)
		url.port = scheme->default_port;
	if (url.port == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the URL needs a port: %s://%.*s:port", scheme->name,
		    (int)len, rest);

	url.implicit_tls = scheme->implicit_tls;
	url.lmtp = scheme->lmtp;
	*out_url = url;
	return SMTPTLS_OK;
}

static int
set_address(struct stls_err *err, struct stls_place *place,
    const struct stls_host *host, uint16_t port)
{
	place->addresses = stls_alloc(sizeof(*place->addresses));
	if (place->addresses == NULL)
		return stls_err_nomem(err);
	stls_endpoint_of(host, port, place->addresses);
	place->address_count = 1;
	return SMTPTLS_OK;
}

static int
set_host(struct stls_err *err, struct stls_place *place,
    const struct stls_host *host, uint16_t port)
{
	place->host = stls_alloc(sizeof(*place->host));
	if (place->host == NULL)
		return stls_err_nomem(err);
	*place->host = *host;
	place->port = port;
	return SMTPTLS_OK;
}

int
stls_place_parse(
    struct stls_err *err, const char *text, struct stls_place *out_place)
{
	const char *what = "the place to connect to";
	struct stls_place place = { 0 };
	struct stls_host host;
	uint16_t port = 0;
	int r;

	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(err, text + 5, out_place);
	if (strchr(text, '@') != NULL)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s has a user name or password in it", what);
	r = parse_authority(err, what, text, strlen(text), &host, &port);
	if (r < 0)
		return r;
	if (port == 0)
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s has no port: %s", what, text);
	r = host.is_ip ? set_address(err, &place, &host, port)
		       : set_host(err, &place, &host, port);
	if (r < 0)
		return r;
	*out_place = place;
	return SMTPTLS_OK;
}

int
stls_place_add_address(
    struct stls_err *err, struct stls_place *place, const char *text)
{
	CLEANUP(stls_place_done) struct stls_place parsed = { 0 };
	struct stls_endpoint *grown;
	int r;

	r = stls_place_parse(err, text, &parsed);
	if (r < 0)
		return r;
	if (parsed.address_count == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "\"%s\" is no IP address with a port", text);
	if (place->address_count == STLS_ENDPOINTS_MAX)
		return stls_err_set(err, SMTPTLS_E_LIMIT,
		    "there are more than %d addresses to connect to",
		    STLS_ENDPOINTS_MAX);
	grown = stls_realloc(
	    place->addresses, (place->address_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return stls_err_nomem(err);
	grown[place->address_count++] = parsed.addresses[0];
	place->addresses = grown;
	return SMTPTLS_OK;
}

void
stls_place_done(struct stls_place *place)
{
	free(place->addresses);
	free(place->unix_path);
	free(place->host);
	memset(place, 0, sizeof(*place));
}
