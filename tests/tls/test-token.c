/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/pkcs11.h>

#include <smtptls/context.h>

#include "factory.h"
#include "freed.h"
#include "serve.h"
#include "tls/context.h"

/* With SoftHSM, where it is installed; else the test is skipped. */
static const char *const modules[] = {
	"/usr/lib/softhsm/libsofthsm2.so",
	"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/lib64/softhsm/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so",
};

#define SKIPPED 77
#define LABEL "smtptls test"
#define TOKEN "pkcs11:token=smtptls%20test"
#define PIN "12345678"
#define CERT_URL TOKEN ";object=mail;type=cert"
#define KEY_URL TOKEN ";object=mail;type=private"

static struct factory *factory;
static struct smtptls_context *context;
static const struct cert *cert;

static const char *
find_module(void)
{
	size_t i;

	for (i = 0; i < COUNT(modules); i++) {
		if (access(modules[i], R_OK) == 0)
			return modules[i];
	}
	return NULL;
}

static int
answer_admin(void *arg, int attempt, const char *url, const char *label,
    unsigned int flags, char *pin, size_t cap)
{
	(void)arg;
	(void)attempt;
	(void)url;
	(void)label;
	(void)flags;
	ck_assert_uint_gt(cap, sizeof(PIN));
	memcpy(pin, PIN, sizeof(PIN));
	return 0;
}

/* A token of its own for each test, in the private directory. */
static void
make_token(void)
{
	char text[1024], dir[512];
	int status;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s/tokens", factory_dir(factory));
	ck_assert_ok(mkdir(dir, 0700));
	snprintf(text, sizeof(text),
	    "directories.tokendir = %s\nobjectstore.backend = file\n", dir);
	setenv("SOFTHSM2_CONF", factory_file(factory, "softhsm.conf", text), 1);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execlp("softhsm2-util", "softhsm2-util", "--init-token",
		    "--free", "--label", LABEL, "--so-pin", PIN, "--pin", PIN,
		    (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static void
fill_token(void)
{
	static const gnutls_datum_t id = { (unsigned char *)"1", 1 };

	gnutls_pkcs11_set_pin_function(answer_admin, NULL);
	ck_assert_ok(gnutls_pkcs11_copy_x509_crt2(
	    TOKEN, cert->crt, "mail", &id, GNUTLS_PKCS11_OBJ_FLAG_LOGIN));
	ck_assert_ok(gnutls_pkcs11_copy_x509_privkey2(TOKEN, cert->key, "mail",
	    &id, GNUTLS_KEY_DIGITAL_SIGNATURE,
	    GNUTLS_PKCS11_OBJ_FLAG_MARK_SENSITIVE |
		GNUTLS_PKCS11_OBJ_FLAG_LOGIN));
	/* From now on nobody answers but the callback of the context. */
	gnutls_pkcs11_set_pin_function(NULL, NULL);
}

static void
setup(void)
{
	factory = factory_new();
	cert = factory_server(
	    factory, factory_ca(factory), "DNS:mx.example.org");
	make_token();
	ck_assert_ok(gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_MANUAL, NULL));
	ck_assert_ok(gnutls_pkcs11_add_provider(find_module(), NULL));
	fill_token();
	context = NULL;
	ck_assert_ok(smtptls_context_new(SMTPTLS_CLIENT_AUTH, &context));
}

static void
teardown(void)
{
	smtptls_context_free(context);
	gnutls_pkcs11_deinit();
	factory_free(factory);
}

struct answers {
	const char *pin;
	bool endless; /* no NUL */
	int asked;
	char what[128];
};

static int
answer(const char *what, char *password, size_t cap, void *arg)
{
	struct answers *answers = arg;

	answers->asked++;
	snprintf(answers->what, sizeof(answers->what), "%s", what);
	if (answers->pin == NULL) {
		memset(password, 'x', cap);
		return answers->endless ? SMTPTLS_OK : SMTPTLS_E_CANCELLED;
	}
	snprintf(password, cap, "%s", answers->pin);
	return SMTPTLS_OK;
}

static const char *
cert_file(void)
{
	return factory_file(
	    factory, "cert.pem", factory_pem(factory, cert, NULL, NULL));
}

START_TEST(a_token_serves_with_its_pin)
{
	struct answers *answers = malloc(sizeof(*answers));

	*answers = (struct answers){ .pin = PIN };
	ck_assert_msg(smtptls_context_load_cert_chain(context,
			  _i == 0 ? CERT_URL : cert_file(), KEY_URL, answer,
			  answers) == 0,
	    "%s", smtptls_context_error(context));
	ck_assert_int_eq(answers->asked, 1);
	ck_assert_str_eq(answers->what, LABEL);
	/* The callback is not kept: nothing may read this any more. */
	memset(answers, 0xff, sizeof(*answers));
	free(answers);
	ck_assert(serve_once(context, NULL, NULL));
}
END_TEST

static int freed_pins;

static void
look_for_pin(const void *block, size_t size)
{
	freed_pins += memmem(block, size, PIN, strlen(PIN)) != NULL;
}

START_TEST(a_pin_that_was_kept_is_wiped)
{
	struct answers answers = { .pin = PIN };

	freed_tell(look_for_pin);
	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, CERT_URL, KEY_URL, answer, &answers));
	smtptls_context_free(context);
	freed_tell(NULL);
	context = NULL;
	ck_assert_int_eq(freed_pins, 0);
}
END_TEST

/* A child opens the token anew, with the PIN that was kept. */
START_TEST(a_token_serves_in_a_forked_child)
{
	struct answers answers = { .pin = PIN };
	int status;
	pid_t pid;

	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, CERT_URL, KEY_URL, answer, &answers));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(serve_once(context, NULL, NULL) && answers.asked == 1
			? 0
			: 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(serve_once(context, NULL, NULL));
}
END_TEST

/* Three wrong answers would lock a real token. */
START_TEST(a_wrong_pin_is_refused_and_not_tried_again)
{
	struct answers answers = { .pin = "87654321" };

	ck_assert_int_eq(smtptls_context_load_cert_chain(
			     context, CERT_URL, KEY_URL, answer, &answers),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(answers.asked, 1);
	ck_assert_ptr_eq(strstr(smtptls_context_error(context), KEY_URL ": "),
	    smtptls_context_error(context));
}
END_TEST

START_TEST(without_a_pin_a_token_is_refused)
{
	struct answers none = { .pin = NULL, .endless = _i == 2 };

	ck_assert_int_eq(
	    smtptls_context_load_cert_chain(context, CERT_URL, KEY_URL,
		_i == 0 ? NULL : answer, _i == 0 ? NULL : &none),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(none.asked, _i == 0 ? 0 : 1);
}
END_TEST

START_TEST(a_key_of_a_token_must_fit_too)
{
	struct answers answers = { .pin = PIN };
	const struct cert *other = factory_server(
	    factory, factory_ca(factory), "DNS:mx.example.org");

	ck_assert_int_eq(smtptls_context_load_cert_chain(context,
			     factory_file(factory, "other.pem",
				 factory_pem(factory, other, NULL, NULL)),
			     KEY_URL, answer, &answers),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(smtptls_context_error(context),
	    "is not that of the certificate in"));
}
END_TEST

int
main(void)
{
	Suite *suite;
	TCase *tc;

	if (find_module() == NULL ||
	    system("softhsm2-util --version >/dev/null 2>&1") != 0) {
		printf("SoftHSM is not installed\n");
		return SKIPPED;
	}
	suite = suite_create("token");
	tc = tcase_create("token");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_token_serves_with_its_pin, 0, 2);
	tcase_add_test(tc, a_token_serves_in_a_forked_child);
	tcase_add_test(tc, a_pin_that_was_kept_is_wiped);
	tcase_add_test(tc, a_wrong_pin_is_refused_and_not_tried_again);
	tcase_add_loop_test(tc, without_a_pin_a_token_is_refused, 0, 3);
	tcase_add_test(tc, a_key_of_a_token_must_fit_too);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
