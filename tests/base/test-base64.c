/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include <smtptls/status.h>

#include "base/base64.h"

/* RFC 4648 section 10. */
static const struct {
	const char *plain, *coded;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

START_TEST(the_vectors_of_the_rfc_go_both_ways)
{
	const char *plain = vectors[_i].plain, *coded = vectors[_i].coded;
	char out[16];
	size_t len;

	ck_assert_uint_eq(
	    stls_base64_encode(out, plain, strlen(plain)), strlen(coded));
	ck_assert_str_eq(out, coded);
	ck_assert_ok(stls_base64_decode(out, coded, strlen(coded), &len));
	ck_assert_mem_eq(out, plain, len);
	ck_assert_uint_eq(len, strlen(plain));
}
END_TEST

static const char *const invalid[] = { "Z", "Zg=", "Zg",
	"Zg===", "=Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 8", "Zm8=\r\n",
	"Zg==Zg==", "Zm8-", "Zm8\xc3" };

START_TEST(what_is_not_base64_is_refused)
{
	char out[16];
	size_t len = 77;

	ck_assert_int_eq(
	    stls_base64_decode(out, invalid[_i], strlen(invalid[_i]), &len),
	    SMTPTLS_E_INVALID);
	ck_assert_uint_eq(len, 77);
}
END_TEST

/* Each byte at each place, in the first four characters and in the last. */
START_TEST(only_the_alphabet_is_base64)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[9] = "AAAAAAAA";
	unsigned char out[6];
	const char *found;
	size_t len;
	int c, r;

	for (c = 0; c < 256; c++) {
		text[_i] = (char)c;
		found = c != 0 ? strchr(alphabet, c) : NULL;
		r = stls_base64_decode(out, text, 8, &len);
		if (c == '=' && _i == 7) {
			ck_assert_ok(r);
			ck_assert_uint_eq(len, 5);
		} else if (found == NULL) {
			ck_assert_int_eq(r, SMTPTLS_E_INVALID);
		} else {
			ck_assert_ok(r);
			ck_assert_uint_eq(len, 6);
			ck_assert_uint_eq(
			    (out[_i / 4 * 3] << 16 | out[_i / 4 * 3 + 1] << 8 |
				out[_i / 4 * 3 + 2]) >>
				(6 * (3 - _i % 4)),
			    found - alphabet);
		}
	}
}
END_TEST

START_TEST(every_length_comes_back_also_in_place)
{
	unsigned char data[200];
	char text[STLS_BASE64_LEN(sizeof(data)) + 1];
	size_t len, i, n;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 167 + 13);
	for (len = 0; len <= sizeof(data); len++) {
		n = stls_base64_encode(text, data, len);
		ck_assert_ok(stls_base64_decode(text, text, n, &n));
		ck_assert_uint_eq(n, len);
		ck_assert_mem_eq(text, data, len);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("base64");
	TCase *tc = tcase_create("base64");

	tcase_add_loop_test(
	    tc, the_vectors_of_the_rfc_go_both_ways, 0, COUNT(vectors));
	tcase_add_loop_test(
	    tc, what_is_not_base64_is_refused, 0, COUNT(invalid));
	tcase_add_loop_test(tc, only_the_alphabet_is_base64, 0, 8);
	tcase_add_test(tc, every_length_comes_back_also_in_place);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
