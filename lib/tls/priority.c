/* SPDX-License-Identifier: MIT */
#include "tls/priority.h"

#include <string.h>

#include <smtptls/session.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "tls/allow.h"
#include "tls/suite.h"

/*
 * More than all names of all lists. GnuTLS itself takes 128 words and passes
 * over those behind them, silently; the check of the result finds that.
 */
#define REMOVALS_MAX 65536

/* What to append does nothing, and cannot be left out. */
#define NO_CHANGE "-COMP-NULL"

/*
 * A handshake in front of which somebody else had one is no first handshake for
 * the server, and only one that knows RFC 5746 tells (section 4.1).
 */
#define SAFE_RENEGOTIATION ":%SAFE_RENEGOTIATION"

/* What an entry must pass, besides the allow table. */
struct rules {
	gnutls_priority_t system; /* the system's default */
	gnutls_protocol_t minimum;
	gnutls_protocol_t maximum;
	bool legacy;
	const struct stls_suites *chosen; /* NULL: all */
};

static const struct {
	enum smtptls_tls_version version;
	gnutls_protocol_t protocol;
} protocols[] = {
	{ SMTPTLS_SSL_3_0, GNUTLS_SSL3 },
	{ SMTPTLS_TLS_1_0, GNUTLS_TLS1_0 },
	{ SMTPTLS_TLS_1_1, GNUTLS_TLS1_1 },
	{ SMTPTLS_TLS_1_2, GNUTLS_TLS1_2 },
	{ SMTPTLS_TLS_1_3, GNUTLS_TLS1_3 },
};

enum smtptls_tls_version
stls_priority_version(gnutls_protocol_t protocol)
{
	size_t i;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (protocols[i].protocol == protocol)
			return protocols[i].version;
	}
	return SMTPTLS_TLS_NONE;
}

gnutls_protocol_t
stls_priority_protocol(enum smtptls_tls_version version)
{
	size_t i;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (protocols[i].version == version)
			return protocols[i].protocol;
	}
	return GNUTLS_VERSION_UNKNOWN;
}

static bool
has_entry(
    const struct stls_allow *kind, gnutls_priority_t priority, unsigned int id)
{
	const unsigned int *list = NULL;
	int i, count;

	count = kind->list(priority, &list);
	for (i = 0; i < count; i++) {
		if (list[i] == id)
			return true;
	}
	return false;
}

static bool
has_version(gnutls_priority_t priority, enum smtptls_tls_version version)
{
	return has_entry(&stls_allow[STLS_ALLOW_VERSION], priority,
	    stls_priority_protocol(version));
}

/* Whether one of the chosen suites has any use for an entry. */
static bool
is_needed(const struct stls_suites *chosen, int kind, unsigned int id)
{
	const struct stls_suite *suite;
	size_t i;

	for (i = 0; i < chosen->count; i++) {
		suite = &chosen->suite[i];
		switch (kind) {
		case STLS_ALLOW_VERSION:
			if (id == suite->version ||
			    (id > suite->version && id <= GNUTLS_TLS1_2))
				return true;
			break;
		case STLS_ALLOW_CIPHER:
			if (id == suite->cipher)
				return true;
			break;
		case STLS_ALLOW_KX:
			if (id == suite->kx)
				return true;
			break;
		case STLS_ALLOW_MAC:
			if (id == suite->mac)
				return true;
			break;
		default:
			return true;
		}
	}
	return false;
}

static bool
is_allowed(const struct rules *rules, int k, unsigned int id)
{
	const struct stls_allow *kind = &stls_allow[k];

	if (!stls_allow_has(kind, id, rules->legacy))
		return false;
	/*
	 * With an allowlist in the system's policy the string that removals
	 * are appended to offers more than the system's default.
	 */
	if (!has_entry(kind, rules->system, id))
		return false;
	if (k == STLS_ALLOW_VERSION &&
	    (id < rules->minimum || id > rules->maximum))
		return false;
	return rules->chosen == NULL || is_needed(rules->chosen, k, id);
}

static int
init_failed(struct stls_err *err, int r)
{
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	if (r == GNUTLS_E_NO_PRIORITIES_WERE_SET)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the system's TLS policy leaves no cipher suite that is "
		    "safe");
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "the system's TLS policy: %s", gnutls_strerror(r));
}

static int
append_removal(
    struct stls_buf *out, const struct stls_allow *kind, unsigned int id)
{
	const char *name = kind->name(id);
	int r;

	/* What has no name is found by the check of the result. */
	if (name == NULL)
		return SMTPTLS_OK;
	r = stls_buf_append_str(out, ":-");
	if (r >= 0)
		r = stls_buf_append_str(out, kind->prefix);
	if (r >= 0)
		r = stls_buf_append_str(out, name);
	return r;
}

/* Append `:-WORD` for every entry of a list that is not allowed. */
static int
append_removals(
    struct stls_buf *out, const struct rules *rules, gnutls_priority_t base)
{
	const gnutls_protocol_t *version;
	const unsigned int *list;
	int k, i, count, r = SMTPTLS_OK;

	/*
	 * All versions there are: GnuTLS leaves TLS 1.3 out of the base's list
	 * as long as there is a cipher that does not go with it. Versions that
	 * an allowlist does not have are the other way about.
	 */
	for (version = gnutls_protocol_list(); *version != 0 && r >= 0;
	     version++) {
		if (!is_allowed(rules, STLS_ALLOW_VERSION, *version))
			r = append_removal(
			    out, &stls_allow[STLS_ALLOW_VERSION], *version);
	}
	for (k = 0; k < STLS_ALLOW_KINDS; k++) {
		list = NULL;
		count = stls_allow[k].list(base, &list);
		for (i = 0; i < count && r >= 0; i++) {
			if (!is_allowed(rules, k, list[i]))
				r = append_removal(
				    out, &stls_allow[k], list[i]);
		}
	}
	return r;
}

/* Check the result, not the string: every list against the rules. */
static int
check_lists(
    struct stls_err *err, const struct rules *rules, gnutls_priority_t priority)
{
	const unsigned int *list;
	const char *name;
	int k, i, count;

	for (k = 0; k < STLS_ALLOW_KINDS; k++) {
		list = NULL;
		count = stls_allow[k].list(priority, &list);
		for (i = 0; i < count; i++) {
			if (is_allowed(rules, k, list[i]))
				continue;
			name = stls_allow[k].name(list[i]);
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "the system's TLS policy insists on %s %s, which "
			    "is not allowed",
			    stls_allow[k].what,
			    name != NULL ? name : "(nameless)");
		}
	}
	return SMTPTLS_OK;
}

static int
check_suites(
    struct stls_err *err, const struct rules *rules, gnutls_priority_t priority)
{
	struct stls_suites suites;
	size_t i;

	stls_suites_list(&suites, priority);
	if (suites.count == 0)
		return init_failed(err, GNUTLS_E_NO_PRIORITIES_WERE_SET);
	if (rules->chosen == NULL)
		return SMTPTLS_OK;
	/* GnuTLS combines key exchanges and ciphers, all with all. */
	for (i = 0; i < suites.count; i++) {
		if (!stls_suites_has(rules->chosen, suites.suite[i].name))
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "this choice of cipher suites brings %s with it: "
			    "name that too, or fewer",
			    suites.suite[i].name);
	}
	return SMTPTLS_OK;
}

static const char *
name_of(gnutls_protocol_t protocol)
{
	return smtptls_tls_version_name(stls_priority_version(protocol));
}

static int
check_versions(struct stls_err *err, const struct rules *rules)
{
	unsigned int id;

	for (id = rules->minimum; id <= rules->maximum; id++) {
		if (is_allowed(rules, STLS_ALLOW_VERSION, id))
			return SMTPTLS_OK;
	}
	if (rules->minimum > rules->maximum)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the minimum version %s is above the maximum version %s",
		    name_of(rules->minimum), name_of(rules->maximum));
	return stls_err_set(err, SMTPTLS_E_INVALID,
	    "no TLS version is left from %s to %s", name_of(rules->minimum),
	    name_of(rules->maximum));
}

static void
deinit_priority(gnutls_priority_t *priority)
{
	gnutls_priority_deinit(*priority);
}

/* What is left when all is removed that `base` has and the rules do not. */
static int
remove_from(struct stls_err *err, const struct rules *rules,
    gnutls_priority_t base, gnutls_priority_t *out_priority)
{
	CLEANUP(deinit_priority) gnutls_priority_t result = NULL;
	CLEANUP(stls_buf_done) struct stls_buf removals = { 0 };
	int r;

	stls_buf_init(&removals, REMOVALS_MAX);
	r = stls_buf_append_str(&removals,
	    rules->legacy ? NO_CHANGE : NO_CHANGE SAFE_RENEGOTIATION);
	if (r >= 0)
		r = append_removals(&removals, rules, base);
	if (r >= 0)
		r = stls_buf_append(&removals, "", 1);
	if (r < 0)
		return stls_err_nomem(err);
	r = gnutls_priority_init2(&result,
	    (const char *)stls_buf_data(&removals), NULL,
	    GNUTLS_PRIORITY_INIT_DEF_APPEND);
	if (r < 0)
		return init_failed(err, r);
	r = check_lists(err, rules, result);
	if (r < 0)
		return r;
	r = check_suites(err, rules, result);
	if (r < 0)
		return r;
	*out_priority = TAKE(result);
	return SMTPTLS_OK;
}

static int
build(struct stls_err *err, const struct rules *rules,
    gnutls_priority_t *out_priority)
{
	CLEANUP(deinit_priority) gnutls_priority_t base = NULL;
	int r;

	r = check_versions(err, rules);
	if (r < 0)
		return r;
	/*
	 * What removals are appended to is nearly always the default. Where it
	 * offers more, the check finds that, and all of it is looked at: half
	 * of the work of a context is to have GnuTLS make its lists.
	 */
	r = remove_from(err, rules, rules->system, out_priority);
	if (r != SMTPTLS_E_INVALID)
		return r;
	r = gnutls_priority_init2(
	    &base, NO_CHANGE, NULL, GNUTLS_PRIORITY_INIT_DEF_APPEND);
	if (r < 0)
		return init_failed(err, r);
	return remove_from(err, rules, base, out_priority);
}

/*
 * Find the suites that the choices of a policy leave, one after another. They
 * are looked up among those of all versions, so that it does not matter which
 * is set first.
 */
static int
choose_suites(struct stls_err *err, const struct rules *rules,
    const char *words, struct stls_suites *out_chosen)
{
	CLEANUP(deinit_priority) gnutls_priority_t all = NULL;
	struct rules wide = *rules;
	size_t len;
	int r;

	wide.minimum = rules->legacy ? GNUTLS_TLS1_0 : GNUTLS_TLS1_2;
	wide.maximum = GNUTLS_TLS1_3;
	r = build(err, &wide, &all);
	if (r < 0)
		return r;
	stls_suites_list(out_chosen, all);
	for (;;) {
		len = strcspn(words, " ");
		r = stls_suites_select(out_chosen, err, words, len);
		if (r < 0 || words[len] == '\0')
			return r;
		words += len + 1;
	}
}

int
stls_priority_init(struct stls_err *err,
    const struct stls_priority_policy *policy, gnutls_priority_t *out_priority)
{
	CLEANUP(deinit_priority) gnutls_priority_t system = NULL;
	struct rules rules = { 0 };
	struct stls_suites chosen;
	int r;

	r = gnutls_priority_init2(&system, NULL, NULL, 0);
	if (r < 0)
		return init_failed(err, r);
	rules.system = system;
	rules.legacy = policy->legacy != SMTPTLS_TLS_NONE;
	if (rules.legacy && !has_version(system, policy->legacy))
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "the system's TLS policy has switched %s off",
		    smtptls_tls_version_name(policy->legacy));
	rules.minimum = stls_priority_protocol(policy->minimum);
	if (policy->minimum == SMTPTLS_TLS_NONE)
		rules.minimum = GNUTLS_TLS1_2;
	rules.maximum = stls_priority_protocol(policy->maximum);
	if (policy->maximum == SMTPTLS_TLS_NONE)
		rules.maximum = GNUTLS_TLS1_3;
	if (policy->ciphers != NULL) {
		r = choose_suites(err, &rules, policy->ciphers, &chosen);
		if (r < 0)
			return r;
		rules.chosen = &chosen;
	}
	return build(err, &rules, out_priority);
}

bool
stls_priority_get_cipher(
    gnutls_priority_t priority, size_t index, struct smtptls_cipher *out_cipher)
{
	struct stls_suites suites;
	const struct stls_suite *suite;

	stls_suites_list(&suites, priority);
	if (index >= suites.count)
		return false;
	suite = &suites.suite[index];
	out_cipher->name = suite->name;
	out_cipher->version = stls_priority_version(suite->version);
	out_cipher->strength_bits =
	    (int)gnutls_cipher_get_key_size(suite->cipher) * 8;
	return true;
}
