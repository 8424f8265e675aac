/* SPDX-License-Identifier: MIT */
/* A trust store from a file or from memory. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "tls/source.h"
#include "trust-world.h"

/*
 * What read(2) says at its second call, that the file has ended or that
 * something is wrong; or GnuTLS takes a certificate less. read(2) has another
 * name in C, since libc's prototype has attributes of its own.
 */
enum {
	NOTHING_FAILS,
	FILE_ENDS,
	FILE_FAILS,
	LIST_IS_FULL
};
static int fault, calls;
ssize_t fake_read(int fd, void *buf, size_t len) __asm__("read");

ssize_t
fake_read(int fd, void *buf, size_t len)
{
	ssize_t (*real)(int, void *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "read");
	if (fault != FILE_ENDS && fault != FILE_FAILS)
		return real(fd, buf, len);
	if (calls++ == 0)
		return real(fd, buf, len - 1);
	errno = EIO;
	return fault == FILE_ENDS ? 0 : -1;
}

int
gnutls_x509_trust_list_add_cas(gnutls_x509_trust_list_t list,
    const gnutls_x509_crt_t *cas, unsigned int count, unsigned int flags)
{
	__typeof__(&gnutls_x509_trust_list_add_cas) real;

	*(void **)&real = dlsym(RTLD_NEXT, __func__);
	return real(
	    list, cas, fault == LIST_IS_FULL ? count - 1 : count, flags);
}

static void
setup(void)
{
	fault = NOTHING_FAILS;
	calls = 0;
}

START_TEST(a_file_may_hold_several_certificates_and_comments)
{
	char text[16384];

	snprintf(text, sizeof(text),
	    "# CAs of the house\n\n%s\nIssuer: somebody\n-----no boundary\n%s",
	    pem(root), pem(between));
	ck_assert_ok(smtptls_context_load_verify_file(
	    context, factory_file(factory, "two.pem", text)));
	assert_stats(2, 2, 0);
}
END_TEST

START_TEST(line_ends_of_other_systems_are_fine)
{
	const char *from = pem(root);
	char text[8192];
	size_t len = 0;

	for (; *from != '\0'; from++) {
		if (*from == '\n')
			text[len++] = '\r';
		text[len++] = *from;
	}
	/* And the last line may have none at all. */
	text[len - 2] = '\0';
	ck_assert_ok(
	    smtptls_context_load_verify_mem(context, text, strlen(text)));
	assert_stats(1, 1, 0);
}
END_TEST

START_TEST(the_old_label_of_a_certificate_is_known)
{
	char text[8192], *p;

	snprintf(text, sizeof(text), "-----BEGIN X509 CERTIFICATE-----%s",
	    strchr(pem(root), '\n'));
	p = strstr(text, "-----END");
	strcpy(p, "-----END X509 CERTIFICATE-----\n");
	ck_assert_ok(
	    smtptls_context_load_verify_mem(context, text, strlen(text)));
	assert_stats(1, 1, 0);
}
END_TEST

START_TEST(memory_may_hold_der_one_after_another)
{
	const gnutls_datum_t *a = factory_der(factory, root);
	const gnutls_datum_t *b = factory_der(factory, between);
	unsigned char data[8192];

	memcpy(data, a->data, a->size);
	memcpy(data + a->size, b->data, b->size);
	ck_assert_ok(
	    smtptls_context_load_verify_mem(context, a->data, a->size));
	assert_stats(1, 1, 0);
	ck_assert_ok(
	    smtptls_context_load_verify_mem(context, data, a->size + b->size));
	assert_stats(2, 2, 0);
}
END_TEST

START_TEST(a_file_may_hold_der)
{
	const gnutls_datum_t *der = factory_der(factory, root);

	ck_assert_ok(smtptls_context_load_verify_file(context,
	    factory_file_data(factory, "ca.der", der->data, der->size)));
	assert_stats(1, 1, 0);
}
END_TEST

/* Many of them. Patching the name breaks only the signature. */
#define MANY 2000

START_TEST(thousands_of_certificates_load_in_a_moment)
{
	const gnutls_datum_t *der = factory_der(
	    factory, CERT(factory, NULL, .cn = "Many00000", .ca = true));
	unsigned char *data = malloc((size_t)der->size * MANY), *p = data;
	char name[10];
	size_t at;
	int i;

	at = (size_t)((unsigned char *)memmem(
			  der->data, der->size, "Many00000", 9) -
	    der->data);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "Many%05d", i);
		memcpy(p, der->data, der->size);
		memcpy(p + at, name, 9);
		/* The issuer, then the subject. */
		memcpy(memmem(p + at + 9, der->size - at - 9, "Many00000", 9),
		    name, 9);
		p += der->size;
	}
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, data, (size_t)der->size * MANY));
	assert_stats(MANY, MANY, 0);
	free(data);
}
END_TEST

/* --- reading them back --- */

START_TEST(the_cas_come_back_in_der_and_leafs_do_not)
{
	const gnutls_datum_t *der = factory_der(factory, root);
	const unsigned char *first, *again, *data;
	size_t len, i;

	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(root), strlen(pem(root))));
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(leaf), strlen(pem(leaf))));
	ck_assert_ok(smtptls_context_get_ca_cert(context, 0, &first, &len));
	ck_assert_uint_eq(len, der->size);
	ck_assert_mem_eq(first, der->data, len);
	ck_assert_int_eq(smtptls_context_get_ca_cert(context, 1, &data, &len),
	    SMTPTLS_E_INVALID);

	/* What was lent stays, and the order too. */
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(between), strlen(pem(between))));
	for (i = 0; i < 3; i++) {
		ck_assert_ok(
		    smtptls_context_get_ca_cert(context, 0, &again, &len));
		ck_assert_ptr_eq(again, first);
		ck_assert_ok(
		    smtptls_context_get_ca_cert(context, 1, &data, &len));
		ck_assert_mem_eq(
		    data, factory_der(factory, between)->data, len);
	}
	ck_assert_int_eq(smtptls_context_get_ca_cert(context, 2, &data, &len),
	    SMTPTLS_E_INVALID);
	ck_assert_mem_eq(first, der->data, der->size);
}
END_TEST

START_TEST(an_empty_store_has_nothing_to_read_back)
{
	const unsigned char *data;
	size_t len;

	assert_stats(0, 0, 0);
	ck_assert_int_eq(smtptls_context_get_ca_cert(context, 0, &data, &len),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(smtptls_context_get_ca_cert(NULL, 0, &data, &len),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    smtptls_context_cert_store_stats(context, NULL), SMTPTLS_E_INVALID);
}
END_TEST

START_TEST(a_self_signed_certificate_of_version_1_counts_as_a_ca)
{
	const struct cert *old = CERT(
	    factory, NULL, .cn = "Old", .version_1 = true);

	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(old), strlen(pem(old))));
	assert_stats(1, 1, 0);
}
END_TEST

/* --- what is refused --- */

START_TEST(a_file_that_is_not_there_is_named)
{
	ck_assert_int_eq(
	    smtptls_context_load_verify_file(context, "/nonexistent/ca.pem"),
	    SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context),
	    "/nonexistent/ca.pem: No such file or directory");
}
END_TEST

START_TEST(a_directory_is_no_file)
{
	const char *dir = factory_dir(factory);

	assert_error(smtptls_context_load_verify_file(context, dir),
	    with_path(dir, ": is a directory"));
}
END_TEST

START_TEST(a_fifo_or_device_is_refused_without_waiting)
{
	char fifo[512];

	snprintf(fifo, sizeof(fifo), "%s/fifo", factory_dir(factory));
	if (_i == 0) {
		ck_assert_ok(mkfifo(fifo, 0600));
		assert_error(smtptls_context_load_verify_file(context, fifo),
		    with_path(fifo, ": not a regular file"));
		ck_assert_ok(unlink(fifo));
	} else {
		assert_error(
		    smtptls_context_load_verify_file(context, "/dev/zero"),
		    "/dev/zero: not a regular file");
	}
}
END_TEST

START_TEST(a_file_that_is_not_read_to_its_end_is_refused)
{
	const char *path = factory_file(factory, "short.pem", pem(root));

	fault = _i == 0 ? FILE_ENDS : FILE_FAILS;
	assert_error(smtptls_context_load_verify_file(context, path),
	    with_path(path,
		_i == 0 ? ": became shorter while it was read"
			: ": Input/output error"));
	ck_assert_int_eq(calls, 2);
}
END_TEST

START_TEST(a_file_of_hostile_size_is_refused)
{
	const char *path = factory_file(factory, "big.pem", pem(root));

	ck_assert_ok(truncate(path, (off_t)STLS_SOURCE_SIZE_MAX + 1));
	assert_error(smtptls_context_load_verify_file(context, path),
	    with_path(path, ": larger than 16777216 bytes"));
	ck_assert_ok(truncate(path, (off_t)STLS_SOURCE_SIZE_MAX));
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	ck_assert_ok(smtptls_context_load_verify_file(context, path));
	ck_assert_ok(unlink(path));
}
END_TEST

START_TEST(memory_of_hostile_size_is_refused)
{
	assert_error(smtptls_context_load_verify_mem(
			 context, "x", STLS_SOURCE_SIZE_MAX + 1),
	    "data larger than 16777216 bytes");
}
END_TEST

static const struct {
	const char *text;
	const char *sentence;
} bad_memory[] = {
	{ "", "no data" },
	{ "garbage", "data: no certificate in it" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n",
	    "data line 1: CERTIFICATE without its end" },
	{ "\n\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n",
	    "data line 3: CERTIFICATE without its end" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\n",
	    "data line 1: CERTIFICATE without its end" },
	{ "-----BEGIN CERTIFICATE----\nAAAA\n-----END CERTIFICATE----\n",
	    "data: no certificate in it" },
	{ "x\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	    "data line 2: PRIVATE KEY is not a certificate" },
	{ "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
	    "data line 1: X509 CRL is not a certificate" },
	{ "-----BEGIN -----\nAAAA\n-----END -----\n",
	    "data line 1:  is not a certificate" },
	{ "0\x82\x01", "data byte 0: neither PEM nor DER" },
	{ "0\x80\x01\x01", "data byte 0: neither PEM nor DER" },
	{ "0\x85\x01\x01\x01\x01\x01", "data byte 0: neither PEM nor DER" },
	{ "0\x84\xff\xff\xff\xff", "data byte 0: neither PEM nor DER" },
	{ "0\x83\xff\xff", "data byte 0: neither PEM nor DER" },
};

START_TEST(memory_that_adds_nothing_is_refused)
{
	assert_error(smtptls_context_load_verify_mem(context,
			 bad_memory[_i].text, strlen(bad_memory[_i].text)),
	    bad_memory[_i].sentence);
}
END_TEST

START_TEST(memory_must_be_there)
{
	assert_error(
	    smtptls_context_load_verify_mem(context, NULL, 5), "no data");
}
END_TEST

START_TEST(a_path_must_be_there)
{
	if (_i == 0)
		assert_error(smtptls_context_load_verify_file(context, NULL),
		    "no file of CAs");
	else if (_i == 1)
		assert_error(smtptls_context_load_verify_dir(context, NULL),
		    "no directory of CAs");
	else
		assert_error(smtptls_context_load_crl_file(context, NULL),
		    "no file of revocation lists");
}
END_TEST

START_TEST(one_bad_block_refuses_the_whole_file_and_is_located)
{
	char text[16384];
	const char *path, *where;

	snprintf(text, sizeof(text),
	    "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
	    "CERTIFICATE-----\n%s",
	    pem(root), pem(between));
	path = factory_file(factory, "bad.pem", text);
	ck_assert_int_eq(
	    smtptls_context_load_verify_file(context, path), SMTPTLS_E_INVALID);
	assert_stats(0, 0, 0);
	/* An ECDSA certificate has some lines; the bad block comes next. */
	where = strstr(smtptls_context_error(context), "bad.pem line ");
	ck_assert_ptr_nonnull(where);
	text[strlen(pem(root))] = '\0';
	{
		long lines = 1;
		const char *p;

		for (p = text; *p != '\0'; p++)
			lines += *p == '\n';
		ck_assert_int_eq(
		    strtol(where + strlen("bad.pem line "), NULL, 10), lines);
	}
	ck_assert_ptr_nonnull(strstr(where, ": no valid certificate: "));
}
END_TEST

START_TEST(der_with_something_behind_it_is_refused)
{
	const gnutls_datum_t *der = factory_der(factory, root);
	unsigned char data[4096];
	char expected[128];

	memcpy(data, der->data, der->size);
	data[der->size] = 'x';
	snprintf(expected, sizeof(expected),
	    "data byte %u: neither PEM nor DER", der->size);
	assert_error(
	    smtptls_context_load_verify_mem(context, data, der->size + 1),
	    expected);
}
END_TEST

START_TEST(a_failed_source_leaves_what_was_there)
{
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(root), strlen(pem(root))));
	ck_assert_int_eq(smtptls_context_load_verify_mem(context, "x", 1),
	    SMTPTLS_E_INVALID);
	assert_stats(1, 1, 0);
}
END_TEST

/* A server's are all parsed at once, and given to GnuTLS. */
START_TEST(certificates_that_gnutls_does_not_take_are_an_error)
{
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new(SMTPTLS_CLIENT_AUTH, &context));
	fault = LIST_IS_FULL;
	ck_assert_int_eq(smtptls_context_load_verify_mem(
			     context, pem(root), strlen(pem(root))),
	    SMTPTLS_E_NOMEM);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trust");
	TCase *tc = trust_case(suite, "trust", setup);

	tcase_add_test(tc, a_file_may_hold_several_certificates_and_comments);
	tcase_add_test(tc, line_ends_of_other_systems_are_fine);
	tcase_add_test(tc, the_old_label_of_a_certificate_is_known);
	tcase_add_test(tc, memory_may_hold_der_one_after_another);
	tcase_add_test(tc, a_file_may_hold_der);
	tcase_add_test(tc, the_cas_come_back_in_der_and_leafs_do_not);
	tcase_add_test(tc, an_empty_store_has_nothing_to_read_back);
	tcase_add_test(
	    tc, a_self_signed_certificate_of_version_1_counts_as_a_ca);
	tcase_add_test(tc, thousands_of_certificates_load_in_a_moment);
	tcase_add_test(tc, a_file_that_is_not_there_is_named);
	tcase_add_test(tc, a_directory_is_no_file);
	tcase_add_loop_test(
	    tc, a_fifo_or_device_is_refused_without_waiting, 0, 2);
	tcase_add_loop_test(
	    tc, a_file_that_is_not_read_to_its_end_is_refused, 0, 2);
	tcase_add_test(tc, a_file_of_hostile_size_is_refused);
	tcase_add_test(tc, memory_of_hostile_size_is_refused);
	tcase_add_loop_test(
	    tc, memory_that_adds_nothing_is_refused, 0, COUNT(bad_memory));
	tcase_add_test(tc, memory_must_be_there);
	tcase_add_loop_test(tc, a_path_must_be_there, 0, 3);
	tcase_add_test(tc, one_bad_block_refuses_the_whole_file_and_is_located);
	tcase_add_test(tc, der_with_something_behind_it_is_refused);
	tcase_add_test(tc, a_failed_source_leaves_what_was_there);
	tcase_add_test(tc, certificates_that_gnutls_does_not_take_are_an_error);
	return run_suite(suite);
}
