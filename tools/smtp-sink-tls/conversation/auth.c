/* SPDX-License-Identifier: MIT */
#include "conversation/auth.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "conversation/auth-token.h"

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
check(const char *wanted_user, const struct stls_secret *wanted,
    const char *user, size_t user_len, const char *secret, size_t secret_len)
{
	bool user_ok, secret_ok;

	user_ok = is_same(wanted_user, strlen(wanted_user), user, user_len);
	secret_ok = is_same(wanted->data, wanted->len, secret, secret_len);
	/* Both were looked at, whatever came of the first. */
	return user_ok && secret_ok ? SINK_AUTH_DONE : SINK_AUTH_REFUSED;
}

static enum sink_auth_result
check_password(const struct sink_credentials *credentials, const char *user,
    size_t user_len, const char *password, size_t password_len)
{
	return check(credentials->user, &credentials->password, user, user_len,
	    password, password_len);
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
	return check_password(credentials, user, (size_t)(password - 1 - user),
	    password, (size_t)(end - password));
}

/* RFC 7628 section 3.2.2: a refusal is a challenge first. */
static enum sink_auth_result
check_token(struct sink_auth *auth, const struct sink_credentials *credentials,
    char *text, size_t len)
{
	bool is_bearer = auth->step == SINK_AUTH_OAUTHBEARER;
	struct sink_token token;
	enum sink_auth_result result;

	if (!(is_bearer ? sink_token_parse_oauthbearer
			: sink_token_parse_xoauth2)(text, len, &token))
		return SINK_AUTH_MALFORMED;
	result = check(credentials->user, &credentials->token, token.user,
	    token.user_len, token.token, token.token_len);
	if (result == SINK_AUTH_DONE)
		return result;
	auth->step = is_bearer ? SINK_AUTH_OAUTHBEARER_FAILED
			       : SINK_AUTH_XOAUTH2_FAILED;
	return SINK_AUTH_CHALLENGE;
}

static enum sink_auth_result
take(struct sink_auth *auth, const struct sink_credentials *credentials,
    char *text, size_t len)
{
	switch (auth->step) {
	case SINK_AUTH_LOGIN_USER:
		if (stls_secret_set(&auth->user, text, len) < 0)
			return SINK_AUTH_NOMEM;
		auth->step = SINK_AUTH_LOGIN_PASSWORD;
		return SINK_AUTH_CHALLENGE;
	case SINK_AUTH_LOGIN_PASSWORD:
		return check_password(
		    credentials, auth->user.data, auth->user.len, text, len);
	case SINK_AUTH_OAUTHBEARER:
	case SINK_AUTH_XOAUTH2:
		return check_token(auth, credentials, text, len);
	case SINK_AUTH_OAUTHBEARER_FAILED:
		return len == 1 && text[0] == '\x01' ? SINK_AUTH_REFUSED
						     : SINK_AUTH_MALFORMED;
	case SINK_AUTH_XOAUTH2_FAILED:
		return len == 0 ? SINK_AUTH_REFUSED : SINK_AUTH_MALFORMED;
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

const char *
sink_auth_offer(const struct sink_credentials *credentials)
{
	if (credentials->token.data == NULL)
		return "AUTH PLAIN LOGIN";
	if (credentials->password.data == NULL)
		return "AUTH OAUTHBEARER XOAUTH2";
	return "AUTH OAUTHBEARER XOAUTH2 PLAIN LOGIN";
}

/* Its first step, where it is offered. */
static bool
find_mechanism(const struct sink_credentials *credentials, const char *name,
    size_t len, enum sink_auth_step *out_step)
{
	static const struct {
		const char *name;
		enum sink_auth_step step;
		bool is_for_token;
	} mechanisms[] = {
		{ "PLAIN", SINK_AUTH_PLAIN, false },
		{ "LOGIN", SINK_AUTH_LOGIN_USER, false },
		{ "OAUTHBEARER", SINK_AUTH_OAUTHBEARER, true },
		{ "XOAUTH2", SINK_AUTH_XOAUTH2, true },
	};
	const struct stls_secret *secret;
	size_t i;

	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (strlen(mechanisms[i].name) != len ||
		    strncasecmp(mechanisms[i].name, name, len) != 0)
			continue;
		secret = mechanisms[i].is_for_token ? &credentials->token
						    : &credentials->password;
		*out_step = mechanisms[i].step;
		return secret->data != NULL;
	}
	return false;
}

enum sink_auth_result
sink_auth_begin(struct sink_auth *auth,
    const struct sink_credentials *credentials, const char *args, size_t len)
{
	const char *blank = memchr(args, ' ', len);
	size_t name_len = blank != NULL ? (size_t)(blank - args) : len;
	char empty[1] = "";

	memset(auth, 0, sizeof(*auth));
	if (!find_mechanism(credentials, args, name_len, &auth->step))
		return SINK_AUTH_UNKNOWN;
	if (blank == NULL)
		return SINK_AUTH_CHALLENGE;
	args += name_len + 1;
	len -= name_len + 1;
	/* RFC 4954 section 4: "=" is an empty initial response. */
	if (len == 1 && args[0] == '=')
		return take(auth, credentials, empty, 0);
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
	case SINK_AUTH_OAUTHBEARER_FAILED:
		/* {"status":"invalid_token"} */
		return "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=";
	case SINK_AUTH_XOAUTH2_FAILED:
		/* {"status":"401","schemes":"bearer"} */
		return "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=";
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
