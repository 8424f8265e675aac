/* SPDX-License-Identifier: MIT */
/* Rules: key identifiers, and who issued what. */
#include "tls/directory.h"
#include "tls/rule.h"
#include "tls/subtree.h"

/* RFC 5280 section 4.2.1.2. */
int
stls_rule_subject_key_id(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	const struct stls_ext *ext = &parts->ext[STLS_EXT_SUBJECT_KEY_ID];

	if (parts->is_ca && !ext->is_there)
		return stls_rule_refuse(
		    err, s, "has no subject key identifier");
	if (ext->is_there && ext->is_critical)
		return stls_rule_refuse(
		    err, s, "has a critical subject key identifier");
	return SMTPTLS_OK;
}

/*
 * RFC 5280 section 4.2.1.1. An anchor, self-signed or not, needs none: there
 * is nothing above it to be found.
 */
int
stls_rule_authority_key_id(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	const struct stls_ext *ext = &parts->ext[STLS_EXT_AUTHORITY_KEY_ID];
	bool is_anchor = s->index + 1 == s->path->count;

	if (ext->is_there && ext->is_critical)
		return stls_rule_refuse(
		    err, s, "has a critical authority key identifier");
	if (is_anchor)
		return SMTPTLS_OK;
	if (!ext->is_there)
		return stls_rule_refuse(
		    err, s, "has no authority key identifier");
	if (parts->authority.key_id.at == NULL)
		return stls_rule_refuse(err, s,
		    "has an authority key identifier without a key in it");
	return SMTPTLS_OK;
}

/*
 * Whether one of the names is the directory name that issued the issuer: the
 * identifier names a certificate by its issuer and serial number. No name of
 * this kind is none that differs.
 */
static bool
names_issuer(struct stls_der names, const struct stls_der *name)
{
	struct stls_name one;
	bool is_other = false;

	while (!stls_der_is_at_end(&names)) {
		if (!stls_name_take(&names, &one))
			return false;
		if (one.kind != STLS_NAME_DIRECTORY)
			continue;
		if (stls_directory_is_same(&one.value, name))
			return true;
		is_other = true;
	}
	return !is_other;
}

/* What it says about its issuer is so. GnuTLS looks at short key ids alone. */
int
stls_rule_issued(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_authority *says = &stls_subject_parts(s)->authority;
	const struct stls_parts *issuer = stls_subject_parts(s) + 1;

	if (s->index + 1 == s->path->count)
		return SMTPTLS_OK;
	if (says->key_id.at != NULL && issuer->key_id.at != NULL &&
	    !stls_der_is_equal(&says->key_id, &issuer->key_id))
		return stls_rule_refuse(
		    err, s, "names another key of its issuer");
	if (says->serial.at != NULL &&
	    !stls_der_is_equal(&says->serial, &issuer->serial))
		return stls_rule_refuse(
		    err, s, "names another serial number of its issuer");
	if (says->names.at != NULL &&
	    !names_issuer(says->names, &issuer->issuer))
		return stls_rule_refuse(
		    err, s, "names another issuer of its issuer");
	return SMTPTLS_OK;
}
