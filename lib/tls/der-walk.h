/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_DER_WALK_H
#define STLS_TLS_DER_WALK_H

#include <stdbool.h>
#include <stddef.h>

/* X.690 section 8: tags as they are encoded. */
#define STLS_DER_BOOLEAN 0x01
#define STLS_DER_INTEGER 0x02
#define STLS_DER_BIT_STRING 0x03
#define STLS_DER_OCTETS 0x04
#define STLS_DER_NULL 0x05
#define STLS_DER_OID 0x06
#define STLS_DER_UTF8 0x0c
#define STLS_DER_PRINTABLE 0x13
#define STLS_DER_T61 0x14
#define STLS_DER_IA5 0x16
#define STLS_DER_UTC_TIME 0x17
#define STLS_DER_TIME 0x18
#define STLS_DER_BMP 0x1e
#define STLS_DER_SEQUENCE 0x30
#define STLS_DER_SET 0x31
#define STLS_DER_CONTEXT(n) (0xa0 | (n))
#define STLS_DER_GENERAL_NAME(n) (0x80 | (n))

/* What is left of a value that is being walked. */
struct stls_der {
	const unsigned char *at;
	const unsigned char *end;
};

size_t stls_der_left(const struct stls_der *der);
bool stls_der_is_at_end(const struct stls_der *der);
bool stls_der_is_next(const struct stls_der *der, unsigned int tag);

/* Whether two, or one and `len` bytes, are the same. */
bool stls_der_is_equal(const struct stls_der *a, const struct stls_der *b);
bool stls_der_is(const struct stls_der *der, const void *data, size_t len);

/* Case counts in none of the texts that are compared. */
static inline unsigned char
stls_der_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/*
 * Take the next value, of a given tag, with a length that is definite, as
 * short as it can be, and below 64 KiB (X.690 sections 8.1.3 and 10.1).
 */
bool stls_der_take(
    struct stls_der *der, unsigned int tag, struct stls_der *out);

#endif
