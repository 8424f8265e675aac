/* SPDX-License-Identifier: MIT */
#include "trust-world.h"

#include <stdio.h>

struct factory *factory;
const struct cert *root, *between, *leaf;
struct smtptls_context *context;

static void
make_certificates(void)
{
	factory = factory_new();
	root = factory_ca(factory);
	between = CERT(factory, root, .cn = "Between", .ca = true);
	leaf = factory_server(factory, between, "DNS:mx.example.org");
}

static void
free_certificates(void)
{
	factory_free(factory);
}

static void
make_context(void)
{
	context = NULL;
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
}

static void
free_context(void)
{
	smtptls_context_free(context);
}

TCase *
trust_case(Suite *suite, const char *name, SFun setup)
{
	TCase *tc = tcase_create(name);

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, make_context, free_context);
	if (setup != NULL)
		tcase_add_checked_fixture(tc, setup, NULL);
	suite_add_tcase(suite, tc);
	return tc;
}

void
assert_stats(size_t x509, size_t ca, size_t crl)
{
	struct smtptls_cert_store_stats stats;

	ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
	ck_assert_uint_eq(stats.x509, x509);
	ck_assert_uint_eq(stats.x509_ca, ca);
	ck_assert_uint_eq(stats.crl, crl);
}

void
assert_error(int r, const char *sentence)
{
	ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context), sentence);
	assert_stats(0, 0, 0);
}

const char *
with_path(const char *path, const char *rest)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%s%s", path, rest);
	return text;
}

const char *
pem(const struct cert *cert)
{
	return factory_pem(factory, cert, NULL, NULL);
}
