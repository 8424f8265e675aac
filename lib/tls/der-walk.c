/* SPDX-License-Identifier: MIT */
#include "tls/der-walk.h"

#include <string.h>

size_t
stls_der_left(const struct stls_der *der)
{
	return (size_t)(der->end - der->at);
}

bool
stls_der_is_at_end(const struct stls_der *der)
{
	return der->at == der->end;
}

bool
stls_der_is_next(const struct stls_der *der, unsigned int tag)
{
	return der->at < der->end && der->at[0] == tag;
}

bool
stls_der_take(struct stls_der *der, unsigned int tag, struct stls_der *out)
{
	const unsigned char *at = der->at;
	size_t header = 2, len;

	if (stls_der_left(der) < 2 || at[0] != tag)
		return false;
	len = at[1];
	if (len >= 0x80) {
		header = 2 + (len & 0x7f);
		if (header < 3 || header > 4 || stls_der_left(der) < header)
			return false;
		len = header == 3 ? at[2] : (size_t)at[2] << 8 | at[3];
		if (len < (header == 3 ? 0x80U : 0x100U))
			return false;
	}
	if (stls_der_left(der) - header < len)
		return false;
	out->at = at + header;
	out->end = out->at + len;
	der->at = out->end;
	return true;
}

bool
stls_der_is_equal(const struct stls_der *a, const struct stls_der *b)
{
	return stls_der_left(a) == stls_der_left(b) &&
	    memcmp(a->at, b->at, stls_der_left(a)) == 0;
}

bool
stls_der_is(const struct stls_der *der, const void *data, size_t len)
{
	return stls_der_left(der) == len && memcmp(der->at, data, len) == 0;
}
