/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include "crypto/digest.h"

struct fields {
	const char *a, *b;
};

static void
digest(const struct fields *fields, unsigned char out[STLS_DIGEST_LEN])
{
	struct stls_digest digest;

	stls_digest_begin(&digest);
	stls_digest_add_str(&digest, fields->a);
	stls_digest_add_str(&digest, fields->b);
	ck_assert(stls_digest_end(&digest, out));
}

START_TEST(same_fields_have_the_same_digest)
{
	char copy[] = "ab";
	unsigned char one[STLS_DIGEST_LEN], two[STLS_DIGEST_LEN];

	digest(&(struct fields){ "ab", "c" }, one);
	digest(&(struct fields){ copy, "c" }, two);
	ck_assert_mem_eq(one, two, STLS_DIGEST_LEN);
}
END_TEST

static const struct fields others[] = {
	{ "ab", "d" },
	{ "a", "bc" },
	{ "abc", "" },
	{ "abc", NULL },
	{ "", "abc" },
	{ NULL, "abc" },
	{ "c", "ab" },
	{ NULL, NULL },
	{ "", NULL },
	{ NULL, "" },
	{ "", "" },
};
#define OTHERS COUNT(others)

START_TEST(other_fields_have_another_digest)
{
	unsigned char one[STLS_DIGEST_LEN], other[STLS_DIGEST_LEN];
	int i;

	digest(&others[_i], one);
	digest(&(struct fields){ "ab", "c" }, other);
	ck_assert_mem_ne(one, other, STLS_DIGEST_LEN);
	for (i = 0; i < OTHERS; i++) {
		digest(&others[i], other);
		ck_assert_int_eq(
		    memcmp(one, other, STLS_DIGEST_LEN) == 0, i == _i);
	}
}
END_TEST

/* SHA-256 of eight zero octets is what a field that is not there adds. */
START_TEST(digest_is_sha_256)
{
	static const unsigned char expected[STLS_DIGEST_LEN] = { 0xaf, 0x55,
		0x70, 0xf5, 0xa1, 0x81, 0x0b, 0x7a, 0xf7, 0x8c, 0xaf, 0x4b,
		0xc7, 0x0a, 0x66, 0x0f, 0x0d, 0xf5, 0x1e, 0x42, 0xba, 0xf9,
		0x1d, 0x4d, 0xe5, 0xb2, 0x32, 0x8d, 0xe0, 0xe8, 0x3d, 0xfc };
	unsigned char out[STLS_DIGEST_LEN];
	struct stls_digest digest;

	stls_digest_begin(&digest);
	stls_digest_add_str(&digest, NULL);
	ck_assert(stls_digest_end(&digest, out));
	ck_assert_mem_eq(out, expected, STLS_DIGEST_LEN);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("digest");
	TCase *tc = tcase_create("digest");

	tcase_add_test(tc, same_fields_have_the_same_digest);
	tcase_add_loop_test(tc, other_fields_have_another_digest, 0, OTHERS);
	tcase_add_test(tc, digest_is_sha_256);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
