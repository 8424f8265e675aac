/* SPDX-License-Identifier: MIT */
#include "conversation/auth-token.h"

#include <string.h>
#include <strings.h>

#define KVSEP '\x01'

/* What is left of a response. */
struct rest {
	char *text;
	size_t len;
};

static bool
skip(struct rest *rest, const char *word)
{
	size_t len = strlen(word);

	if (rest->len < len || strncasecmp(rest->text, word, len) != 0)
		return false;
	rest->text += len;
	rest->len -= len;
	return true;
}

/* Everything up to a separator, and that too. */
static bool
take_until(struct rest *rest, char separator, struct rest *out)
{
	char *end = memchr(rest->text, separator, rest->len);

	if (end == NULL)
		return false;
	out->text = rest->text;
	out->len = (size_t)(end - rest->text);
	rest->text = end + 1;
	rest->len -= out->len + 1;
	return true;
}

/* RFC 5801 section 4: =2C and =3D. */
static bool
unescape(struct rest *name)
{
	struct rest in = *name;
	char *out = name->text;

	while (in.len > 0) {
		if (skip(&in, "=2C")) {
			*out++ = ',';
		} else if (skip(&in, "=3D")) {
			*out++ = '=';
		} else if (in.text[0] == '=') {
			return false;
		} else {
			*out++ = *in.text++;
			in.len--;
		}
	}
	name->len = (size_t)(out - name->text);
	return true;
}

/* Pairs of key and value up to an empty one, which is the end. */
static bool
find_token(struct rest rest, struct sink_token *out)
{
	struct rest pair = { NULL, 0 };
	bool has_token = false;

	while (take_until(&rest, KVSEP, &pair) && pair.len > 0) {
		if (!skip(&pair, "auth="))
			continue;
		if (has_token || !skip(&pair, "Bearer "))
			return false;
		has_token = true;
		out->token = pair.text;
		out->token_len = pair.len;
	}
	return has_token && rest.len == 0 && pair.len == 0;
}

bool
sink_token_parse_oauthbearer(
    char *text, size_t len, struct sink_token *out_token)
{
	struct rest rest = { text, len }, user, nothing;

	if (!skip(&rest, "n,a=") || !take_until(&rest, ',', &user) ||
	    !unescape(&user) || !take_until(&rest, KVSEP, &nothing) ||
	    nothing.len > 0)
		return false;
	out_token->user = user.text;
	out_token->user_len = user.len;
	return find_token(rest, out_token);
}

bool
sink_token_parse_xoauth2(char *text, size_t len, struct sink_token *out_token)
{
	struct rest rest = { text, len }, user;

	if (!skip(&rest, "user=") || !take_until(&rest, KVSEP, &user))
		return false;
	out_token->user = user.text;
	out_token->user_len = user.len;
	return find_token(rest, out_token);
}
