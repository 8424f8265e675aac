/* SPDX-License-Identifier: MIT */
/*
 * Base64 (RFC 4648): what is encoded is decoded to what it was; what is decoded
 * at all is the one way to write it; no octet outside of what was handed over
 * is read or written, also where the result goes over the text.
 *
 * bounds: every content of up to LEN octets, and every text of up to as many as
 * that becomes.
 * files: lib/base/base64.c
 * short: -DLEN=3 --unwind 6
 * full: -DLEN=6 --unwind 10
 * mutant: lib/base/base64.c s/i + 2 < len ? alphabet/i + 1 < len ? alphabet/
 * mutant: lib/base/base64.c s/0xffff : 0xff)/0xfff : 0xff)/
 * mutant: lib/base/base64.c s/len % 4 != 0/len % 2 != 0/
 */
#include "base/base64.h"

#include "proof.h"

static void
encode_and_decode(size_t len)
{
	unsigned char *data = any_octets(len), *again;
	char *text = any_octets(STLS_BASE64_LEN(len) + 1);
	size_t n, decoded = nondet_size(), i;

	n = stls_base64_encode(text, data, len);
	prove(n == STLS_BASE64_LEN(len), "the length is that of the macro");
	prove(text[n] == '\0', "it ends with a NUL");
	again = any_octets(n / 4 * 3);
	prove(stls_base64_decode(again, text, n, &decoded) == SMTPTLS_OK,
	    "what was encoded can be decoded");
	prove(decoded == len, "as much is decoded as was encoded");
	for (i = 0; i < len; i++)
		prove(again[i] == data[i], "what was encoded is decoded");
	free(data);
	free(again);
	free(text);
}

/* Over the text itself, as the exchange of SASL does it. */
static void
decode_and_encode(size_t len)
{
	char *text = any_octets(len), *same = any_octets(len);
	char *again = any_octets(len + 5);
	size_t n = nondet_size(), before = n, i;

	memcpy(same, text, len);
	if (stls_base64_decode(same, same, len, &n) < 0) {
		prove(n == before, "a length is told of success alone");
	} else {
		prove(n <= len / 4 * 3, "the result has the place it is given");
		stls_base64_encode(again, same, n);
		for (i = 0; i < len; i++)
			prove(again[i] == text[i],
			    "there is one text for each content");
	}
	free(text);
	free(same);
	free(again);
}

int
main(void)
{
	size_t len;

	for (len = 0; len <= LEN; len++)
		encode_and_decode(len);
	for (len = 0; len <= STLS_BASE64_LEN(LEN); len++)
		decode_and_encode(len);
	return 0;
}
