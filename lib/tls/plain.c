/* SPDX-License-Identifier: MIT */
#include "tls/plain.h"

#include <string.h>

/* X.690 section 8: tags as they are encoded. */
#define TAG_BOOLEAN 0x01
#define TAG_INTEGER 0x02
#define TAG_BIT_STRING 0x03
#define TAG_OCTETS 0x04
#define TAG_NULL 0x05
#define TAG_OID 0x06
#define TAG_UTF8 0x0c
#define TAG_PRINTABLE 0x13
#define TAG_T61 0x14
#define TAG_IA5 0x16
#define TAG_UTC_TIME 0x17
#define TAG_TIME 0x18
#define TAG_BMP 0x1e
#define TAG_SEQUENCE 0x30
#define TAG_SET 0x31
#define TAG_CONTEXT(n) (0xa0 | (n))
#define TAG_GENERAL_NAME(n) (0x80 | (n))

/* RFC 5280 section 4.1.2.2. */
#define SERIAL_MAX 20

/* Longer ones have no meaning that anybody knows. */
#define OID_MAX 24

#define EXTENSIONS_MAX 16

/* What is left of a value that is being walked. */
struct walk {
	const unsigned char *at;
	const unsigned char *end;
};

static size_t
left(const struct walk *walk)
{
	return (size_t)(walk->end - walk->at);
}

static bool
is_at_end(const struct walk *walk)
{
	return walk->at == walk->end;
}

static bool
is_next(const struct walk *walk, unsigned int tag)
{
	return walk->at < walk->end && walk->at[0] == tag;
}

/*
 * Take the next value, of a given tag, with a length that is definite, as
 * short as it can be, and below 64 KiB (X.690 sections 8.1.3 and 10.1).
 */
static bool
take(struct walk *walk, unsigned int tag, struct walk *out)
{
	const unsigned char *at = walk->at;
	size_t header = 2, len;

	if (left(walk) < 2 || at[0] != tag)
		return false;
	len = at[1];
	if (len >= 0x80) {
		header = 2 + (len & 0x7f);
		if (header < 3 || header > 4 || left(walk) < header)
			return false;
		len = header == 3 ? at[2] : (size_t)at[2] << 8 | at[3];
		if (len < (header == 3 ? 0x80U : 0x100U))
			return false;
	}
	if (left(walk) - header < len)
		return false;
	out->at = at + header;
	out->end = out->at + len;
	walk->at = out->end;
	return true;
}

static bool
is_equal(const struct walk *a, const struct walk *b)
{
	return left(a) == left(b) && memcmp(a->at, b->at, left(a)) == 0;
}

static bool
is_bytes(const struct walk *walk, const void *data, size_t len)
{
	return left(walk) == len && memcmp(walk->at, data, len) == 0;
}

/* Subidentifiers of at most 28 bits, each as short as it can be. */
static bool
take_oid(struct walk *walk, struct walk *out)
{
	const unsigned char *at;
	size_t in_one = 0;

	if (!take(walk, TAG_OID, out) || is_at_end(out) || left(out) > OID_MAX)
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
take_serial(struct walk *walk)
{
	struct walk v;

	if (!take(walk, TAG_INTEGER, &v) || is_at_end(&v) ||
	    left(&v) > SERIAL_MAX || (v.at[0] & 0x80) != 0)
		return false;
	return v.at[0] != 0 || left(&v) == 1 || (v.at[1] & 0x80) != 0;
}

/* With parameters as RSA and elliptic curves have them, or none. */
static bool
take_algorithm(struct walk *walk, struct walk *out)
{
	struct walk rest, v;

	if (!take(walk, TAG_SEQUENCE, out))
		return false;
	rest = *out;
	if (!take_oid(&rest, &v))
		return false;
	if (is_next(&rest, TAG_OID) && !take_oid(&rest, &v))
		return false;
	if (is_next(&rest, TAG_NULL) &&
	    (!take(&rest, TAG_NULL, &v) || !is_at_end(&v)))
		return false;
	return is_at_end(&rest);
}

/* All of its bits are there. */
static bool
take_bits(struct walk *walk)
{
	struct walk v;

	return take(walk, TAG_BIT_STRING, &v) && left(&v) > 1 && v.at[0] == 0;
}

/* A name that is made of one attribute a level. */
static bool
take_name(struct walk *walk, gnutls_datum_t *out)
{
	static const unsigned char strings[] = { TAG_UTF8, TAG_PRINTABLE,
		TAG_T61, TAG_IA5, TAG_BMP };
	const unsigned char *start = walk->at;
	struct walk name, set, attribute, v;

	if (!take(walk, TAG_SEQUENCE, &name) || is_at_end(&name))
		return false;
	while (!is_at_end(&name)) {
		if (!take(&name, TAG_SET, &set) ||
		    !take(&set, TAG_SEQUENCE, &attribute) || !is_at_end(&set) ||
		    !take_oid(&attribute, &v) || is_at_end(&attribute) ||
		    memchr(strings, attribute.at[0], sizeof(strings)) == NULL ||
		    !take(&attribute, attribute.at[0], &v) || is_at_end(&v) ||
		    !is_at_end(&attribute))
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
take_time(struct walk *walk)
{
	const unsigned char *at;
	struct walk v;

	if (is_next(walk, TAG_UTC_TIME)) {
		if (!take(walk, TAG_UTC_TIME, &v) || left(&v) != 13)
			return false;
	} else if (!take(walk, TAG_TIME, &v) || left(&v) != 15 ||
	    !is_number(v.at, 20, 99)) {
		return false;
	}
	at = v.end - 13;
	return is_number(at, 0, 99) && is_number(at + 2, 1, 12) &&
	    is_number(at + 4, 1, 31) && is_number(at + 6, 0, 23) &&
	    is_number(at + 8, 0, 59) && is_number(at + 10, 0, 59) &&
	    at[12] == 'Z';
}

static bool
take_validity(struct walk *walk)
{
	struct walk v;

	return take(walk, TAG_SEQUENCE, &v) && take_time(&v) && take_time(&v) &&
	    is_at_end(&v);
}

static bool
take_key(struct walk *walk)
{
	struct walk v, algorithm;

	return take(walk, TAG_SEQUENCE, &v) && take_algorithm(&v, &algorithm) &&
	    take_bits(&v) && is_at_end(&v);
}

/* RFC 5280 section 4.2.1.9: a CA, with or without a short path. */
static bool
is_basic_constraints(struct walk value)
{
	struct walk v, is_ca, len;

	if (!take(&value, TAG_SEQUENCE, &v) || !is_at_end(&value) ||
	    !take(&v, TAG_BOOLEAN, &is_ca) || !is_bytes(&is_ca, "\xff", 1))
		return false;
	if (is_at_end(&v))
		return true;
	return take(&v, TAG_INTEGER, &len) && left(&len) == 1 &&
	    len.at[0] < 0x80 && is_at_end(&v);
}

/* RFC 5280 section 4.2.1.3: up to nine bits. */
static bool
is_key_usage(struct walk value)
{
	struct walk v;

	return take(&value, TAG_BIT_STRING, &v) && is_at_end(&value) &&
	    (left(&v) == 2 || left(&v) == 3) && v.at[0] < 8 &&
	    (v.end[-1] & ((1U << v.at[0]) - 1)) == 0;
}

static bool
is_visible(const struct walk *text)
{
	const unsigned char *at;

	for (at = text->at; at < text->end; at++) {
		if (*at < 0x21 || *at > 0x7e)
			return false;
	}
	return !is_at_end(text);
}

/* RFC 5280 section 4.2.1.6: addresses of mail, host names and URIs. */
static bool
is_alternative_names(struct walk value)
{
	struct walk names, v;

	if (!take(&value, TAG_SEQUENCE, &names) || !is_at_end(&value) ||
	    is_at_end(&names))
		return false;
	while (!is_at_end(&names)) {
		if (!take(&names, TAG_GENERAL_NAME(1), &v) &&
		    !take(&names, TAG_GENERAL_NAME(2), &v) &&
		    !take(&names, TAG_GENERAL_NAME(6), &v))
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
    const struct walk *oid, const struct walk *value, bool is_critical)
{
	if (is_bytes(oid, "\x55\x1d\x11", 3) ||
	    is_bytes(oid, "\x55\x1d\x12", 3))
		return !is_critical && is_alternative_names(*value);
	if (!is_critical)
		return true;
	if (is_bytes(oid, "\x55\x1d\x13", 3))
		return is_basic_constraints(*value);
	return is_bytes(oid, "\x55\x1d\x0f", 3) && is_key_usage(*value);
}

static bool
take_extension(struct walk *walk, struct walk *out_oid)
{
	struct walk v, critical, value;
	bool is_critical;

	if (!take(walk, TAG_SEQUENCE, &v) || !take_oid(&v, out_oid))
		return false;
	is_critical = is_next(&v, TAG_BOOLEAN);
	if (is_critical &&
	    (!take(&v, TAG_BOOLEAN, &critical) ||
		!is_bytes(&critical, "\xff", 1)))
		return false;
	return take(&v, TAG_OCTETS, &value) && is_at_end(&v) &&
	    is_plain_extension(out_oid, &value, is_critical);
}

/* No extension is there twice (RFC 5280 section 4.2). */
static bool
take_extensions(struct walk *walk)
{
	struct walk oid[EXTENSIONS_MAX], v, list;
	size_t count, i;

	if (!take(walk, TAG_CONTEXT(3), &v) || !take(&v, TAG_SEQUENCE, &list) ||
	    !is_at_end(&v) || is_at_end(&list))
		return false;
	for (count = 0; !is_at_end(&list); count++) {
		if (count == EXTENSIONS_MAX ||
		    !take_extension(&list, &oid[count]))
			return false;
		for (i = 0; i < count; i++) {
			if (is_equal(&oid[i], &oid[count]))
				return false;
		}
	}
	return true;
}

/* RFC 5280 section 4.1: version 3, without unique identifiers. */
static bool
take_tbs(struct walk *walk, struct walk *algorithm, gnutls_datum_t *subject)
{
	gnutls_datum_t issuer;
	struct walk tbs, version;

	return take(walk, TAG_SEQUENCE, &tbs) &&
	    take(&tbs, TAG_CONTEXT(0), &version) &&
	    is_bytes(&version, "\x02\x01\x02", 3) && take_serial(&tbs) &&
	    take_algorithm(&tbs, algorithm) && take_name(&tbs, &issuer) &&
	    take_validity(&tbs) && take_name(&tbs, subject) && take_key(&tbs) &&
	    (is_at_end(&tbs) || take_extensions(&tbs)) && is_at_end(&tbs);
}

bool
stls_plain_is_cert(
    const unsigned char *der, size_t len, gnutls_datum_t *out_subject)
{
	struct walk all = { der, der + len }, cert, algorithm, outer;
	gnutls_datum_t subject;

	if (!take(&all, TAG_SEQUENCE, &cert) || !is_at_end(&all) ||
	    !take_tbs(&cert, &algorithm, &subject) ||
	    !take_algorithm(&cert, &outer) || !is_equal(&outer, &algorithm) ||
	    !take_bits(&cert) || !is_at_end(&cert))
		return false;
	*out_subject = subject;
	return true;
}
