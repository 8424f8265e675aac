/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include <smtptls/client.h>
#include <smtptls/context.h>

#include "base/alloc.h"
#include "factory.h"
#include "freed.h"
#include "tls/context.h"

#define PIN "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM="

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
	case 13:
		return smtptls_context_insecure_allow_lax_profile(context);
	default:
		return smtptls_context_insecure_allow_legacy(
		    context, SMTPTLS_TLS_1_0);
	}
}

#define SETTERS 15

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
	ck_assert_uint_eq(
	    context->trust.store.count, before->trust.store.count);
	ck_assert_ptr_eq(context->priority, before->priority);
	ck_assert(!context->insecure);
	ck_assert(!context->lax);
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

/* All that allocates, one after another; the first failure ends it. */
struct inputs {
	const char *ca, *dir, *pem, *crl, *cert, *key;
};

static void
make_inputs(struct inputs *in)
{
	const struct cert *ca = factory_ca(factory);
	const struct cert *cert = factory_server(
	    factory, ca, "DNS:mx.example.org");

	in->pem = factory_pem(factory, ca, NULL, NULL);
	in->ca = factory_file(factory, "ca.pem", in->pem);
	in->dir = factory_dir(factory);
	in->crl = factory_file(factory, "list.crl",
	    factory_crl(factory, ca, &(struct crl_spec){ 0 }));
	in->cert = factory_file(
	    factory, "cert.txt", factory_pem(factory, cert, NULL, NULL));
	in->key = factory_file(
	    factory, "key.txt", factory_key_pem(factory, cert));
}

static int
set_up_all(const struct inputs *in)
{
	const unsigned char *der;
	struct stls_err err;
	size_t len;
	int r;

	r = smtptls_context_new_default(SMTPTLS_SERVER_AUTH, in->ca, in->dir,
	    in->pem, strlen(in->pem), &context);
	if (r >= 0)
		r = smtptls_context_load_crl_file(context, in->crl);
	if (r >= 0)
		r = smtptls_context_load_crl_file(context, in->crl);
	if (r >= 0)
		r = smtptls_context_load_cert_chain(
		    context, in->cert, in->key, NULL, NULL);
	if (r >= 0)
		r = smtptls_context_set_ciphers(context, "!DHE-RSA");
	if (r >= 0)
		r = smtptls_context_set_ciphers(context, "AES-256-GCM");
	if (r >= 0)
		r = smtptls_context_add_pin(context, PIN);
	if (r >= 0)
		r = smtptls_context_get_ca_cert(context, 0, &der, &len);
	if (r >= 0)
		r = stls_context_freeze(context, &err);
	return r;
}

START_TEST(memory_that_runs_out_is_an_error_wherever_it_happens)
{
	struct smtptls_cert_store_stats stats;
	struct inputs in;
	unsigned long n;
	int r;

	make_inputs(&in);
	for (n = 1; n < 1000; n++) {
		stls_alloc_fail_at(n);
		r = set_up_all(&in);
		if (!stls_alloc_has_failed())
			break;
		ck_assert_int_eq(r, SMTPTLS_E_NOMEM);
		stls_alloc_fail_at(0);
		/* What there is can be asked, and freed. */
		if (context != NULL)
			ck_assert_ok(
			    smtptls_context_cert_store_stats(context, &stats));
		smtptls_context_free(context);
		context = NULL;
	}
	stls_alloc_fail_at(0);
	ck_assert_ok(r);
	ck_assert_uint_gt(n, 15);
}
END_TEST

/* NULL would be taken for the system's CAs, which nobody asked for here. */
START_TEST(a_context_there_is_no_memory_for_is_not_the_default_one)
{
	struct smtptls_client *client;

	stls_alloc_fail_at(1);
	ck_assert_int_eq(smtptls_context_new_default(SMTPTLS_SERVER_AUTH,
			     "/nonexistent", NULL, NULL, 0, &context),
	    SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_ptr_nonnull(context);
	ck_assert_str_eq(smtptls_context_error(context), "out of memory");
	ck_assert_int_lt(
	    smtptls_client_new("mail.example.org", context, &client), 0);
	ck_assert_str_eq(smtptls_client_error(client), "out of memory");
	smtptls_client_free(client);
	smtptls_context_free(smtptls_context_ref(context));

	context = NULL;
	stls_alloc_fail_at(1);
	ck_assert_int_eq(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context),
	    SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	ck_assert_str_eq(smtptls_context_error(context), "out of memory");
}
END_TEST

/* Freeze and use one context in several threads; for ThreadSanitizer. */
static void *
use_in_thread(void *arg)
{
	struct smtptls_context *shared = arg;
	struct smtptls_cert_store_stats stats;
	struct smtptls_cipher cipher;
	const unsigned char *der;
	gnutls_session_t session;
	struct stls_err err;
	size_t len;
	bool ok;

	ok = stls_context_freeze(shared, &err) == 0 &&
	    gnutls_init(&session, GNUTLS_CLIENT) == 0 &&
	    gnutls_priority_set(session, shared->priority) == 0 &&
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
		shared->credentials.cert) == 0 &&
	    smtptls_context_get_ca_cert(shared, 0, &der, &len) == 0 &&
	    smtptls_context_cert_store_stats(shared, &stats) == 0 &&
	    smtptls_context_get_cipher(shared, 0, &cipher) == 0 &&
	    smtptls_context_set_ciphers(shared, "AES-256-GCM") ==
		SMTPTLS_E_STATE &&
	    smtptls_context_verify_mode(shared) == SMTPTLS_CERT_REQUIRED;
	if (ok)
		gnutls_deinit(session);
	smtptls_context_free(shared);
	return ok ? shared : NULL;
}

#define THREADS 4
#define ROUNDS 20

START_TEST(threads_share_a_context_from_its_first_use)
{
	pthread_t threads[THREADS];
	void *result;
	const char *ca = ca_file("ca.pem");
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		ck_assert_ok(smtptls_context_new_default(
		    SMTPTLS_SERVER_AUTH, ca, NULL, NULL, 0, &context));
		for (i = 0; i < THREADS; i++)
			ck_assert_ok(pthread_create(&threads[i], NULL,
			    use_in_thread, smtptls_context_ref(context)));
		/* The last of them frees it. */
		smtptls_context_free(context);
		context = NULL;
		for (i = 0; i < THREADS; i++) {
			ck_assert_ok(pthread_join(threads[i], &result));
			ck_assert_ptr_nonnull(result);
		}
	}
}
END_TEST

/* A setter of one thread and the first use by another: either way round. */
static void *
set_in_thread(void *arg)
{
	smtptls_context_load_verify_file(context, arg);
	return NULL;
}

START_TEST(a_setter_and_a_first_use_wait_for_each_other)
{
	struct smtptls_cert_store_stats stats;
	const char *ca = ca_file("ca.pem");
	struct stls_err err;
	pthread_t thread;
	size_t seen;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		new_context(SMTPTLS_SERVER_AUTH);
		ck_assert_ok(pthread_create(
		    &thread, NULL, set_in_thread, (void *)(uintptr_t)ca));
		ck_assert_ok(stls_context_freeze(context, &err));
		ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
		seen = stats.x509;
		ck_assert_ok(pthread_join(thread, NULL));
		/* After the first use nothing is added. */
		ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
		ck_assert_uint_eq(stats.x509, seen);
	}
}
END_TEST

static atomic_bool has_begun;

static void *
freeze_in_thread(void *arg)
{
	struct stls_err err;

	(void)arg;
	atomic_store(&has_begun, true);
	ck_assert_ok(stls_context_freeze(context, &err));
	return NULL;
}

/* The second of two first uses waits for the first, and has nothing to do. */
START_TEST(a_server_context_that_is_used_has_one_ticket_key)
{
	const unsigned char *key;
	struct stls_err err;
	pthread_t thread;
	int round, turn;

	for (round = 0; round < ROUNDS; round++) {
		new_context(SMTPTLS_CLIENT_AUTH);
		load_own_certificate();
		atomic_store(&has_begun, false);
		pthread_mutex_lock(&context->lock);
		ck_assert_ok(
		    pthread_create(&thread, NULL, freeze_in_thread, NULL));
		while (!atomic_load(&has_begun))
			sched_yield();
		for (turn = 0; turn < 100; turn++)
			sched_yield();
		ck_assert_ok(stls_context_freeze(context, &err));
		key = context->ticket_key.data;
		pthread_mutex_unlock(&context->lock);
		ck_assert_ok(pthread_join(thread, NULL));
		ck_assert_ptr_eq(context->ticket_key.data, key);
	}
}
END_TEST

static unsigned char ticket_key[256];
static size_t ticket_key_len;
static int freed_keys;

static void
look_for_ticket_key(const void *block, size_t size)
{
	freed_keys += memmem(block, size, ticket_key, ticket_key_len) != NULL;
}

START_TEST(a_ticket_key_is_wiped_with_its_context)
{
	struct stls_err err;

	new_context(SMTPTLS_CLIENT_AUTH);
	load_own_certificate();
	ck_assert_ok(stls_context_freeze(context, &err));
	ticket_key_len = context->ticket_key.size;
	ck_assert_uint_gt(ticket_key_len, 0);
	ck_assert_uint_le(ticket_key_len, sizeof(ticket_key));
	memcpy(ticket_key, context->ticket_key.data, ticket_key_len);
	freed_tell_all(look_for_ticket_key);
	smtptls_context_free(context);
	freed_tell_all(NULL);
	context = NULL;
	ck_assert_int_eq(freed_keys, 0);
}
END_TEST

/* A password callback that uses the context it is asked for. */
static int
meddle(const char *what, char *password, size_t cap, void *arg)
{
	struct stls_err err;

	(void)what;
	(void)arg;
	ck_assert_ok(
	    smtptls_context_set_minimum_version(context, SMTPTLS_TLS_1_3));
	/* A session would keep what is going to be replaced. */
	ck_assert_int_eq(stls_context_freeze(context, &err), SMTPTLS_E_STATE);
	snprintf(password, cap, "secret");
	return SMTPTLS_OK;
}

START_TEST(a_password_callback_may_call_setters_and_begin_nothing)
{
	const struct cert *cert = factory_server(
	    factory, factory_ca(factory), "DNS:mx.example.org");
	char text[8192];
	size_t size = sizeof(text) - 1;
	struct smtptls_cipher cipher;

	ck_assert_ok(
	    gnutls_x509_privkey_export_pkcs8(cert->key, GNUTLS_X509_FMT_PEM,
		"secret", GNUTLS_PKCS_PBES2_AES_128, text, &size));
	text[size] = '\0';
	new_context(SMTPTLS_CLIENT_AUTH);
	load_own_certificate();
	ck_assert_ok(smtptls_context_load_cert_chain(context,
	    factory_file(
		factory, "own.pem", factory_pem(factory, cert, NULL, NULL)),
	    factory_file(factory, "own.key", text), meddle, NULL));
	ck_assert_ok(smtptls_context_get_cipher(context, 0, &cipher));
	ck_assert_int_eq(cipher.version, SMTPTLS_TLS_1_3);
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
	tcase_add_loop_test(
	    tc, only_servers_choose_a_verify_mode, 0, COUNT(modes));
	tcase_add_test(tc, a_server_context_has_no_names_to_check);
	tcase_add_test(tc, contexts_differ_in_their_identity);
	tcase_add_test(
	    tc, memory_that_runs_out_is_an_error_wherever_it_happens);
	tcase_add_test(
	    tc, a_context_there_is_no_memory_for_is_not_the_default_one);
	tcase_add_test(tc, threads_share_a_context_from_its_first_use);
	tcase_add_test(tc, a_setter_and_a_first_use_wait_for_each_other);
	tcase_add_test(tc, a_server_context_that_is_used_has_one_ticket_key);
	tcase_add_test(tc, a_ticket_key_is_wiped_with_its_context);
	tcase_add_test(
	    tc, a_password_callback_may_call_setters_and_begin_nothing);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
