/* SPDX-License-Identifier: MIT */
#include "der.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

void
der_done(struct der *der)
{
	free(der->data);
	*der = (struct der){ 0 };
}

struct der
der_raw(const void *encoded, size_t len)
{
	struct der der = { .data = malloc(len + 1), .len = len };

	ck_assert_ptr_nonnull(der.data);
	memcpy(der.data, encoded, len);
	return der;
}

struct der
der_bytes(int tag, const void *content, size_t len)
{
	struct der der = { .data = malloc(len + 4) };
	size_t head = 0;

	ck_assert_ptr_nonnull(der.data);
	ck_assert_uint_lt(len, 65536);
	der.data[head++] = (unsigned char)tag;
	if (len >= 256) {
		der.data[head++] = 0x82;
		der.data[head++] = (unsigned char)(len >> 8);
	} else if (len >= 128) {
		der.data[head++] = 0x81;
	}
	der.data[head++] = (unsigned char)len;
	memcpy(der.data + head, content, len);
	der.len = head + len;
	return der;
}

struct der
der_join(int tag, int count, ...)
{
	static unsigned char content[65536];
	size_t len = 0;
	struct der part;
	va_list ap;
	int i;

	va_start(ap, count);
	for (i = 0; i < count; i++) {
		part = va_arg(ap, struct der);
		ck_assert_uint_le(len + part.len, sizeof(content));
		if (part.len > 0)
			memcpy(content + len, part.data, part.len);
		len += part.len;
		der_done(&part);
	}
	va_end(ap);
	return der_bytes(tag, content, len);
}

struct der
der_append(struct der a, struct der b)
{
	a.data = realloc(a.data, a.len + b.len + 1);
	ck_assert_ptr_nonnull(a.data);
	memcpy(a.data + a.len, b.data, b.len);
	a.len += b.len;
	der_done(&b);
	return a;
}

/* Skip tag and length; the length of the content goes to *len. */
static size_t
skip_head(const unsigned char *data, size_t pos, size_t *len)
{
	size_t n = data[pos + 1];

	if (n == 0x82) {
		*len = (size_t)data[pos + 2] << 8 | data[pos + 3];
		return pos + 4;
	}
	if (n == 0x81) {
		*len = data[pos + 2];
		return pos + 3;
	}
	ck_assert_uint_lt(n, 0x80);
	*len = n;
	return pos + 2;
}

struct der
der_first(const unsigned char **at, const unsigned char *end)
{
	size_t inner, head;
	struct der item;

	ck_assert(end - *at >= 2);
	head = skip_head(*at, 0, &inner);
	ck_assert_uint_le(head + inner, (size_t)(end - *at));
	item = der_raw(*at, head + inner);
	*at += head + inner;
	return item;
}

struct der
der_content(const unsigned char *item, size_t len)
{
	size_t inner, head = skip_head(item, 0, &inner);

	ck_assert_uint_eq(head + inner, len);
	return der_raw(item + head, inner);
}

struct der
der_hex(const char *digits)
{
	struct der der = { .data = malloc(strlen(digits) / 2 + 1) };
	unsigned int byte;

	ck_assert_ptr_nonnull(der.data);
	for (; digits[0] != '\0'; digits += 2) {
		ck_assert_int_eq(sscanf(digits, "%2x", &byte), 1);
		der.data[der.len++] = (unsigned char)byte;
	}
	return der;
}

size_t
der_last_bit_string(const unsigned char *spki, size_t len)
{
	size_t pos, inner;

	pos = skip_head(spki, 0, &inner);
	pos = skip_head(spki, pos, &inner); /* the algorithm */
	pos = skip_head(spki, pos + inner, &inner);
	ck_assert_uint_eq(pos + inner, len);
	return pos + 1; /* behind the count of unused bits */
}
