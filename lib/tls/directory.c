/* SPDX-License-Identifier: MIT */
#include "tls/directory.h"

#define TAG_NUMERIC 0x12
#define TAG_VISIBLE 0x1a

static bool
is_blank(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next character, with the blank before it; -1: there is none. */
static int
next_folded(struct stls_der *text, bool is_first)
{
	bool was_blank = false;

	while (!stls_der_is_at_end(text) && is_blank(*text->at)) {
		was_blank = true;
		text->at++;
	}
	if (stls_der_is_at_end(text))
		return -1;
	return (was_blank && !is_first ? ' ' << 8 : 0) |
	    stls_der_lower(*text->at++);
}

/* RFC 5280 section 7.1: in any case, blanks at the ends left out. */
static bool
is_same_folded(struct stls_der a, struct stls_der b)
{
	int x = next_folded(&a, true), y = next_folded(&b, true);

	while (x == y && x >= 0) {
		x = next_folded(&a, false);
		y = next_folded(&b, false);
	}
	return x == y;
}

static bool
is_text(unsigned int tag)
{
	return tag == STLS_DER_UTF8 || tag == STLS_DER_PRINTABLE ||
	    tag == STLS_DER_IA5 || tag == TAG_NUMERIC || tag == TAG_VISIBLE;
}

/* One attribute; texts in other alphabets cannot be compared. */
static enum stls_within
attribute_is(struct stls_der a, struct stls_der b)
{
	struct stls_der type_a, type_b, value_a, value_b;
	unsigned int tag_a, tag_b;

	if (stls_der_is_equal(&a, &b))
		return STLS_WITHIN_YES;
	if (!stls_der_take(&a, STLS_DER_OID, &type_a) ||
	    !stls_der_take(&b, STLS_DER_OID, &type_b) ||
	    stls_der_is_at_end(&a) || stls_der_is_at_end(&b))
		return STLS_WITHIN_UNKNOWN;
	if (!stls_der_is_equal(&type_a, &type_b))
		return STLS_WITHIN_NO;
	tag_a = a.at[0];
	tag_b = b.at[0];
	if (!is_text(tag_a) || !is_text(tag_b) ||
	    !stls_der_take(&a, tag_a, &value_a) ||
	    !stls_der_take(&b, tag_b, &value_b))
		return STLS_WITHIN_UNKNOWN;
	return is_same_folded(value_a, value_b) ? STLS_WITHIN_YES
						: STLS_WITHIN_NO;
}

/* One level: some attributes, in the order of DER. */
static enum stls_within
level_is(struct stls_der a, struct stls_der b)
{
	struct stls_der one_a, one_b;
	enum stls_within same = STLS_WITHIN_YES, r;

	while (!stls_der_is_at_end(&a) && !stls_der_is_at_end(&b)) {
		if (!stls_der_take(&a, STLS_DER_SEQUENCE, &one_a) ||
		    !stls_der_take(&b, STLS_DER_SEQUENCE, &one_b))
			return STLS_WITHIN_UNKNOWN;
		r = attribute_is(one_a, one_b);
		if (r == STLS_WITHIN_NO)
			return r;
		if (r == STLS_WITHIN_UNKNOWN)
			same = r;
	}
	return stls_der_is_at_end(&a) && stls_der_is_at_end(&b)
	    ? same
	    : STLS_WITHIN_NO;
}

enum stls_within
stls_directory_has(struct stls_der base, struct stls_der *rest)
{
	struct stls_der a, b;
	enum stls_within within = STLS_WITHIN_YES, r;

	while (!stls_der_is_at_end(&base)) {
		if (stls_der_is_at_end(rest))
			return STLS_WITHIN_NO;
		if (!stls_der_take(&base, STLS_DER_SET, &a) ||
		    !stls_der_take(rest, STLS_DER_SET, &b))
			return STLS_WITHIN_UNKNOWN;
		r = level_is(a, b);
		if (r == STLS_WITHIN_NO)
			return r;
		if (r == STLS_WITHIN_UNKNOWN)
			within = r;
	}
	return within;
}

bool
stls_directory_is_same(const struct stls_der *a, const struct stls_der *b)
{
	struct stls_der rest = *b;

	return stls_directory_has(*a, &rest) == STLS_WITHIN_YES &&
	    stls_der_is_at_end(&rest);
}
