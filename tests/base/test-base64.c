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

int
main(void)
{
	Suite *suite = suite_create("base64");
	TCase *tc = tcase_create("base64");

	tcase_add_loop_test(tc, the_vectors_of_the_rfc_go_both_ways, 0,
	    sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_loop_test(tc, what_is_not_base64_is_refused, 0,
	    sizeof(invalid) / sizeof(invalid[0]));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
