/* SPDX-License-Identifier: MIT */
/* Rules: the names that a CA may certify (RFC 5280 section 4.2.1.10). */
#include <stdio.h>
#include <string.h>

#include "tls/certs.h"
#include "tls/hostname.h"
#include "tls/rule.h"
#include "tls/subtree.h"

/*
 * How many comparisons one certificate is worth. The largest real ones need
 * some thousands.
 */
#define COMPARISONS_MAX (1U << 18)

/* As in tls/hostname.c; and more subtrees than any CA has. */
#define NAMES_MAX 2048
#define SUBTREES_MAX 1024

#define OID_EMAIL "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
#define OID_COMMON_NAME "\x55\x04\x03"

/* GnuTLS makes each permitted subtree out of each pair of two levels. */
#define PRODUCT_MAX 65536

struct constraints {
	struct stls_der permitted; /* what is left of the subtrees */
	struct stls_der excluded;
	size_t permitted_count;
	size_t count;
};

/* RFC 5280 wants no minimum but zero, which is left out, and no maximum. */
static bool
take_subtree(struct stls_der *list, struct stls_name *out_base)
{
	struct stls_der one, minimum;

	if (!stls_der_take(list, STLS_DER_SEQUENCE, &one) ||
	    !stls_name_take(&one, out_base))
		return false;
	if (stls_der_take(&one, STLS_DER_GENERAL_NAME(0), &minimum) &&
	    !stls_der_is(&minimum, "", 1))
		return false;
	return stls_der_is_at_end(&one) && stls_subtree_is_valid(out_base);
}

static bool
count_subtrees(struct stls_der list, size_t *count)
{
	struct stls_name base;

	while (!stls_der_is_at_end(&list)) {
		if (!take_subtree(&list, &base))
			return false;
		++*count;
	}
	return true;
}

/* Neither list is empty, and not both are missing. */
static bool
read_constraints(const struct stls_parts *parts, struct constraints *out)
{
	struct stls_der value = parts->ext[STLS_EXT_NAME_CONSTRAINTS].value;
	struct stls_der list;
	size_t permitted = 0, excluded = 0;
	bool has_permitted, has_excluded;

	memset(out, 0, sizeof(*out));
	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list) ||
	    !stls_der_is_at_end(&value))
		return false;
	has_permitted = stls_der_take(
	    &list, STLS_DER_CONTEXT(0), &out->permitted);
	has_excluded = stls_der_take(
	    &list, STLS_DER_CONTEXT(1), &out->excluded);
	if (!stls_der_is_at_end(&list) || (!has_permitted && !has_excluded) ||
	    !count_subtrees(out->permitted, &permitted) ||
	    !count_subtrees(out->excluded, &excluded))
		return false;
	out->permitted_count = permitted;
	out->count = permitted + excluded;
	return has_permitted == (permitted > 0) &&
	    has_excluded == (excluded > 0);
}

/* Whatever would not keep anything out is an error, and not a hole. */
int
stls_rule_constraints(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	struct constraints constraints;

	if (parts->names > NAMES_MAX)
		return stls_rule_refuse(err, s, "has %zu names, more than %d",
		    parts->names, NAMES_MAX);
	if (!stls_parts_has(parts, STLS_EXT_NAME_CONSTRAINTS))
		return SMTPTLS_OK;
	if (!read_constraints(parts, &constraints))
		return stls_rule_refuse(
		    err, s, "has name constraints that have no meaning");
	if (constraints.count > SUBTREES_MAX)
		return stls_rule_refuse(err, s,
		    "has %zu name constraints, more than %d", constraints.count,
		    SUBTREES_MAX);
	return SMTPTLS_OK;
}

/* Once for the whole path, and behind rule_constraints(). */
int
stls_rule_growth(struct stls_err *err, const struct stls_subject *s)
{
	struct constraints constraints;
	size_t product = 1, i;

	if (s->index + 1 < s->path->count)
		return SMTPTLS_OK;
	for (i = 0; i < s->path->count; i++) {
		if (!stls_parts_has(&s->parts[i], STLS_EXT_NAME_CONSTRAINTS) ||
		    !read_constraints(&s->parts[i], &constraints) ||
		    constraints.permitted_count == 0)
			continue;
		product *= constraints.permitted_count;
		if (product > PRODUCT_MAX)
			return stls_rule_refuse(err, s,
			    "and the CAs below it have more name constraints "
			    "than can be held against each other");
	}
	return SMTPTLS_OK;
}

/* A certificate that names are looked at of, and who looks. */
struct inspection {
	struct stls_err *err;
	const struct stls_subject *s;
	size_t above; /* index of the CA */
	struct constraints constraints;
};

static void
format_name(char *out, size_t cap, const struct stls_name *name)
{
	const char *text = (const char *)name->value.at;

	if (name->kind == STLS_NAME_DNS || name->kind == STLS_NAME_EMAIL ||
	    name->kind == STLS_NAME_URI)
		stls_escape(out, cap, text, stls_der_left(&name->value));
	else if (name->kind == STLS_NAME_IP)
		stls_hostname_format_ip(
		    out, cap, name->value.at, stls_der_left(&name->value));
	else
		snprintf(out, cap, "%s",
		    name->kind == STLS_NAME_DIRECTORY ? "of its subject"
						      : "of another kind");
}

static int
refuse_name(
    const struct inspection *in, const struct stls_name *name, bool is_excluded)
{
	char ca[STLS_NAME_MAX], text[96];

	stls_cert_subject(ca, sizeof(ca), in->s->path->cert[in->above]);
	format_name(text, sizeof(text), name);
	return stls_rule_refuse(in->err, in->s,
	    is_excluded ? "has the name %s, which CA \"%s\" must not certify"
			: "has the name %s, and CA \"%s\" may certify others "
			  "only",
	    text, ca);
}

static int
check_excluded(const struct inspection *in, const struct stls_name *name)
{
	struct stls_der list = in->constraints.excluded;
	struct stls_name base;

	while (take_subtree(&list, &base)) {
		if (stls_subtree_is_about(&base, name) &&
		    stls_subtree_has(&base, name) != STLS_WITHIN_NO)
			return refuse_name(in, name, true);
	}
	return SMTPTLS_OK;
}

/* Where none of the subtrees is about its kind, any name will do. */
static int
check_permitted(const struct inspection *in, const struct stls_name *name)
{
	struct stls_der list = in->constraints.permitted;
	struct stls_name base;
	bool is_asked = false;

	while (take_subtree(&list, &base)) {
		if (!stls_subtree_is_about(&base, name))
			continue;
		if (stls_subtree_has(&base, name) == STLS_WITHIN_YES)
			return SMTPTLS_OK;
		is_asked = true;
	}
	return is_asked ? refuse_name(in, name, false) : SMTPTLS_OK;
}

static int
check_name(const struct inspection *in, const struct stls_name *name)
{
	int r = check_excluded(in, name);

	return r < 0 ? r : check_permitted(in, name);
}

static int
check_alt_names(const struct inspection *in, bool *out_has_dns)
{
	struct stls_der
	    value = stls_subject_parts(in->s)->ext[STLS_EXT_ALT_NAMES].value,
	    list;
	struct stls_name name;
	int r;

	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &list))
		return SMTPTLS_OK;
	while (!stls_der_is_at_end(&list)) {
		if (!stls_name_take(&list, &name))
			return stls_rule_refuse(
			    in->err, in->s, "has a name that cannot be read");
		r = check_name(in, &name);
		if (r < 0)
			return r;
		*out_has_dns = *out_has_dns || name.kind == STLS_NAME_DNS;
	}
	return SMTPTLS_OK;
}

static int
refuse_subject(const struct inspection *in)
{
	return stls_rule_refuse(
	    in->err, in->s, "has a subject that cannot be read");
}

/*
 * The subject is a name, and may have mail addresses in it: an IA5String, as
 * RFC 5280 section 4.1.2.6 has them. A common name is none to us, but to
 * others, who have the same certificates.
 */
static int
check_attribute(
    const struct inspection *in, struct stls_der attribute, bool cn_counts)
{
	struct stls_name name = { .kind = 0 };
	struct stls_der type;
	bool is_ia5;

	if (!stls_der_take(&attribute, STLS_DER_OID, &type) ||
	    stls_der_is_at_end(&attribute))
		return refuse_subject(in);
	is_ia5 = stls_der_is_next(&attribute, STLS_DER_IA5);
	if (!stls_der_take(&attribute, attribute.at[0], &name.value))
		return refuse_subject(in);
	if (stls_der_is(&type, OID_EMAIL, 9) && !is_ia5)
		return stls_rule_refuse(in->err, in->s,
		    "has a mail address in its subject that is no IA5String");
	if (stls_der_is(&type, OID_EMAIL, 9))
		name.kind = STLS_NAME_EMAIL;
	else if (cn_counts && stls_der_is(&type, OID_COMMON_NAME, 3) &&
	    memchr(name.value.at, '.', stls_der_left(&name.value)) != NULL &&
	    stls_is_host_text(name.value.at, name.value.end))
		name.kind = STLS_NAME_DNS;
	return name.kind != 0 ? check_name(in, &name) : SMTPTLS_OK;
}

static int
check_level(const struct inspection *in, struct stls_der level, bool cn_counts)
{
	struct stls_der attribute;
	int r = SMTPTLS_OK;

	while (r >= 0 && !stls_der_is_at_end(&level))
		r = stls_der_take(&level, STLS_DER_SEQUENCE, &attribute)
		    ? check_attribute(in, attribute, cn_counts)
		    : refuse_subject(in);
	return r;
}

static int
check_subject(const struct inspection *in, bool cn_counts)
{
	struct stls_der rest = stls_subject_parts(in->s)->subject, level;
	struct stls_name name = { STLS_NAME_DIRECTORY, rest };
	int r = SMTPTLS_OK;

	if (!stls_der_is_at_end(&rest))
		r = check_name(in, &name);
	while (r >= 0 && !stls_der_is_at_end(&rest))
		r = stls_der_take(&rest, STLS_DER_SET, &level)
		    ? check_level(in, level, cn_counts)
		    : refuse_subject(in);
	return r;
}

static int
inspect(const struct inspection *in)
{
	bool has_dns = false;
	int r;

	r = check_alt_names(in, &has_dns);
	if (r < 0)
		return r;
	return check_subject(in, in->s->index == 0 && !has_dns);
}

/*
 * Every name against the constraints of every CA above it, the anchor's too.
 * A CA that certified itself under its own name may do so, but for the peer's.
 */
int
stls_rule_names(struct stls_err *err, const struct stls_subject *s)
{
	const struct stls_parts *parts = stls_subject_parts(s);
	struct inspection in = { .err = err, .s = s };
	size_t work = 0;
	int r;

	if (s->index > 0 && stls_parts_is_self_issued(parts))
		return SMTPTLS_OK;
	for (in.above = s->index + 1; in.above < s->path->count; in.above++) {
		if (!stls_parts_has(
			&s->parts[in.above], STLS_EXT_NAME_CONSTRAINTS))
			continue;
		/* What cannot be read is refused at the CA itself. */
		if (!read_constraints(&s->parts[in.above], &in.constraints))
			return SMTPTLS_OK;
		work += in.constraints.count * (parts->names + 1);
		if (work > COMPARISONS_MAX)
			return stls_rule_refuse(err, s,
			    "has more names than can be held against the name "
			    "constraints above it");
		r = inspect(&in);
		if (r < 0)
			return r;
	}
	return SMTPTLS_OK;
}
