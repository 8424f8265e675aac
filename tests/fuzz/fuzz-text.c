/* SPDX-License-Identifier: MIT */
/* Texts as they are written for others: base64, xtext, escapes, UTF-8, pins. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/utf8.h"
#include "crypto/pin.h"
#include "smtp/xtext.h"

static void
check_base64(const char *text, size_t len)
{
	char *out = malloc(STLS_BASE64_LEN(len) + 1), *back;
	size_t n = stls_base64_encode(out, text, len), back_len = 0;

	FUZZ_CHECK(n == STLS_BASE64_LEN(len) && strlen(out) == n);
	back = malloc(n / 4 * 3 + 1);
	FUZZ_CHECK(stls_base64_decode(back, out, n, &back_len) == SMTPTLS_OK);
	FUZZ_CHECK(back_len == len && memcmp(back, text, len) == 0);
	free(back);
	free(out);

	/* What is taken for base64 has no other way of being written. */
	back = malloc(len / 4 * 3 + 1);
	if (stls_base64_decode(back, text, len, &back_len) == SMTPTLS_OK) {
		out = malloc(STLS_BASE64_LEN(back_len) + 1);
		n = stls_base64_encode(out, back, back_len);
		FUZZ_CHECK(n == len && memcmp(out, text, len) == 0);
		free(out);
	}
	free(back);
}

static void
check_xtext(const char *text)
{
	size_t cap = 3 * strlen(text) + 1, i;
	char *out = malloc(cap), *back = malloc(cap), *last = malloc(cap);
	int n = stls_xtext_encode(out, cap, text);

	if (n >= 0) {
		FUZZ_CHECK((size_t)n == strlen(out));
		for (i = 0; i < (size_t)n; i++)
			FUZZ_CHECK(out[i] > ' ' && out[i] < 0x7f);
		FUZZ_CHECK(
		    stls_xtext_decode(back, cap, out) == (int)strlen(text));
		FUZZ_CHECK(strcmp(back, text) == 0);
		FUZZ_CHECK(stls_xtext_encode(back, (size_t)n, text) < 0);
	}
	n = stls_xtext_decode(back, cap, text);
	if (n >= 0) {
		FUZZ_CHECK((size_t)n == strlen(back));
		FUZZ_CHECK(fuzz_is_printable(back, strlen(back)));
		FUZZ_CHECK(stls_xtext_encode(out, cap, back) >= 0);
		FUZZ_CHECK(stls_xtext_decode(last, cap, out) == n);
		FUZZ_CHECK(strcmp(last, back) == 0);
	}
	free(last);
	free(back);
	free(out);
}

static void
check_xtext_utf8(const char *text)
{
	size_t cap = 12 * strlen(text) + 1;
	char *out = malloc(cap);
	int n = stls_xtext_encode_utf8(out, cap, text), i;

	FUZZ_CHECK((n >= 0) == fuzz_is_printable(text, strlen(text)));
	for (i = 0; i < n; i++)
		FUZZ_CHECK(out[i] > ' ' && out[i] < 0x7f);
	free(out);
}

static void
check_utf8(const char *text, size_t len)
{
	size_t n = stls_ascii_printable(text, len);

	FUZZ_CHECK(n == len || text[n] < ' ' || text[n] > '~');
	FUZZ_CHECK(fuzz_is_printable(text, n) && stls_ascii_only(text, n));
	FUZZ_CHECK(
	    fuzz_is_printable(text, len) == !stls_utf8_has_control(text, len));
	if (!stls_utf8_has_control(text, len))
		FUZZ_CHECK(stls_utf8_is_valid(text, len));
}

static void
check_escape(const char *text, size_t len)
{
	static const size_t caps[] = { 1, 2, 4, 5, 9, 64 };
	size_t cap = 4 * len + 5, i, n, all;
	char *out = malloc(cap), *other;

	all = stls_escape(out, cap, text, len);
	FUZZ_CHECK(strlen(out) == all && fuzz_is_printable(out, all));
	if (stls_ascii_printable(text, len) == len)
		FUZZ_CHECK(all == len && memcmp(out, text, len) == 0);
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		other = malloc(caps[i]);
		n = stls_escape(other, caps[i], text, len);
		FUZZ_CHECK(n < caps[i] && n <= all && other[n] == '\0');
		FUZZ_CHECK(memcmp(other, out, n) == 0);
		FUZZ_CHECK(fuzz_is_printable(other, n));
		free(other);
	}
	free(out);
}

static void
check_sentence(const char *text)
{
	struct stls_err err = { 0 };

	stls_err_set(&err, SMTPTLS_E_IO, "it says \"%s\"", text);
	FUZZ_CHECK(fuzz_is_sentence(err.text));
	stls_err_prefix(&err, "%s", text);
	FUZZ_CHECK(fuzz_is_sentence(err.text));
	FUZZ_CHECK(strlen(err.text) < sizeof(err.text));
}

static void
check_pin(const char *text)
{
	unsigned char pin[STLS_PIN_LEN];
	char again[STLS_PIN_TEXT_LEN + 1];
	struct stls_err err;

	if (stls_pin_parse(&err, text, pin) < 0)
		return;
	stls_pin_format(again, pin);
	FUZZ_CHECK(strcmp(again, text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	char *text = fuzz_take_rest(&input, NULL);

	check_base64((const char *)data, size);
	check_utf8((const char *)data, size);
	check_escape((const char *)data, size);
	check_xtext(text);
	check_xtext_utf8(text);
	check_sentence(text);
	check_pin(text);
	free(text);
	return 0;
}
