/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"

/* The time it takes tells the length of what was sent, and nothing else. */
static bool
is_same(const char *wanted, size_t wanted_len, const char *got, size_t got_len)
{
	size_t diff = wanted_len ^ got_len, i;

	for (i = 0; i < got_len; i++)
		diff |= (size_t)(unsigned char)(got[i] ^
		    wanted[i < wanted_len ? i : wanted_len]);
	return diff == 0;
}

static enum sink_auth_result
check(const struct sink_credentials *credentials, const char *user,
    size_t user_len, const char *password, size_t password_len)
{
	bool user_ok, password_ok;

	user_ok = is_same(
	    credentials->user, strlen(credentials->user), user, user_len);
	password_ok = is_same(credentials->password.data,
	    credentials->password.len, password, password_len);
	/* Both were looked at, whatever came of the first. */
	return user_ok && password_ok ? SINK_AUTH_DONE : SINK_AUTH_REFUSED;
}

/* RFC 4616: authzid NUL authcid NUL passwd. */
static enum sink_auth_result
check_plain(
    const struct sink_credentials *credentials, const char *text, size_t len)
{
	const char *end = text + len, *user, *password;

	user = memchr(text, '\0', len);
	if (user == NULL)
		return SINK_AUTH_MALFORMED;
	user++;
	password = memchr(user, '\0', (size_t)(end - user));
	if (password == NULL)
		return SINK_AUTH_MALFORMED;
	password++;
	if (memchr(password, '\0', (size_t)(end - password)) != NULL)
		return SINK_AUTH_MALFORMED;
	/* Nobody may act as somebody else here. */
	if (user - 1 != text &&
	    ((user - 1) - text != (password - 1) - user ||
		memcmp(text, user, (size_t)(user - 1 - text)) != 0))
		return SINK_AUTH_REFUSED;
	return check(credentials, user, (size_t)(password - 1 - user), password,
	    (size_t)(end - password));
}

static enum sink_auth_result
take(struct sink_auth *auth, const struct sink_credentials *credentials,
    const char *text, size_t len)
{
	switch (auth->step) {
	case SINK_AUTH_LOGIN_USER:
		if (stls_secret_set(&auth->user, text, len) < 0)
			return SINK_AUTH_NOMEM;
		auth->step = SINK_AUTH_LOGIN_PASSWORD;
		return SINK_AUTH_CHALLENGE;
	case SINK_AUTH_LOGIN_PASSWORD:
		return check(
		    credentials, auth->user.data, auth->user.len, text, len);
	case SINK_AUTH_PLAIN:
	default:
		return check_plain(credentials, text, len);
	}
}

static enum sink_auth_result
decode_and_take(struct sink_auth *auth,
    const struct sink_credentials *credentials, const char *line, size_t len)
{
	CLEANUP(stls_secret_done) struct stls_secret text = { NULL, 0 };
	size_t text_len;

	text.data = stls_alloc_zero(len + 1);
	if (text.data == NULL)
		return SINK_AUTH_NOMEM;
	text.len = len;
	if (stls_base64_decode(text.data, line, len, &text_len) < 0)
		return SINK_AUTH_MALFORMED;
	return take(auth, credentials, text.data, text_len);
}

enum sink_auth_result
sink_auth_begin(struct sink_auth *auth,
    const struct sink_credentials *credentials, const char *args, size_t len)
{
	const char *blank = memchr(args, ' ', len);
	size_t name_len = blank != NULL ? (size_t)(blank - args) : len;

	memset(auth, 0, sizeof(*auth));
	if (name_len == 5 && strncasecmp(args, "PLAIN", 5) == 0)
		auth->step = SINK_AUTH_PLAIN;
	else if (name_len == 5 && strncasecmp(args, "LOGIN", 5) == 0)
		auth->step = SINK_AUTH_LOGIN_USER;
	else
		return SINK_AUTH_UNKNOWN;
	if (blank == NULL)
		return SINK_AUTH_CHALLENGE;
	args += name_len + 1;
	len -= name_len + 1;
	/* RFC 4954 section 4: "=" is an empty initial response. */
	if (len == 1 && args[0] == '=')
		return take(auth, credentials, "", 0);
	if (len == 0)
		return SINK_AUTH_MALFORMED;
	return decode_and_take(auth, credentials, args, len);
}

enum sink_auth_result
sink_auth_continue(struct sink_auth *auth,
    const struct sink_credentials *credentials, const char *line, size_t len)
{
	if (len == 1 && line[0] == '*')
		return SINK_AUTH_CANCELLED;
	return decode_and_take(auth, credentials, line, len);
}

const char *
sink_auth_challenge(const struct sink_auth *auth)
{
	switch (auth->step) {
	case SINK_AUTH_LOGIN_USER:
		return "VXNlcm5hbWU6"; /* Username: */
	case SINK_AUTH_LOGIN_PASSWORD:
		return "UGFzc3dvcmQ6"; /* Password: */
	case SINK_AUTH_PLAIN:
	default:
		return "";
	}
}

void
sink_auth_done(struct sink_auth *auth)
{
	stls_secret_done(&auth->user);
	memset(auth, 0, sizeof(*auth));
}
