/* SPDX-License-Identifier: MIT */
#include "tls/suite.h"

#include <string.h>
#include <strings.h>

/* A word of smtptls_context_set_ciphers() that stands for several suites. */
struct group_word {
	const char *word;
	gnutls_cipher_algorithm_t cipher;
	gnutls_kx_algorithm_t kx;
};

static const struct group_word group_words[] = {
	{ "AES-256-GCM", GNUTLS_CIPHER_AES_256_GCM, GNUTLS_KX_UNKNOWN },
	{ "AES-128-GCM", GNUTLS_CIPHER_AES_128_GCM, GNUTLS_KX_UNKNOWN },
	{ "AES-256-CCM", GNUTLS_CIPHER_AES_256_CCM, GNUTLS_KX_UNKNOWN },
	{ "AES-128-CCM", GNUTLS_CIPHER_AES_128_CCM, GNUTLS_KX_UNKNOWN },
	{ "CHACHA20-POLY1305", GNUTLS_CIPHER_CHACHA20_POLY1305,
	    GNUTLS_KX_UNKNOWN },
	{ "ECDHE-ECDSA", GNUTLS_CIPHER_UNKNOWN, GNUTLS_KX_ECDHE_ECDSA },
	{ "ECDHE-RSA", GNUTLS_CIPHER_UNKNOWN, GNUTLS_KX_ECDHE_RSA },
	{ "DHE-RSA", GNUTLS_CIPHER_UNKNOWN, GNUTLS_KX_DHE_RSA },
};

static bool
has_version_for(gnutls_priority_t priority, gnutls_protocol_t lowest)
{
	const unsigned int *versions = NULL;
	int i, count;

	count = gnutls_priority_protocol_list(priority, &versions);
	for (i = 0; i < count; i++) {
		/* TLS 1.3 and the versions before it share no suite. */
		if (lowest == GNUTLS_TLS1_3) {
			if (versions[i] == GNUTLS_TLS1_3)
				return true;
		} else if (versions[i] >= lowest &&
		    versions[i] <= GNUTLS_TLS1_2) {
			return true;
		}
	}
	return false;
}

static bool
get_suite(struct stls_suite *out, unsigned int number)
{
	unsigned char id[2];

	out->name = gnutls_cipher_suite_info(
	    number, id, &out->kx, &out->cipher, &out->mac, &out->version);
	return out->name != NULL;
}

void
stls_suites_list(struct stls_suites *out, gnutls_priority_t priority)
{
	struct stls_suite suite;
	unsigned int i, number;
	int r;

	out->count = 0;
	for (i = 0; out->count < STLS_SUITES_MAX; i++) {
		r = gnutls_priority_get_cipher_suite_index(
		    priority, i, &number);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (r < 0 || !get_suite(&suite, number))
			continue;
		if (!has_version_for(priority, suite.version))
			continue;
		out->suite[out->count++] = suite;
	}
}

bool
stls_suites_has(const struct stls_suites *suites, const char *name)
{
	size_t i;

	for (i = 0; i < suites->count; i++) {
		if (strcmp(suites->suite[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
is_word(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(word, name, len) == 0;
}

/*
 * Whether a word stands for a suite. In TLS 1.3 a suite says nothing about
 * the key exchange: a word that asks for one leaves those suites in, a word
 * that takes one away does not touch them.
 */
static bool
stands_for(const char *word, size_t len, const struct stls_suite *suite,
    bool take_away)
{
	const struct group_word *group;
	size_t i;

	if (is_word(word, len, suite->name))
		return true;
	for (i = 0; i < sizeof(group_words) / sizeof(group_words[0]); i++) {
		group = &group_words[i];
		if (!is_word(word, len, group->word))
			continue;
		if (group->kx == GNUTLS_KX_UNKNOWN)
			return suite->cipher == group->cipher;
		if (suite->version == GNUTLS_TLS1_3)
			return !take_away;
		return suite->kx == group->kx;
	}
	return false;
}

static int
apply_word(const struct stls_suites *suites, bool *keep, struct stls_err *err,
    const char *word, size_t len)
{
	bool take_away = len > 0 && (*word == '-' || *word == '!');
	bool found = false;
	size_t i;

	if (take_away) {
		word++;
		len--;
	}
	for (i = 0; i < suites->count; i++) {
		if (!stands_for(word, len, &suites->suite[i], take_away))
			continue;
		keep[i] = !take_away;
		found = true;
	}
	if (!found)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "\"%.*s\" names no cipher suite that is offered", (int)len,
		    word);
	return SMTPTLS_OK;
}

static int
apply_words(const struct stls_suites *suites, bool *keep, struct stls_err *err,
    const char *words, const char *end)
{
	const char *colon;
	int r;

	for (;;) {
		colon = memchr(words, ':', (size_t)(end - words));
		if (colon == NULL)
			colon = end;
		r = apply_word(
		    suites, keep, err, words, (size_t)(colon - words));
		if (r < 0 || colon == end)
			return r;
		words = colon + 1;
	}
}

int
stls_suites_select(struct stls_suites *suites, struct stls_err *err,
    const char *words, size_t len)
{
	bool from_all = len > 0 && (*words == '-' || *words == '!');
	bool keep[STLS_SUITES_MAX];
	size_t i, left = 0;
	int r;

	for (i = 0; i < suites->count; i++)
		keep[i] = from_all;
	r = apply_words(suites, keep, err, words, words + len);
	if (r < 0)
		return r;
	for (i = 0; i < suites->count; i++)
		left += keep[i];
	if (left == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "\"%.*s\" leaves no cipher suite", (int)len, words);
	for (i = left = 0; i < suites->count; i++) {
		if (keep[i])
			suites->suite[left++] = suites->suite[i];
	}
	suites->count = left;
	return SMTPTLS_OK;
}
