/* SPDX-License-Identifier: MIT */
#include "tls/parts.h"

#include <stdio.h>
#include <string.h>

#include "tls/subtree.h"

/* What real certificates have: ten; more than sixty are meant to keep us. */
#define EXTENSIONS_MAX 64

#define MALFORMED(what) "has " what " that cannot be read"

static const struct {
	enum stls_ext_kind kind; /* STLS_EXT_KINDS: it may be critical */
	const char *oid;
	size_t len;
} known[] = {
	{ STLS_EXT_SUBJECT_KEY_ID, "\x55\x1d\x0e", 3 },
	{ STLS_EXT_KEY_USAGE, "\x55\x1d\x0f", 3 },
	{ STLS_EXT_ALT_NAMES, "\x55\x1d\x11", 3 },
	{ STLS_EXT_BASIC_CONSTRAINTS, "\x55\x1d\x13", 3 },
	{ STLS_EXT_NAME_CONSTRAINTS, "\x55\x1d\x1e", 3 },
	{ STLS_EXT_CRL_POINTS, "\x55\x1d\x1f", 3 },
	{ STLS_EXT_AUTHORITY_KEY_ID, "\x55\x1d\x23", 3 },
	{ STLS_EXT_PURPOSES, "\x55\x1d\x25", 3 },
	{ STLS_EXT_PROXY, "\x2b\x06\x01\x05\x05\x07\x01\x0e", 8 },
	{ STLS_EXT_NETSCAPE_TYPE, "\x60\x86\x48\x01\x86\xf8\x42\x01\x01", 9 },
	/* Policies: any will do, so nothing that they say can be broken. */
	{ STLS_EXT_KINDS, "\x55\x1d\x20", 3 },
	{ STLS_EXT_KINDS, "\x55\x1d\x21", 3 },
	{ STLS_EXT_KINDS, "\x55\x1d\x24", 3 },
	{ STLS_EXT_KINDS, "\x55\x1d\x36", 3 },
};

static bool
is_true(const struct stls_der *boolean)
{
	return stls_der_left(boolean) == 1 && boolean->at[0] != 0;
}

static void
note_extension(
    struct stls_parts *parts, const struct stls_der *oid, struct stls_ext ext)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!stls_der_is(oid, known[i].oid, known[i].len))
			continue;
		if (known[i].kind < STLS_EXT_KINDS)
			parts->ext[known[i].kind] = ext;
		return;
	}
	if (ext.is_critical)
		parts->critical = *oid;
}

static bool
take_extension(
    struct stls_der *list, struct stls_der *out_oid, struct stls_ext *out_ext)
{
	struct stls_der one, critical;

	*out_ext = (struct stls_ext){ .is_there = true };
	if (!stls_der_take(list, STLS_DER_SEQUENCE, &one) ||
	    !stls_der_take(&one, STLS_DER_OID, out_oid))
		return false;
	if (stls_der_take(&one, STLS_DER_BOOLEAN, &critical))
		out_ext->is_critical = is_true(&critical);
	return stls_der_take(&one, STLS_DER_OCTETS, &out_ext->value) &&
	    stls_der_is_at_end(&one);
}

static bool
read_extensions(struct stls_parts *parts, struct stls_der list)
{
	struct stls_der oid[EXTENSIONS_MAX];
	struct stls_ext ext;
	size_t count, i;

	for (count = 0; !stls_der_is_at_end(&list); count++) {
		if (count == EXTENSIONS_MAX ||
		    !take_extension(&list, &oid[count], &ext))
			return false;
		for (i = 0; i < count; i++) {
			if (stls_der_is_equal(&oid[i], &oid[count]))
				parts->twice = oid[i];
		}
		note_extension(parts, &oid[count], ext);
	}
	return true;
}

static bool
take_date(struct stls_der *der, struct stls_date *out)
{
	out->tag = stls_der_is_next(der, STLS_DER_UTC_TIME) ? STLS_DER_UTC_TIME
							    : STLS_DER_TIME;
	return stls_der_take(der, out->tag, &out->text);
}

static bool
take_validity(struct stls_der *tbs, struct stls_parts *parts)
{
	struct stls_der validity;

	return stls_der_take(tbs, STLS_DER_SEQUENCE, &validity) &&
	    take_date(&validity, &parts->from) &&
	    take_date(&validity, &parts->until) &&
	    stls_der_is_at_end(&validity);
}

static bool
take_version(struct stls_der *tbs, unsigned int *out_version)
{
	struct stls_der tagged, number;

	*out_version = 1;
	if (!stls_der_is_next(tbs, STLS_DER_CONTEXT(0)))
		return true;
	if (!stls_der_take(tbs, STLS_DER_CONTEXT(0), &tagged) ||
	    !stls_der_take(&tagged, STLS_DER_INTEGER, &number) ||
	    stls_der_left(&number) != 1 || !stls_der_is_at_end(&tagged))
		return false;
	*out_version = number.at[0] + 1U;
	return true;
}

/* RFC 5280 section 4.1.2.8: identifiers that nobody uses. */
static void
skip_unique_ids(struct stls_der *tbs)
{
	struct stls_der id;

	stls_der_take(tbs, STLS_DER_GENERAL_NAME(1), &id);
	stls_der_take(tbs, STLS_DER_GENERAL_NAME(2), &id);
}

static bool
read_tbs(struct stls_parts *parts, struct stls_der tbs)
{
	struct stls_der key, tagged, list;

	if (!take_version(&tbs, &parts->version) ||
	    !stls_der_take(&tbs, STLS_DER_INTEGER, &parts->serial) ||
	    !stls_der_take(&tbs, STLS_DER_SEQUENCE, &parts->algorithm) ||
	    !stls_der_take(&tbs, STLS_DER_SEQUENCE, &parts->issuer) ||
	    !take_validity(&tbs, parts) ||
	    !stls_der_take(&tbs, STLS_DER_SEQUENCE, &parts->subject) ||
	    !stls_der_take(&tbs, STLS_DER_SEQUENCE, &key))
		return false;
	skip_unique_ids(&tbs);
	if (stls_der_is_at_end(&tbs))
		return true;
	return stls_der_take(&tbs, STLS_DER_CONTEXT(3), &tagged) &&
	    stls_der_is_at_end(&tbs) &&
	    stls_der_take(&tagged, STLS_DER_SEQUENCE, &list) &&
	    stls_der_is_at_end(&tagged) && read_extensions(parts, list);
}

static bool
read_certificate(struct stls_parts *parts)
{
	struct stls_der all = { parts->der.data,
		parts->der.data + parts->der.size };
	struct stls_der cert, tbs, bits;

	if (!stls_der_take(&all, STLS_DER_SEQUENCE, &cert) ||
	    !stls_der_is_at_end(&all))
		return false;
	parts->tbs.at = cert.at;
	if (!stls_der_take(&cert, STLS_DER_SEQUENCE, &tbs))
		return false;
	parts->tbs.end = cert.at;
	if (!stls_der_take(&cert, STLS_DER_SEQUENCE, &parts->outer) ||
	    !stls_der_take(&cert, STLS_DER_BIT_STRING, &bits) ||
	    !stls_der_is_at_end(&cert) || stls_der_is_at_end(&bits))
		return false;
	parts->signature = (struct stls_der){ bits.at + 1, bits.end };
	return read_tbs(parts, tbs);
}

/* X.690 section 8.3.2: not negative, and as short as it can be. */
static bool
is_count(const struct stls_der *number)
{
	size_t len = stls_der_left(number);

	return len > 0 && (number->at[0] & 0x80) == 0 &&
	    (len == 1 || number->at[0] != 0 || (number->at[1] & 0x80) != 0);
}

/* RFC 5280 section 4.2.1.9. */
static bool
read_basic_constraints(struct stls_parts *parts, struct stls_der value)
{
	struct stls_der list, flag, number;

	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list) ||
	    !stls_der_is_at_end(&value))
		return false;
	if (stls_der_take(&list, STLS_DER_BOOLEAN, &flag))
		parts->is_ca = is_true(&flag);
	if (stls_der_is_at_end(&list))
		return true;
	if (!stls_der_take(&list, STLS_DER_INTEGER, &number) ||
	    !stls_der_is_at_end(&list) || !is_count(&number))
		return false;
	parts->has_path_len = true;
	/* Whatever does not fit in is longer than any path. */
	parts->path_len = stls_der_left(&number) == 1 ? number.at[0] : 255;
	return true;
}

/* RFC 5280 section 4.2.1.3: some of nine bits, at least one, and no other. */
static bool
read_key_usage(struct stls_parts *parts, struct stls_der value)
{
	struct stls_der bits;
	size_t len;

	if (!stls_der_take(&value, STLS_DER_BIT_STRING, &bits) ||
	    !stls_der_is_at_end(&value))
		return false;
	len = stls_der_left(&bits);
	if (len < 2 || bits.at[0] > 7 ||
	    (bits.end[-1] & ((1U << bits.at[0]) - 1)) != 0)
		return false;
	parts->key_usage = bits.at[1];
	if (len > 2)
		parts->key_usage |= (unsigned int)bits.at[2] << 8;
	return parts->key_usage != 0;
}

static bool
read_subject_key_id(struct stls_parts *parts, struct stls_der value)
{
	return stls_der_take(&value, STLS_DER_OCTETS, &parts->key_id) &&
	    stls_der_is_at_end(&value);
}

static bool
read_authority_key_id(struct stls_parts *parts, struct stls_der value)
{
	struct stls_authority *authority = &parts->authority;
	struct stls_der list;

	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list) ||
	    !stls_der_is_at_end(&value))
		return false;
	stls_der_take(&list, STLS_DER_GENERAL_NAME(0), &authority->key_id);
	stls_der_take(&list, STLS_DER_CONTEXT(1), &authority->names);
	stls_der_take(&list, STLS_DER_GENERAL_NAME(2), &authority->serial);
	return stls_der_is_at_end(&list);
}

/* RFC 5280 section 4.2.1.6. */
static bool
read_alt_names(struct stls_parts *parts, struct stls_der value)
{
	struct stls_der list;
	struct stls_name name;

	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list) ||
	    !stls_der_is_at_end(&value))
		return false;
	for (; !stls_der_is_at_end(&list); parts->names++) {
		if (!stls_name_take(&list, &name))
			return false;
	}
	return true;
}

static bool
read_purposes(struct stls_parts *parts, struct stls_der value)
{
	struct stls_der list, oid;

	(void)parts;
	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list) ||
	    !stls_der_is_at_end(&value))
		return false;
	while (!stls_der_is_at_end(&list)) {
		if (!stls_der_take(&list, STLS_DER_OID, &oid))
			return false;
	}
	return true;
}

/* RFC 5280 section 4.2.1.13; nothing in it is used. */
static bool
read_crl_points(struct stls_parts *parts, struct stls_der value)
{
	struct stls_der list, point;

	(void)parts;
	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list) ||
	    !stls_der_is_at_end(&value))
		return false;
	while (!stls_der_is_at_end(&list)) {
		if (!stls_der_take(&list, STLS_DER_SEQUENCE, &point))
			return false;
	}
	return true;
}

static const struct {
	enum stls_ext_kind kind;
	bool (*read)(struct stls_parts *parts, struct stls_der value);
	const char *fault;
} readers[] = {
	{ STLS_EXT_BASIC_CONSTRAINTS, read_basic_constraints,
	    MALFORMED("basic constraints") },
	{ STLS_EXT_KEY_USAGE, read_key_usage, MALFORMED("a key usage") },
	{ STLS_EXT_SUBJECT_KEY_ID, read_subject_key_id,
	    MALFORMED("a subject key identifier") },
	{ STLS_EXT_AUTHORITY_KEY_ID, read_authority_key_id,
	    MALFORMED("an authority key identifier") },
	{ STLS_EXT_ALT_NAMES, read_alt_names, MALFORMED("a subjectAltName") },
	{ STLS_EXT_PURPOSES, read_purposes,
	    MALFORMED("an extended key usage") },
	{ STLS_EXT_CRL_POINTS, read_crl_points,
	    MALFORMED("CRL distribution points") },
};

static const char *
find_fault(struct stls_parts *parts)
{
	size_t i;

	if (!read_certificate(parts))
		return "is not encoded as a certificate is";
	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (stls_parts_has(parts, readers[i].kind) &&
		    !readers[i].read(parts, parts->ext[readers[i].kind].value))
			return readers[i].fault;
	}
	return NULL;
}

int
stls_parts_init(
    struct stls_parts *parts, struct stls_err *err, gnutls_x509_crt_t cert)
{
	int r;

	memset(parts, 0, sizeof(*parts));
	r = gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_DER, &parts->der);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return stls_err_nomem(err);
	if (r < 0)
		return stls_err_set(err, SMTPTLS_E_CERTIFICATE,
		    "it cannot be encoded: %s", gnutls_strerror(r));
	parts->fault = find_fault(parts);
	return SMTPTLS_OK;
}

void
stls_parts_done(struct stls_parts *parts)
{
	gnutls_free(parts->der.data);
	memset(parts, 0, sizeof(*parts));
}

bool
stls_parts_is_self_issued(const struct stls_parts *parts)
{
	return stls_der_is_equal(&parts->issuer, &parts->subject);
}

bool
stls_parts_has_purpose(
    const struct stls_parts *parts, const void *oid, size_t len)
{
	struct stls_der value = parts->ext[STLS_EXT_PURPOSES].value, list, one;

	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list))
		return false;
	while (stls_der_take(&list, STLS_DER_OID, &one)) {
		if (stls_der_is(&one, oid, len))
			return true;
	}
	return false;
}

void
stls_parts_format_oid(char *out, size_t cap, const struct stls_der *oid)
{
	const unsigned char *at;
	unsigned long number = 0;
	size_t used = 0;
	bool is_first = true;

	out[0] = '\0';
	for (at = oid->at; at < oid->end && used + 24 < cap; at++) {
		number = number << 7 | (*at & 0x7f);
		if ((*at & 0x80) != 0)
			continue;
		if (is_first) {
			used += (size_t)snprintf(out, cap, "%lu.%lu",
			    number < 80 ? number / 40 : 2,
			    number < 80 ? number % 40 : number - 80);
			is_first = false;
		} else {
			used += (size_t)snprintf(
			    out + used, cap - used, ".%lu", number);
		}
		number = 0;
	}
}
