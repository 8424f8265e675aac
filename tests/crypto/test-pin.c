/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "crypto/pin.h"

/* RFC 7469 section 2.1.5. */
#define BASE64 "d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM="
#define PIN "sha256//" BASE64

static const unsigned char octets[STLS_PIN_LEN] = { 0x77, 0xaa, 0xb3, 0x46,
	0xef, 0x73, 0x38, 0x40, 0x9b, 0xf7, 0x45, 0x1e, 0xcf, 0x6e, 0xf1, 0x5a,
	0x5b, 0x4d, 0xb2, 0x3d, 0x1e, 0xd4, 0xc7, 0x7b, 0x1a, 0x46, 0x18, 0x91,
	0x5a, 0x19, 0x5a, 0x63 };

START_TEST(pin_is_read_and_written)
{
	unsigned char pin[STLS_PIN_LEN];
	char text[STLS_PIN_TEXT_LEN + 1];
	struct stls_err err;

	ck_assert_uint_eq(strlen(PIN), STLS_PIN_TEXT_LEN);
	ck_assert_ok(stls_pin_parse(&err, PIN, pin));
	ck_assert_mem_eq(pin, octets, sizeof(pin));
	stls_pin_format(text, pin);
	ck_assert_str_eq(text, PIN);
}
END_TEST

static void
refuse(const char *text)
{
	unsigned char pin[STLS_PIN_LEN] = { 7 };
	struct stls_err err = { 0 };

	ck_assert_msg(
	    stls_pin_parse(&err, text, pin) == SMTPTLS_E_INVALID, "%s", text);
	ck_assert_uint_eq(pin[0], 7);
	ck_assert_ptr_eq(
	    strstr(err.text, "a pin is sha256// and the 44 "), err.text);
	ck_assert_ptr_nonnull(strstr(err.text, text));
}

static const char *const others[] = {
	"",
	" ",
	"sha256//",
	BASE64,
	"sha256/" BASE64,
	"sha256:" BASE64,
	"sha256///" BASE64,
	"SHA256//" BASE64,
	"sha1//" BASE64,
	"sha1//qvTGHdzF6KLavt4PO0gs2a6pQ00=",
	"sha512//" BASE64,
	/* Padding: missing, too much, for another length. */
	"sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM",
	PIN "=",
	"sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmMA",
	"sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWg==",
	/* Bits left over (RFC 4648 section 3.5). */
	"sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmN=",
	/* Another alphabet, and hexadecimal. */
	"sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZ-_M=",
	"sha256//77aab346ef7338409bf7451ecf6ef15a5b4db23d1ed4c77b1a4618915a195a"
	"63",
	/* Blanks, and two in one, as curl has them. */
	" " PIN,
	PIN " ",
	"sha256// " BASE64,
	PIN ";" PIN,
	PIN " " PIN,
	"sha256//d6qzRu9zOECb90Uez27 WltNsj0e1Md7GkYYkVoZWmM=",
	"sha256//d6qzRu9zOECb90Uez27 xWltNsj0e1Md7GkYYkVoZWmM=",
};

START_TEST(what_is_no_pin_is_refused)
{
	refuse(others[_i]);
}
END_TEST

START_TEST(pin_without_or_with_one_more_character_is_none)
{
	char text[STLS_PIN_TEXT_LEN + 2];
	size_t i;

	for (i = 0; i < STLS_PIN_TEXT_LEN; i++) {
		memcpy(text, PIN, i);
		strcpy(text + i, &PIN[i + 1]);
		refuse(text);
		text[i] = 'A';
		strcpy(text + i + 1, &PIN[i]);
		refuse(text);
	}
}
END_TEST

START_TEST(nothing_is_no_pin)
{
	unsigned char pin[STLS_PIN_LEN];
	struct stls_err err;

	ck_assert_int_eq(stls_pin_parse(&err, NULL, pin), SMTPTLS_E_INVALID);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pin");
	TCase *tc = tcase_create("pin");

	tcase_add_test(tc, pin_is_read_and_written);
	tcase_add_loop_test(tc, what_is_no_pin_is_refused, 0, COUNT(others));
	tcase_add_test(tc, pin_without_or_with_one_more_character_is_none);
	tcase_add_test(tc, nothing_is_no_pin);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
