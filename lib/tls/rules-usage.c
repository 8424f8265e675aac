/* SPDX-License-Identifier: MIT */
/* Rules: what a certificate may be used for. */
#include "tls/rule.h"

/* 1.3.6.1.5.5.7.3.1 and .2, encoded. */
#define OID_SERVER_AUTH "\x2b\x06\x01\x05\x05\x07\x03\x01"
#define OID_CLIENT_AUTH "\x2b\x06\x01\x05\x05\x07\x03\x02"
#define OID_LEN 8

/* Bits of the extension that came before extended key usage. */
#define NETSCAPE_CLIENT 0x80
#define NETSCAPE_SERVER 0x40

static bool
is_for_servers(const struct stls_subject *s)
{
	return s->verify->purpose == SMTPTLS_SERVER_AUTH;
}

/*
 * RFC 5280 section 4.2.1.12: where the extension is, the purpose must be in
 * it. For a CA that is not the letter of the RFC, but what everybody does. As
 * with OpenSSL, and so in Python, anyExtendedKeyUsage is not enough.
 */
int
stls_rule_purpose(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	bool is_server = is_for_servers(s);

	if (!stls_parts_has(parts, STLS_EXT_PURPOSES) ||
	    stls_parts_has_purpose(
		parts, is_server ? OID_SERVER_AUTH : OID_CLIENT_AUTH, OID_LEN))
		return SMTPTLS_OK;
	return stls_rule_refuse(err, s,
	    "is not for %s (its extended key usage does not have %s)",
	    is_server ? "TLS servers" : "TLS clients",
	    is_server ? "serverAuth" : "clientAuth");
}

/* RFC 3820: made by whoever has the key of another one, and no CA. */
int
stls_rule_proxy(struct stls_err *err, const struct stls_subject *s)
{
	if (!stls_parts_has(stls_subject_parts(s), STLS_EXT_PROXY))
		return SMTPTLS_OK;
	return stls_rule_refuse(err, s, "is a proxy certificate");
}

static bool
allows(const struct stls_ext *type, unsigned int bit)
{
	struct stls_der value = type->value, bits;

	return stls_der_take(&value, STLS_DER_BIT_STRING, &bits) &&
	    stls_der_left(&bits) > 1 && (bits.at[1] & bit) != 0;
}

/*
 * RFC 5280 section 4.2.1.3, RFC 8446 section 4.4.2.2: whoever proves that he
 * has the key signs, or with RSA key exchange, decrypts. GnuTLS holds it
 * against the key exchange itself.
 */
int
stls_rule_leaf_usage(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	const struct stls_ext *type = &parts->ext[STLS_EXT_NETSCAPE_TYPE];
	unsigned int wanted = GNUTLS_KEY_DIGITAL_SIGNATURE;

	if (is_for_servers(s))
		wanted |= GNUTLS_KEY_KEY_ENCIPHERMENT;
	if (parts->key_usage != 0 && (parts->key_usage & wanted) == 0)
		return stls_rule_refuse(err, s,
		    "has a key that is not for TLS (its key usage does not "
		    "have digitalSignature)");
	if (type->is_there &&
	    !allows(
		type, is_for_servers(s) ? NETSCAPE_SERVER : NETSCAPE_CLIENT))
		return stls_rule_refuse(err, s, "is not for TLS %s",
		    is_for_servers(s) ? "servers" : "clients");
	return SMTPTLS_OK;
}

/* Its key would make certificates, and lies on a server. */
int
stls_rule_leaf_is_no_ca(struct stls_err *err, const struct stls_subject *s)
{
	if (!stls_subject_parts(s)->is_ca)
		return SMTPTLS_OK;
	return stls_rule_refuse(err, s, "is a certificate of a CA");
}

/* Who signs others must be a CA: RFC 5280 sections 4.2.1.3 and 4.2.1.9. */
int
stls_rule_ca(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);

	if (s->index == 0)
		return SMTPTLS_OK;
	if (!parts->is_ca)
		return stls_rule_refuse(
		    err, s, "signed a certificate and is none of a CA");
	if (parts->key_usage != 0 &&
	    (parts->key_usage & GNUTLS_KEY_KEY_CERT_SIGN) == 0)
		return stls_rule_refuse(err, s,
		    "signed a certificate and must not (its key usage does "
		    "not have keyCertSign)");
	return SMTPTLS_OK;
}

/* CAs below it, but for those that it certified under its own name. */
int
stls_rule_path_len(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	unsigned int below = 0;
	size_t i;

	for (i = 1; i < s->index; i++)
		below += !stls_parts_is_self_issued(&s->parts[i]);
	if (!parts->has_path_len || below <= parts->path_len)
		return SMTPTLS_OK;
	return stls_rule_refuse(err, s,
	    "allows %u CAs below it, and there are %u", parts->path_len, below);
}

/* RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.10, as X509_STRICT has them. */
int
stls_rule_ca_form(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	bool signs = (parts->key_usage & GNUTLS_KEY_KEY_CERT_SIGN) != 0;

	if (!parts->is_ca && signs)
		return stls_rule_refuse(err, s,
		    "has a key usage with keyCertSign and is none of a CA");
	if (parts->has_path_len && !parts->is_ca)
		return stls_rule_refuse(
		    err, s, "has a path length and is none of a CA");
	if (!parts->is_ca && stls_parts_has(parts, STLS_EXT_NAME_CONSTRAINTS))
		return stls_rule_refuse(
		    err, s, "has name constraints and is none of a CA");
	if (!parts->is_ca)
		return SMTPTLS_OK;
	if (!parts->ext[STLS_EXT_BASIC_CONSTRAINTS].is_critical)
		return stls_rule_refuse(
		    err, s, "has basic constraints that are not critical");
	if (!stls_parts_has(parts, STLS_EXT_KEY_USAGE))
		return stls_rule_refuse(
		    err, s, "is of a CA and has no key usage");
	if (parts->has_path_len && !signs)
		return stls_rule_refuse(err, s,
		    "has a path length and a key usage without keyCertSign");
	return SMTPTLS_OK;
}
