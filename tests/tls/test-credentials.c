/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>

#include <smtptls/context.h>

#include "factory.h"
#include "freed.h"
#include "serve.h"
#include "tls/context.h"

static struct factory *factory;
static struct smtptls_context *context;
static const struct cert *root, *between, *ecdsa, *rsa;

static const unsigned int ciphers[] = { GNUTLS_PKCS_PBES2_AES_256,
	GNUTLS_PKCS_PBES2_AES_128, GNUTLS_PKCS_PBES2_3DES,
	GNUTLS_PKCS_PKCS12_3DES };
static const char *encrypted[COUNT(ciphers)]; /* paths */

/* It takes a while, by design: once is enough. */
static void
encrypt_key(int i)
{
	char text[8192], name[32];
	size_t size = sizeof(text) - 1;

	ck_assert_ok(gnutls_x509_privkey_export_pkcs8(ecdsa->key,
	    GNUTLS_X509_FMT_PEM, "correct horse", ciphers[i], text, &size));
	text[size] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "BEGIN ENCRYPTED PRIVATE KEY"));
	snprintf(name, sizeof(name), "encrypted-%d.pem", i);
	encrypted[i] = factory_file(factory, name, text);
}

static void
make_certificates(void)
{
	size_t i;

	factory = factory_new();
	root = factory_ca(factory);
	between = CERT(factory, root, .cn = "Between", .ca = true);
	ecdsa = factory_server(factory, between, "DNS:mx.example.org");
	rsa = CERT(factory, between, .rsa_bits = 2048);
	for (i = 0; i < COUNT(ciphers); i++)
		encrypt_key((int)i);
}

static void
free_certificates(void)
{
	factory_free(factory);
}

static void
setup(void)
{
	context = NULL;
	ck_assert_ok(smtptls_context_new(SMTPTLS_CLIENT_AUTH, &context));
}

static void
teardown(void)
{
	smtptls_context_free(context);
}

static const char *
cert_file(const struct cert *cert)
{
	return factory_file(
	    factory, "cert.pem", factory_pem(factory, cert, between, NULL));
}

static const char *
key_file(const struct cert *cert)
{
	return factory_file(factory, "key.pem", factory_key_pem(factory, cert));
}

/* A password callback that counts, and what it is asked for. */
struct answers {
	const char *password; /* NULL: give up */
	bool endless;	      /* no NUL */
	int asked;
	char what[512];
};

static int
answer(const char *what, char *password, size_t cap, void *arg)
{
	struct answers *answers = arg;

	answers->asked++;
	snprintf(answers->what, sizeof(answers->what), "%s", what);
	if (answers->endless) {
		memset(password, 'x', cap);
		return SMTPTLS_OK;
	}
	if (answers->password == NULL)
		return SMTPTLS_E_CANCELLED;
	ck_assert_uint_gt(cap, strlen(answers->password));
	memcpy(password, answers->password, strlen(answers->password) + 1);
	return SMTPTLS_OK;
}

static void
assert_refused(int r, const char *path, const char *sentence)
{
	char expected[1024];
	struct stls_err err;

	snprintf(expected, sizeof(expected), "%s%s", path, sentence);
	ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context), expected);
	ck_assert(!context->has_certificate);
	ck_assert_int_eq(stls_context_freeze(context, &err), SMTPTLS_E_INVALID);
}

/* A server with the context's certificate; what a client gets of it. */
static void
assert_serves(const struct cert *cert, unsigned int chain_len)
{
	const gnutls_datum_t *der = factory_der(factory, cert);
	gnutls_datum_t first;
	unsigned int count;

	ck_assert(serve_once(context, &count, &first));
	ck_assert_uint_eq(count, chain_len);
	ck_assert_uint_eq(first.size, der->size);
	ck_assert_mem_eq(first.data, der->data, der->size);
	gnutls_free(first.data);
}

START_TEST(a_chain_and_its_key_serve)
{
	const struct cert *cert = _i == 0 ? ecdsa : rsa;

	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, cert_file(cert), key_file(cert), NULL, NULL));
	assert_serves(cert, 2);
}
END_TEST

START_TEST(key_and_certificates_may_be_in_one_file)
{
	char text[16384];

	if (_i == 0)
		snprintf(text, sizeof(text), "%s%s",
		    factory_key_pem(factory, ecdsa),
		    factory_pem(factory, ecdsa, between, NULL));
	else
		snprintf(text, sizeof(text), "%s%s",
		    factory_pem(factory, ecdsa, between, NULL),
		    factory_key_pem(factory, ecdsa));
	ck_assert_ok(smtptls_context_load_cert_chain(context,
	    factory_file(factory, "both.pem", text), NULL, NULL, NULL));
	assert_serves(ecdsa, 2);
}
END_TEST

START_TEST(loading_again_replaces)
{
	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, cert_file(rsa), key_file(rsa), NULL, NULL));
	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, cert_file(ecdsa), key_file(ecdsa), NULL, NULL));
	assert_serves(ecdsa, 2);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
	const struct cert *twin = factory_server(
	    factory, between, "DNS:mx.example.org");
	const struct cert *keys[] = { rsa, twin, between };
	const char *cert = cert_file(ecdsa);
	const char *key = key_file(keys[_i]);
	char expected[1024];

	snprintf(expected, sizeof(expected),
	    "the key in %s is not that of the certificate in %s", key, cert);
	assert_refused(
	    smtptls_context_load_cert_chain(context, cert, key, NULL, NULL), "",
	    expected);
}
END_TEST

START_TEST(a_chain_in_the_wrong_order_is_refused)
{
	const char *cert = factory_file(
	    factory, "cert.pem", factory_pem(factory, between, ecdsa, NULL));

	ck_assert_int_eq(smtptls_context_load_cert_chain(
			     context, cert, key_file(ecdsa), NULL, NULL),
	    SMTPTLS_E_INVALID);
}
END_TEST

/* Encrypted keys, in all the forms there are. */

START_TEST(an_encrypted_key_needs_its_password)
{
	const char *key = encrypted[_i];
	struct answers right = { .password = "correct horse" };

	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, cert_file(ecdsa), key, answer, &right));
	ck_assert_int_eq(right.asked, 1);
	ck_assert_str_eq(right.what, key);
	assert_serves(ecdsa, 2);
	/* And not a second time. */
	ck_assert_int_eq(right.asked, 1);
}
END_TEST

START_TEST(a_wrong_password_is_refused)
{
	const char *key = encrypted[_i];
	struct answers wrong = { .password = "battery staple" };

	assert_refused(smtptls_context_load_cert_chain(
			   context, cert_file(ecdsa), key, answer, &wrong),
	    key, " line 1: the password is wrong");
	ck_assert_int_eq(wrong.asked, 1);
}
END_TEST

START_TEST(an_empty_password_is_a_password)
{
	const char *key = encrypted[_i];
	struct answers empty = { .password = "" };

	assert_refused(smtptls_context_load_cert_chain(
			   context, cert_file(ecdsa), key, answer, &empty),
	    key, " line 1: the password is wrong");
}
END_TEST

START_TEST(without_a_password_an_encrypted_key_is_refused)
{
	const char *key = encrypted[_i];

	assert_refused(smtptls_context_load_cert_chain(
			   context, cert_file(ecdsa), key, NULL, NULL),
	    key,
	    " line 1: the key is encrypted, and there is no password for it");
}
END_TEST

/*
 * What OpenSSL wrote before PKCS #8: AES-128-CBC, under the MD5 sum of the
 * password and the first half of the initial vector, which stands in front.
 */
static const char *
openssl_key(const struct cert *cert, const char *password)
{
	static unsigned char iv[] = "0123456789abcdef";
	unsigned char key[16], secret[64];
	gnutls_datum_t der, pem, k = { key, 16 }, v = { iv, 16 };
	gnutls_cipher_hd_t cipher;
	char text[8192];
	size_t pad, len = strlen(password);

	memcpy(secret, password, len);
	memcpy(secret + len, iv, 8);
	ck_assert_ok(gnutls_hash_fast(GNUTLS_DIG_MD5, secret, len + 8, key));
	ck_assert_ok(
	    gnutls_x509_privkey_export2(cert->key, GNUTLS_X509_FMT_DER, &der));
	pad = 16 - der.size % 16;
	der.data = gnutls_realloc(der.data, der.size + pad);
	memset(der.data + der.size, (int)pad, pad);
	der.size += (unsigned int)pad;
	ck_assert_ok(
	    gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_128_CBC, &k, &v));
	ck_assert_ok(gnutls_cipher_encrypt(cipher, der.data, der.size));
	gnutls_cipher_deinit(cipher);
	ck_assert_ok(gnutls_pem_base64_encode2("EC PRIVATE KEY", &der, &pem));
	snprintf(text, sizeof(text),
	    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-128-CBC,30313233343536373839616263646566\n%s",
	    strchr((const char *)pem.data, '\n'));
	gnutls_free(der.data);
	gnutls_free(pem.data);
	return factory_file(factory, "openssl.pem", text);
}

/* What a program has set for its tokens is not asked for our files. */
static int asked_globally;

static int
answer_globally(void *arg, int attempt, const char *url, const char *label,
    unsigned int flags, char *pin, size_t cap)
{
	(void)arg;
	(void)attempt;
	(void)url;
	(void)label;
	(void)flags;
	asked_globally++;
	snprintf(pin, cap, "correct horse");
	return 0;
}

START_TEST(nobody_else_is_asked_for_a_password)
{
	const char *key = _i == 0 ? encrypted[0]
				  : openssl_key(ecdsa, "correct horse");

	gnutls_pkcs11_set_pin_function(answer_globally, NULL);
	assert_refused(smtptls_context_load_cert_chain(
			   context, cert_file(ecdsa), key, NULL, NULL),
	    key,
	    " line 1: the key is encrypted, and there is no password for it");
	gnutls_pkcs11_set_pin_function(NULL, NULL);
	ck_assert_int_eq(asked_globally, 0);
}
END_TEST

static char of_key[40];
static int freed_keys;

static void
look_for_key(const void *block, size_t size)
{
	freed_keys += memmem(block, size, of_key, sizeof(of_key)) != NULL;
}

START_TEST(a_key_is_wiped_that_was_read)
{
	const char *cert = cert_file(ecdsa), *key = key_file(ecdsa);

	/* Behind its first line. */
	memcpy(of_key, strchr(factory_key_pem(factory, ecdsa), '\n') + 1,
	    sizeof(of_key));
	freed_tell(look_for_key);
	ck_assert_ok(
	    smtptls_context_load_cert_chain(context, cert, key, NULL, NULL));
	freed_tell(NULL);
	ck_assert_int_eq(freed_keys, 0);
}
END_TEST

START_TEST(giving_up_at_the_password_is_refused)
{
	const char *key = encrypted[0];
	struct answers none = { .password = NULL, .endless = _i == 1 };

	assert_refused(smtptls_context_load_cert_chain(
			   context, cert_file(ecdsa), key, answer, &none),
	    key, " line 1: the key is encrypted, and no password was given");
}
END_TEST

START_TEST(a_key_that_old_openssl_encrypted_needs_its_password)
{
	const char *key = openssl_key(ecdsa, "correct horse");
	struct answers right = { .password = "correct horse" };
	struct answers wrong = { .password = "battery staple" };

	if (_i == 0) {
		ck_assert_ok(smtptls_context_load_cert_chain(
		    context, cert_file(ecdsa), key, answer, &right));
		ck_assert_int_eq(right.asked, 1);
		assert_serves(ecdsa, 2);
	} else if (_i == 1) {
		assert_refused(smtptls_context_load_cert_chain(context,
				   cert_file(ecdsa), key, answer, &wrong),
		    key, " line 1: the password is wrong");
	} else {
		assert_refused(smtptls_context_load_cert_chain(
				   context, cert_file(ecdsa), key, NULL, NULL),
		    key,
		    " line 1: the key is encrypted, and there is no password "
		    "for it");
	}
}
END_TEST

START_TEST(a_plain_key_needs_no_password)
{
	struct answers answers = { .password = "correct horse" };

	ck_assert_ok(smtptls_context_load_cert_chain(
	    context, cert_file(ecdsa), key_file(ecdsa), answer, &answers));
	ck_assert_int_eq(answers.asked, 0);
}
END_TEST

/* What is no certificate or no key. */

START_TEST(files_must_be_there_and_hold_what_they_should)
{
	const char *cert = cert_file(ecdsa), *key = key_file(ecdsa);
	const char *none = factory_file(factory, "none.pem", "nothing\n");
	char fifo[512];

	switch (_i) {
	case 0:
		assert_refused(smtptls_context_load_cert_chain(
				   context, "/nonexistent", key, NULL, NULL),
		    "/nonexistent", ": No such file or directory");
		break;
	case 1:
		assert_refused(smtptls_context_load_cert_chain(
				   context, cert, "/nonexistent", NULL, NULL),
		    "/nonexistent", ": No such file or directory");
		break;
	case 2:
		assert_refused(smtptls_context_load_cert_chain(
				   context, none, key, NULL, NULL),
		    none, ": no certificate in it");
		break;
	case 3:
		assert_refused(smtptls_context_load_cert_chain(
				   context, cert, none, NULL, NULL),
		    none, ": no private key in it");
		break;
	case 4:
		assert_refused(smtptls_context_load_cert_chain(
				   context, cert, NULL, NULL, NULL),
		    cert, ": no private key in it");
		break;
	case 5:
		assert_refused(smtptls_context_load_cert_chain(
				   context, NULL, key, NULL, NULL),
		    "", "no file of the own certificate");
		break;
	default:
		snprintf(
		    fifo, sizeof(fifo), "%s/fifo-%d", factory_dir(factory), _i);
		ck_assert_ok(mkfifo(fifo, 0600));
		assert_refused(smtptls_context_load_cert_chain(context,
				   _i == 6 ? fifo : cert, _i == 6 ? key : fifo,
				   NULL, NULL),
		    fifo, ": not a regular file");
		ck_assert_ok(unlink(fifo));
	}
}
END_TEST

START_TEST(a_key_that_cannot_be_parsed_is_located)
{
	const char *path = factory_file(factory, "bad.key",
	    "\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	char expected[512];

	snprintf(expected, sizeof(expected), "%s line 2: no valid key: ", path);
	ck_assert_int_eq(smtptls_context_load_cert_chain(
			     context, cert_file(ecdsa), path, NULL, NULL),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(smtptls_context_error(context), expected));
}
END_TEST

START_TEST(a_chain_of_more_than_sixteen_is_refused)
{
	char text[65536];
	size_t len = 0;
	int i;

	for (i = 0; i < 17; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
		    factory_pem(factory, i == 0 ? ecdsa : between, NULL, NULL));
	ck_assert_int_eq(smtptls_context_load_cert_chain(context,
			     factory_file(factory, "long.pem", text),
			     key_file(ecdsa), NULL, NULL),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(
	    smtptls_context_error(context), ": more than 16 certificates"));
}
END_TEST

START_TEST(a_token_that_is_not_there_is_an_error)
{
	static const char url[] = "pkcs11:token=nosuch;object=nosuch";

	ck_assert_int_eq(smtptls_context_load_cert_chain(context,
			     _i == 0 ? url : cert_file(ecdsa),
			     _i == 0 ? key_file(ecdsa) : url, NULL, NULL),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_eq(strstr(smtptls_context_error(context), url),
	    smtptls_context_error(context));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("credentials");
	TCase *tc = tcase_create("credentials");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_chain_and_its_key_serve, 0, 2);
	tcase_add_loop_test(tc, key_and_certificates_may_be_in_one_file, 0, 2);
	tcase_add_test(tc, loading_again_replaces);
	tcase_add_loop_test(tc, a_key_of_another_certificate_is_refused, 0, 3);
	tcase_add_test(tc, a_chain_in_the_wrong_order_is_refused);
	tcase_add_loop_test(
	    tc, an_encrypted_key_needs_its_password, 0, COUNT(ciphers));
	tcase_add_loop_test(tc, a_wrong_password_is_refused, 0, COUNT(ciphers));
	tcase_add_loop_test(tc, an_empty_password_is_a_password, 0, 1);
	tcase_add_loop_test(tc, without_a_password_an_encrypted_key_is_refused,
	    0, COUNT(ciphers));
	tcase_add_loop_test(tc, nobody_else_is_asked_for_a_password, 0, 2);
	tcase_add_loop_test(tc, giving_up_at_the_password_is_refused, 0, 2);
	tcase_add_loop_test(
	    tc, a_key_that_old_openssl_encrypted_needs_its_password, 0, 3);
	tcase_add_test(tc, a_plain_key_needs_no_password);
	tcase_add_test(tc, a_key_is_wiped_that_was_read);
	tcase_add_loop_test(
	    tc, files_must_be_there_and_hold_what_they_should, 0, 8);
	tcase_add_test(tc, a_key_that_cannot_be_parsed_is_located);
	tcase_add_test(tc, a_chain_of_more_than_sixteen_is_refused);
	tcase_add_loop_test(tc, a_token_that_is_not_there_is_an_error, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
