/* SPDX-License-Identifier: MIT */
#include "sasl/sasl.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "sasl/mechanisms.h"

/* What each proof is called, and the mechanisms that stand on it. */
static const struct {
	const char *need, *with;
} proofs[] = {
	[STLS_SASL_PASSWORD] = { "a user name and a password",
	    "a password (PLAIN, LOGIN)" },
	[STLS_SASL_TOKEN] = { "a user name and a token",
	    "a token (OAUTHBEARER, XOAUTH2)" },
	[STLS_SASL_CERTIFICATE] = { "a certificate",
	    "a certificate (EXTERNAL)" },
};

/* From strong to weak: the first that is offered and allowed is used. */
static const struct stls_sasl_mechanism *const mechanisms[] = {
	&stls_sasl_external,
	&stls_sasl_oauthbearer,
	&stls_sasl_xoauth2,
	&stls_sasl_plain,
	&stls_sasl_login,
};

#define MECHANISM_COUNT (sizeof(mechanisms) / sizeof(mechanisms[0]))

static const struct stls_sasl_mechanism *
find(const char *name)
{
	size_t i;

	for (i = 0; i < MECHANISM_COUNT; i++) {
		if (stls_ascii_is(name, strlen(name), mechanisms[i]->name))
			return mechanisms[i];
	}
	return NULL;
}

static bool
is_offered(const char *offered, const char *name)
{
	size_t len;

	for (;;) {
		offered += strspn(offered, " ");
		len = strcspn(offered, " ");
		if (len == 0)
			return false;
		if (stls_ascii_is(offered, len, name))
			return true;
		offered += len;
	}
}

static bool
is_empty_list(const char *offered)
{
	return offered[strspn(offered, " ")] == '\0';
}

static bool
is_there(const struct stls_secret *secret)
{
	return secret != NULL && secret->len > 0;
}

/*
 * RFC 4616 has no empty user name and no empty password. Who has a token has no
 * password beside it that a server could ask for instead.
 */
static bool
has_proof(
    const struct stls_sasl_credentials *credentials, enum stls_sasl_proof proof)
{
	bool has_token = is_there(credentials->token);

	if (proof == STLS_SASL_CERTIFICATE)
		return credentials->external;
	if (credentials->user == NULL || credentials->user[0] == '\0')
		return false;
	if (proof == STLS_SASL_TOKEN)
		return has_token;
	return !has_token && is_there(credentials->password);
}

static bool
is_allowed(const struct stls_sasl_mechanism *mechanism,
    const struct stls_sasl_credentials *credentials)
{
	return has_proof(credentials, mechanism->proof);
}

/* What the server offers, cut so that the rest of the sentence has place. */
static void
show_offered(char *out, size_t cap, const char *offered)
{
	size_t len, used;

	offered += strspn(offered, " ");
	len = strlen(offered);
	while (len > 0 && offered[len - 1] == ' ')
		len--;
	used = stls_escape(out, cap - 3, offered, len);
	if (is_empty_list(offered))
		snprintf(out, cap, "no authentication");
	else if (used < len)
		memcpy(out + used, "...", 4);
}

static int
refuse_all(struct stls_err *err,
    const struct stls_sasl_credentials *credentials, const char *offered)
{
	enum stls_sasl_proof secret = is_there(credentials->token)
	    ? STLS_SASL_TOKEN
	    : STLS_SASL_PASSWORD;
	bool has_secret = has_proof(credentials, secret);
	char shown[256];

	if (!has_secret && !credentials->external)
		return stls_err_set(err, SMTPTLS_E_AUTH,
		    "there is neither a user name with a password or token "
		    "nor a certificate to authenticate with");
	show_offered(shown, sizeof(shown), offered);
	return stls_err_set(err, SMTPTLS_E_AUTH,
	    "the server offers %s%s can be used with %s%s%s", shown,
	    is_empty_list(offered) ? " that" : ", none of which",
	    has_secret ? proofs[secret].with : "",
	    has_secret && credentials->external ? " or " : "",
	    credentials->external ? proofs[STLS_SASL_CERTIFICATE].with : "");
}

static int
choose_only(struct stls_err *err,
    const struct stls_sasl_credentials *credentials, const char *offered,
    const struct stls_sasl_mechanism **out_mechanism)
{
	const struct stls_sasl_mechanism *only;
	char shown[256];

	only = find(credentials->only_mechanism);
	if (only == NULL)
		return stls_err_set(err, SMTPTLS_E_AUTH,
		    "the mechanism %s is not known (EXTERNAL, OAUTHBEARER, "
		    "XOAUTH2, PLAIN, LOGIN)",
		    credentials->only_mechanism);
	if (!is_allowed(only, credentials))
		return stls_err_set(err, SMTPTLS_E_AUTH, "%s needs %s",
		    only->name, proofs[only->proof].need);
	if (!is_offered(offered, only->name)) {
		show_offered(shown, sizeof(shown), offered);
		return stls_err_set(err, SMTPTLS_E_AUTH,
		    "the server offers %s, not %s, and nothing else may be "
		    "used",
		    shown, only->name);
	}
	*out_mechanism = only;
	return SMTPTLS_OK;
}

int
stls_sasl_choose(struct stls_err *err,
    const struct stls_sasl_credentials *credentials, const char *offered,
    const struct stls_sasl_mechanism **out_mechanism)
{
	size_t i;

	if (credentials->only_mechanism != NULL)
		return choose_only(err, credentials, offered, out_mechanism);
	for (i = 0; i < MECHANISM_COUNT; i++) {
		if (!is_allowed(mechanisms[i], credentials) ||
		    !is_offered(offered, mechanisms[i]->name))
			continue;
		*out_mechanism = mechanisms[i];
		return SMTPTLS_OK;
	}
	return refuse_all(err, credentials, offered);
}

int
stls_sasl_refuse_round(
    struct stls_err *err, const struct stls_sasl_mechanism *mechanism)
{
	return stls_err_set(err, SMTPTLS_E_AUTH,
	    "the server asks for more than %s has", mechanism->name);
}

bool
stls_sasl_is_known(const char *name)
{
	return find(name) != NULL;
}

bool
stls_sasl_is_text(const char *text)
{
	size_t len = strnlen(text, STLS_SASL_TEXT_MAX + 1);

	return len <= STLS_SASL_TEXT_MAX && !stls_utf8_has_control(text, len);
}

bool
stls_sasl_is_token(const char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789-._~+/";
	size_t len = strspn(text, alphabet);

	if (len == 0)
		return false;
	len += strspn(text + len, "=");
	return len <= STLS_SASL_TOKEN_MAX && text[len] == '\0';
}
