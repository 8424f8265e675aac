/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_DER_H
#define STLS_TEST_DER_H

#include <stddef.h>

/* Just enough of an encoder of DER (X.690) for what GnuTLS cannot make. */
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTETS 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_ENUMERATED 0x0a
#define DER_TIME 0x18
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
#define DER_CONTEXT(n) (0x80 | (n))
#define DER_CONSTRUCTED 0x20

/* An encoded item; data NULL is nothing at all. */
struct der {
	unsigned char *data;
	size_t len;
};

/* An item of a tag and its content, or of what is encoded already. */
struct der der_bytes(int tag, const void *content, size_t len);
struct der der_raw(const void *encoded, size_t len);

/* An item around `count` others (struct der), which it takes over. */
struct der der_join(int tag, int count, ...);

/* One item behind another; it takes both over. */
struct der der_append(struct der a, struct der b);

void der_done(struct der *der);

/* Take the first item, with its header, off what is encoded one by one. */
struct der der_first(const unsigned char **at, const unsigned char *end);

/* What is inside of an item, without its header. */
struct der der_content(const unsigned char *item, size_t len);

/* The bytes that hexadecimal digits stand for. */
struct der der_hex(const char *digits);

/* Where the bits of the BIT STRING that ends a SubjectPublicKeyInfo begin. */
size_t der_last_bit_string(const unsigned char *spki, size_t len);

#endif
