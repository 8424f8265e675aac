/* SPDX-License-Identifier: MIT */
/*
 * The password of an encrypted key, looked for in the whole memory of the
 * process: it is there while it is asked for, and nowhere behind that.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include <smtptls/context.h>

#include "faults/scan.h"
#include "freed.h"
#include "tls/factory.h"

static struct scan_needle needle;
static int freed; /* blocks that still had the secret */
static struct factory *factory;
static const char *chain, *key;
static struct smtptls_context *context;

static void
look(const void *block, size_t size)
{
	freed += scan_block(&needle, block, size);
}

/* In another process, so that this one never had the secret. */
static void
write_encrypted_key(const struct cert *cert, const char *path)
{
	char *secret = scan_needle_lend(&needle);
	char pem[8192];
	size_t len = sizeof(pem);
	FILE *file = fopen(path, "we");

	if (file == NULL ||
	    gnutls_x509_privkey_export_pkcs8(cert->key, GNUTLS_X509_FMT_PEM,
		secret, GNUTLS_PKCS_PBES2_AES_256, pem, &len) < 0 ||
	    fwrite(pem, 1, len, file) != len || fclose(file) != 0)
		_exit(1);
	_exit(0);
}

static void
setup(void)
{
	const struct cert *own;
	int status = -1;
	pid_t pid;

	scan_needle_init(&needle);
	factory = factory_new();
	own = factory_server(
	    factory, factory_ca(factory), "DNS:mail.example.org");
	chain = factory_file(
	    factory, "own.pem", factory_pem(factory, own, NULL, NULL));
	key = factory_file(factory, "own-key.pem", "");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		write_encrypted_key(own, key);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
}

static void
teardown(void)
{
	smtptls_context_free(context);
	factory_free(factory);
}

static int
give_password(const char *what, char *password, size_t cap, void *arg)
{
	char *secret = scan_needle_lend(&needle);

	(void)what;
	++*(int *)arg;
	snprintf(password, cap, "%s", secret);
	scan_needle_take_back(secret);
	return scan_memory(&needle) >= 1 ? SMTPTLS_OK : SMTPTLS_E_INVALID;
}

/* One that is wrong, one that is taken back, one without an end. */
struct bad_password {
	int row;
	const char *place; /* where it was asked for */
	size_t cap;
};

static int
give_bad_password(const char *what, char *password, size_t cap, void *arg)
{
	struct bad_password *bad = arg;
	char *secret = scan_needle_lend(&needle);
	size_t len;

	(void)what;
	bad->place = password;
	bad->cap = cap;
	snprintf(password, cap, "%s", secret);
	scan_needle_take_back(secret);
	len = strlen(password);
	password[0] = '!';
	if (bad->row == 2)
		memset(password + len, 'x', cap - len);
	return bad->row == 1 ? SMTPTLS_E_CANCELLED : SMTPTLS_OK;
}

/* Deep enough that the look itself does not write over what it looks for. */
__attribute__((noinline)) static int
load_deep_down(struct bad_password *bad)
{
	volatile char deep[65536];

	deep[0] = 0;
	return smtptls_context_load_cert_chain(
		   context, chain, key, give_bad_password, bad) +
	    deep[0];
}

START_TEST(password_that_opens_no_key_is_wiped)
{
	struct bad_password bad = { .row = _i };

	if (scan_memory(&needle) < 0)
		return;
	ck_assert_int_eq(scan_memory(&needle), 0);
	freed_tell(look);
	ck_assert_int_eq(load_deep_down(&bad), SMTPTLS_E_INVALID);
	freed_tell(NULL);
	ck_assert_uint_gt(bad.cap, 0);
	ck_assert_int_eq(scan_block(&needle, bad.place, bad.cap), 0);
	ck_assert_int_eq(freed, 0);
	/* GnuTLS keeps the first one, in what it has freed: its own affair. */
	if (_i > 0)
		ck_assert_int_eq(scan_memory(&needle), 0);
}
END_TEST

START_TEST(password_of_a_key_is_nowhere_when_the_key_is_loaded)
{
	int asked = 0;

	if (scan_memory(&needle) < 0)
		return;
	ck_assert_int_eq(scan_memory(&needle), 0);
	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, chain, key, give_password, &asked));
	ck_assert_int_eq(asked, 1);
	ck_assert_int_eq(scan_memory(&needle), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("key-secrets");
	TCase *tc = tcase_create("key-secrets");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, password_that_opens_no_key_is_wiped, 0, 3);
	tcase_add_test(tc, password_of_a_key_is_nowhere_when_the_key_is_loaded);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
