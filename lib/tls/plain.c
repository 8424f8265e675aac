/* SPDX-License-Identifier: MIT */
#include "tls/plain.h"

#include <string.h>

#include "tls/der-walk.h"

/* RFC 5280 section 4.1.2.2. */
#define SERIAL_MAX 20

/* Longer ones have no meaning that anybody knows. */
#define OID_MAX 24

#define EXTENSIONS_MAX 16

/* Subidentifiers of at most 28 bits, each as short as it can be. */
static bool
take_oid(struct stls_der *walk, struct stls_der *out)
{
	const unsigned char *at;
	size_t in_one = 0;

	if (!stls_der_take(walk, STLS_DER_OID, out) ||
	    stls_der_is_at_end(out) || stls_der_left(out) > OID_MAX)
		return false;
	for (at = out->at; at < out->end; at++) {
		if (in_one == 0 && *at == 0x80)
			return false;
		in_one = (*at & 0x80) != 0 ? in_one + 1 : 0;
		if (in_one > 3)
			return false;
	}
	return in_one == 0;
}

/*
 * Not below zero, as short as it can be. It must not be zero, but for some
 * roots it is.
 */
static bool
take_serial(struct stls_der *walk)
{
	struct stls_der v;

	if (!stls_der_take(walk, STLS_DER_INTEGER, &v) ||
	    stls_der_is_at_end(&v) || stls_der_left(&v) > SERIAL_MAX ||
	    (v.at[0] & 0x80) != 0)
		return false;
	return v.at[0] != 0 || stls_der_left(&v) == 1 || (v.at[1] & 0x80) != 0;
}

/* With parameters as RSA and elliptic curves have them, or none. */
static bool
take_algorithm(struct stls_der *walk, struct stls_der *out)
{
	struct stls_der rest, v;

	if (!stls_der_take(walk, STLS_DER_SEQUENCE, out))
		return false;
	rest = *out;
	if (!take_oid(&rest, &v))
		return false;
	if (stls_der_is_next(&rest, STLS_DER_OID) && !take_oid(&rest, &v))
		return false;
	if (stls_der_is_next(&rest, STLS_DER_NULL) &&
	    (!stls_der_take(&rest, STLS_DER_NULL, &v) ||
		!stls_der_is_at_end(&v)))
		return false;
	return stls_der_is_at_end(&rest);
}

/* All of its bits are there. */
static bool
take_bits(struct stls_der *walk)
{
	struct stls_der v;

	return stls_der_take(walk, STLS_DER_BIT_STRING, &v) &&
	    stls_der_left(&v) > 1 && v.at[0] == 0;
}

/* A name that is made of one attribute a level. */
static bool
take_name(struct stls_der *walk, gnutls_datum_t *out)
{
	static const unsigned char strings[] = { STLS_DER_UTF8,
		STLS_DER_PRINTABLE, STLS_DER_T61, STLS_DER_IA5, STLS_DER_BMP };
	const unsigned char *start = walk->at;
	struct stls_der name, set, attribute, v;

	if (!stls_der_take(walk, STLS_DER_SEQUENCE, &name) ||
	    stls_der_is_at_end(&name))
		return false;
	while (!stls_der_is_at_end(&name)) {
		if (!stls_der_take(&name, STLS_DER_SET, &set) ||
		    !stls_der_take(&set, STLS_DER_SEQUENCE, &attribute) ||
		    !stls_der_is_at_end(&set) || !take_oid(&attribute, &v) ||
		    stls_der_is_at_end(&attribute) ||
		    memchr(strings, attribute.at[0], sizeof(strings)) == NULL ||
		    !stls_der_take(&attribute, attribute.at[0], &v) ||
		    stls_der_is_at_end(&v) || !stls_der_is_at_end(&attribute))
			return false;
	}
	out->data = (unsigned char *)start;
	out->size = (unsigned int)(walk->at - start);
	return true;
}

static bool
is_number(const unsigned char *digits, int from, int to)
{
	int value = (digits[0] - '0') * 10 + digits[1] - '0';

	return digits[0] >= '0' && digits[0] <= '9' && digits[1] >= '0' &&
	    digits[1] <= '9' && value >= from && value <= to;
}

/* RFC 5280 section 4.1.2.5: with seconds, in UTC, not before 1970. */
static bool
take_time(struct stls_der *walk)
{
	const unsigned char *at;
	struct stls_der v;

	if (stls_der_is_next(walk, STLS_DER_UTC_TIME)) {
		if (!stls_der_take(walk, STLS_DER_UTC_TIME, &v) ||
		    stls_der_left(&v) != 13)
			return false;
	} else if (!stls_der_take(walk, STLS_DER_TIME, &v) ||
	    stls_der_left(&v) != 15 || !is_number(v.at, 20, 99)) {
		return false;
	}
	at = v.end - 13;
	return is_number(at, 0, 99) && is_number(at + 2, 1, 12) &&
	    is_number(at + 4, 1, 31) && is_number(at + 6, 0, 23) &&
	    is_number(at + 8, 0, 59) && is_number(at + 10, 0, 59) &&
	    at[12] == 'Z';
}

static bool
take_validity(struct stls_der *walk)
{
	struct stls_der v;

	return stls_der_take(walk, STLS_DER_SEQUENCE, &v) && take_time(&v) &&
	    take_time(&v) && stls_der_is_at_end(&v);
}

static bool
take_key(struct stls_der *walk)
{
	struct stls_der v, algorithm;

	return stls_der_take(walk, STLS_DER_SEQUENCE, &v) &&
	    take_algorithm(&v, &algorithm) && take_bits(&v) &&
	    stls_der_is_at_end(&v);
}

/* RFC 5280 section 4.2.1.9: a CA, with or without a short path. */
static bool
is_basic_constraints(struct stls_der value)
{
	struct stls_der v, is_ca, len;

	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &v) ||
	    !stls_der_is_at_end(&value) ||
	    !stls_der_take(&v, STLS_DER_BOOLEAN, &is_ca) ||
	    !stls_der_is(&is_ca, "\xff", 1))
		return false;
	if (stls_der_is_at_end(&v))
		return true;
	return stls_der_take(&v, STLS_DER_INTEGER, &len) &&
	    stls_der_left(&len) == 1 && len.at[0] < 0x80 &&
	    stls_der_is_at_end(&v);
}

/* RFC 5280 section 4.2.1.3: up to nine bits. */
static bool
is_key_usage(struct stls_der value)
{
	struct stls_der v;

	return stls_der_take(&value, STLS_DER_BIT_STRING, &v) &&
	    stls_der_is_at_end(&value) &&
	    (stls_der_left(&v) == 2 || stls_der_left(&v) == 3) && v.at[0] < 8 &&
	    (v.end[-1] & ((1U << v.at[0]) - 1)) == 0;
}

static bool
is_visible(const struct stls_der *text)
{
	const unsigned char *at;

	for (at = text->at; at < text->end; at++) {
		if (*at < 0x21 || *at > 0x7e)
			return false;
	}
	return !stls_der_is_at_end(text);
}

/* RFC 5280 section 4.2.1.6: addresses of mail, host names and URIs. */
static bool
is_alternative_names(struct stls_der value)
{
	struct stls_der names, v;

	if (!stls_der_take(&value, STLS_DER_SEQUENCE, &names) ||
	    !stls_der_is_at_end(&value) || stls_der_is_at_end(&names))
		return false;
	while (!stls_der_is_at_end(&names)) {
		if (!stls_der_take(&names, STLS_DER_GENERAL_NAME(1), &v) &&
		    !stls_der_take(&names, STLS_DER_GENERAL_NAME(2), &v) &&
		    !stls_der_take(&names, STLS_DER_GENERAL_NAME(6), &v))
			return false;
		if (!is_visible(&v))
			return false;
	}
	return true;
}

/*
 * GnuTLS reads alternative names (2.5.29.17, .18) at once, and, where it is
 * built so, what is critical.
 */
static bool
is_plain_extension(
    const struct stls_der *oid, const struct stls_der *value, bool is_critical)
{
	if (stls_der_is(oid, "\x55\x1d\x11", 3) ||
	    stls_der_is(oid, "\x55\x1d\x12", 3))
		return !is_critical && is_alternative_names(*value);
	if (!is_critical)
		return true;
	if (stls_der_is(oid, "\x55\x1d\x13", 3))
		return is_basic_constraints(*value);
	return stls_der_is(oid, "\x55\x1d\x0f", 3) && is_key_usage(*value);
}

static bool
take_extension(struct stls_der *walk, struct stls_der *out_oid)
{
	struct stls_der v, critical, value;
	bool is_critical;

	if (!stls_der_take(walk, STLS_DER_SEQUENCE, &v) ||
	    !take_oid(&v, out_oid))
		return false;
	is_critical = stls_der_is_next(&v, STLS_DER_BOOLEAN);
	if (is_critical &&
	    (!stls_der_take(&v, STLS_DER_BOOLEAN, &critical) ||
		!stls_der_is(&critical, "\xff", 1)))
		return false;
	return stls_der_take(&v, STLS_DER_OCTETS, &value) &&
	    stls_der_is_at_end(&v) &&
	    is_plain_extension(out_oid, &value, is_critical);
}

/* No extension is there twice (RFC 5280 section 4.2). */
static bool
take_extensions(struct stls_der *walk)
{
	struct stls_der oid[EXTENSIONS_MAX], v, list;
	size_t count, i;

	if (!stls_der_take(walk, STLS_DER_CONTEXT(3), &v) ||
	    !stls_der_take(&v, STLS_DER_SEQUENCE, &list) ||
	    !stls_der_is_at_end(&v) || stls_der_is_at_end(&list))
		return false;
	for (count = 0; !stls_der_is_at_end(&list); count++) {
		if (count == EXTENSIONS_MAX ||
		    !take_extension(&list, &oid[count]))
			return false;
		for (i = 0; i < count; i++) {
			if (stls_der_is_equal(&oid[i], &oid[count]))
				return false;
		}
	}
	return true;
}

/* RFC 5280 section 4.1: version 3, without unique identifiers. */
static bool
take_tbs(
    struct stls_der *walk, struct stls_der *algorithm, gnutls_datum_t *subject)
{
	gnutls_datum_t issuer;
	struct stls_der tbs, version;

	return stls_der_take(walk, STLS_DER_SEQUENCE, &tbs) &&
	    stls_der_take(&tbs, STLS_DER_CONTEXT(0), &version) &&
	    stls_der_is(&version, "\x02\x01\x02", 3) && take_serial(&tbs) &&
	    take_algorithm(&tbs, algorithm) && take_name(&tbs, &issuer) &&
	    take_validity(&tbs) && take_name(&tbs, subject) && take_key(&tbs) &&
	    (stls_der_is_at_end(&tbs) || take_extensions(&tbs)) &&
	    stls_der_is_at_end(&tbs);
}

bool
stls_plain_is_cert(
    const unsigned char *der, size_t len, gnutls_datum_t *out_subject)
{
	struct stls_der all = { der, der + len }, cert, algorithm, outer;
	gnutls_datum_t subject;

	if (!stls_der_take(&all, STLS_DER_SEQUENCE, &cert) ||
	    !stls_der_is_at_end(&all) ||
	    !take_tbs(&cert, &algorithm, &subject) ||
	    !take_algorithm(&cert, &outer) ||
	    !stls_der_is_equal(&outer, &algorithm) || !take_bits(&cert) ||
	    !stls_der_is_at_end(&cert))
		return false;
	*out_subject = subject;
	return true;
}
