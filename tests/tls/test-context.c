/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include <smtptls/context.h>

#include "factory.h"
#include "tls/context.h"

static struct factory *factory;
static struct smtptls_context *context;

static void
setup(void)
{
	factory = factory_new();
	context = NULL;
}

static void
teardown(void)
{
	smtptls_context_free(context);
	factory_free(factory);
}

static void
new_context(enum smtptls_purpose purpose)
{
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new(purpose, &context));
	ck_assert_str_eq(smtptls_context_error(context), "");
}

static const char *
ca_file(const char *name)
{
	return factory_file(factory, name,
	    factory_pem(factory, factory_ca(factory), NULL, NULL));
}

static void
load_own_certificate(void)
{
	const struct cert *ca = factory_ca(factory);
	const struct cert *cert = factory_server(
	    factory, ca, "DNS:mx.example.org");

	ck_assert_ok(smtptls_context_load_cert_chain(context,
	    factory_file(
		factory, "own.pem", factory_pem(factory, cert, NULL, NULL)),
	    factory_file(factory, "own.key", factory_key_pem(factory, cert)),
	    NULL, NULL));
}

START_TEST(a_client_context_requires_certificates_and_checks_names)
{
	new_context(SMTPTLS_SERVER_AUTH);
	ck_assert_int_eq(
	    smtptls_context_verify_mode(context), SMTPTLS_CERT_REQUIRED);
	ck_assert_int_eq(smtptls_context_check_hostname(context), 1);
	ck_assert_int_eq(smtptls_context_purpose(context), SMTPTLS_SERVER_AUTH);
}
END_TEST

START_TEST(a_server_context_asks_clients_for_nothing)
{
	new_context(SMTPTLS_CLIENT_AUTH);
	ck_assert_int_eq(
	    smtptls_context_verify_mode(context), SMTPTLS_CERT_NONE);
	ck_assert_int_eq(smtptls_context_check_hostname(context), 0);
	ck_assert_int_eq(smtptls_context_purpose(context), SMTPTLS_CLIENT_AUTH);
}
END_TEST

START_TEST(a_constructor_that_fails_gives_a_context_with_a_sentence)
{
	ck_assert_int_eq(smtptls_context_new(7, &context), SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(context);
	ck_assert_str_eq(
	    smtptls_context_error(context), "7 is no purpose of a context");
	smtptls_context_free(context);

	ck_assert_int_eq(smtptls_context_new_default(SMTPTLS_SERVER_AUTH,
			     "/nonexistent/ca.pem", NULL, NULL, 0, &context),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(context);
	ck_assert_str_eq(smtptls_context_error(context),
	    "/nonexistent/ca.pem: No such file or directory");
}
END_TEST

START_TEST(without_a_context_the_sentence_is_that_memory_ran_out)
{
	ck_assert_str_eq(smtptls_context_error(NULL), "out of memory");
	smtptls_context_free(NULL);
	ck_assert_ptr_null(smtptls_context_ref(NULL));
	ck_assert_int_eq(
	    smtptls_context_new(SMTPTLS_SERVER_AUTH, NULL), SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(what_failed_first_stays_and_spoils_the_context)
{
	struct stls_err err;

	new_context(SMTPTLS_SERVER_AUTH);
	ck_assert_int_eq(
	    smtptls_context_load_verify_file(context, "/nonexistent/1"),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_context_load_verify_file(context, ca_file("ca.pem")),
	    SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context),
	    "/nonexistent/1: No such file or directory");
	ck_assert_int_eq(stls_context_freeze(context, &err), SMTPTLS_E_INVALID);
	ck_assert_str_eq(err.text, "/nonexistent/1: No such file or directory");
}
END_TEST

/* Every setter, to be tried on one context. */
static int
call_setter(int i)
{
	switch (i) {
	case 0:
		return smtptls_context_load_verify_file(context, "/x");
	case 1:
		return smtptls_context_load_verify_dir(context, "/x");
	case 2:
		return smtptls_context_load_verify_mem(context, "x", 1);
	case 3:
		return smtptls_context_load_default_certs(context);
	case 4:
		return smtptls_context_load_crl_file(context, "/x");
	case 5:
		return smtptls_context_load_crl_mem(context, "x", 1);
	case 6:
		return smtptls_context_load_cert_chain(
		    context, "/x", NULL, NULL, NULL);
	case 7:
		return smtptls_context_set_ciphers(context, "AES-256-GCM");
	case 8:
		return smtptls_context_set_minimum_version(
		    context, SMTPTLS_TLS_1_3);
	case 9:
		return smtptls_context_set_maximum_version(
		    context, SMTPTLS_TLS_1_2);
	case 10:
		return smtptls_context_set_verify_mode(
		    context, SMTPTLS_CERT_REQUIRED);
	case 11:
		return smtptls_context_insecure_no_check_hostname(context);
	case 12:
		return smtptls_context_insecure_no_verify(context);
	default:
		return smtptls_context_insecure_allow_legacy(
		    context, SMTPTLS_TLS_1_0);
	}
}

#define SETTERS 14

START_TEST(after_its_first_use_a_context_is_not_changed)
{
	struct stls_err err;
	struct smtptls_context *before;

	new_context(SMTPTLS_SERVER_AUTH);
	ck_assert_ok(stls_context_freeze(context, &err));
	before = malloc(sizeof(*before));
	memcpy(before, context, sizeof(*before));
	ck_assert_int_eq(call_setter(_i), SMTPTLS_E_STATE);
	ck_assert_str_eq(smtptls_context_error(context), "");
	ck_assert_ptr_eq(context->trust.list, before->trust.list);
	ck_assert_ptr_eq(context->priority, before->priority);
	ck_assert(!context->insecure);
	ck_assert(context->check_hostname);
	ck_assert_ok(stls_context_freeze(context, &err));
	free(before);
}
END_TEST

START_TEST(a_null_context_is_an_invalid_argument)
{
	context = NULL;
	ck_assert_int_eq(call_setter(_i), SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(a_server_without_a_certificate_is_not_used)
{
	struct stls_err err;

	new_context(SMTPTLS_CLIENT_AUTH);
	ck_assert_int_eq(stls_context_freeze(context, &err), SMTPTLS_E_STATE);
	ck_assert_str_eq(err.text, "a server context without a certificate");
	load_own_certificate();
	ck_assert_ok(stls_context_freeze(context, &err));
}
END_TEST

START_TEST(holders_keep_a_context)
{
	struct smtptls_context *second;

	new_context(SMTPTLS_SERVER_AUTH);
	second = smtptls_context_ref(context);
	ck_assert_ptr_eq(second, context);
	smtptls_context_free(second);
	ck_assert_str_eq(smtptls_context_error(context), "");
}
END_TEST

START_TEST(certificates_are_not_waived_while_names_are_checked)
{
	new_context(SMTPTLS_SERVER_AUTH);
	ck_assert_int_eq(
	    smtptls_context_insecure_no_verify(context), SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context),
	    "certificates are needed as long as host names are checked");
	ck_assert_int_eq(
	    smtptls_context_verify_mode(context), SMTPTLS_CERT_REQUIRED);

	new_context(SMTPTLS_SERVER_AUTH);
	ck_assert_ok(smtptls_context_insecure_no_check_hostname(context));
	ck_assert_int_eq(smtptls_context_check_hostname(context), 0);
	ck_assert_int_eq(
	    smtptls_context_verify_mode(context), SMTPTLS_CERT_REQUIRED);
	ck_assert_ok(smtptls_context_insecure_no_verify(context));
	ck_assert_int_eq(
	    smtptls_context_verify_mode(context), SMTPTLS_CERT_NONE);
	ck_assert(context->insecure);
}
END_TEST

static const struct {
	enum smtptls_purpose purpose;
	int mode;
	int expected;
} modes[] = {
	{ SMTPTLS_SERVER_AUTH, SMTPTLS_CERT_REQUIRED, SMTPTLS_OK },
	{ SMTPTLS_SERVER_AUTH, SMTPTLS_CERT_OPTIONAL, SMTPTLS_E_INVALID },
	{ SMTPTLS_SERVER_AUTH, SMTPTLS_CERT_NONE, SMTPTLS_E_INVALID },
	{ SMTPTLS_SERVER_AUTH, 3, SMTPTLS_E_INVALID },
	{ SMTPTLS_CLIENT_AUTH, SMTPTLS_CERT_REQUIRED, SMTPTLS_OK },
	{ SMTPTLS_CLIENT_AUTH, SMTPTLS_CERT_OPTIONAL, SMTPTLS_OK },
	{ SMTPTLS_CLIENT_AUTH, SMTPTLS_CERT_NONE, SMTPTLS_OK },
	{ SMTPTLS_CLIENT_AUTH, -1, SMTPTLS_E_INVALID },
};

START_TEST(only_servers_choose_a_verify_mode)
{
	enum smtptls_verify_mode before;

	new_context(modes[_i].purpose);
	before = smtptls_context_verify_mode(context);
	ck_assert_int_eq(smtptls_context_set_verify_mode(
			     context, (enum smtptls_verify_mode)modes[_i].mode),
	    modes[_i].expected);
	ck_assert_int_eq((int)smtptls_context_verify_mode(context),
	    modes[_i].expected == SMTPTLS_OK ? modes[_i].mode : (int)before);
}
END_TEST

START_TEST(a_server_context_has_no_names_to_check)
{
	new_context(SMTPTLS_CLIENT_AUTH);
	ck_assert_int_eq(smtptls_context_insecure_no_check_hostname(context),
	    SMTPTLS_E_INVALID);
	new_context(SMTPTLS_CLIENT_AUTH);
	ck_assert_int_eq(
	    smtptls_context_insecure_no_verify(context), SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(contexts_differ_in_their_identity)
{
	unsigned char id[STLS_CONTEXT_ID_LEN];

	new_context(SMTPTLS_SERVER_AUTH);
	memcpy(id, context->id, sizeof(id));
	new_context(SMTPTLS_SERVER_AUTH);
	ck_assert_mem_ne(id, context->id, sizeof(id));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("context");
	TCase *tc = tcase_create("context");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
	    tc, a_client_context_requires_certificates_and_checks_names);
	tcase_add_test(tc, a_server_context_asks_clients_for_nothing);
	tcase_add_test(
	    tc, a_constructor_that_fails_gives_a_context_with_a_sentence);
	tcase_add_test(
	    tc, without_a_context_the_sentence_is_that_memory_ran_out);
	tcase_add_test(tc, what_failed_first_stays_and_spoils_the_context);
	tcase_add_loop_test(
	    tc, after_its_first_use_a_context_is_not_changed, 0, SETTERS);
	tcase_add_loop_test(
	    tc, a_null_context_is_an_invalid_argument, 0, SETTERS);
	tcase_add_test(tc, a_server_without_a_certificate_is_not_used);
	tcase_add_test(tc, holders_keep_a_context);
	tcase_add_test(tc, certificates_are_not_waived_while_names_are_checked);
	tcase_add_loop_test(tc, only_servers_choose_a_verify_mode, 0,
	    sizeof(modes) / sizeof(modes[0]));
	tcase_add_test(tc, a_server_context_has_no_names_to_check);
	tcase_add_test(tc, contexts_differ_in_their_identity);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
