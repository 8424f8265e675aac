/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include <smtptls/context.h>

#include "factory.h"
#include "tls/context.h"
#include "tls/source.h"

static struct factory *factory;
static struct smtptls_context *context;
static const struct cert *root, *between, *leaf;

/* Stands in for GnuTLS's own, so that a test says what the system has. */
enum {
	SYSTEM_REAL,
	SYSTEM_EMPTY,
	SYSTEM_UNKNOWN,
	SYSTEM_ROOT
};
static int system_store;

int
gnutls_x509_trust_list_add_system_trust(
    gnutls_x509_trust_list_t list, unsigned int flags, unsigned int verify)
{
	__typeof__(&gnutls_x509_trust_list_add_system_trust) real;

	switch (system_store) {
	case SYSTEM_EMPTY:
		return 0;
	case SYSTEM_UNKNOWN:
		return GNUTLS_E_UNIMPLEMENTED_FEATURE;
	case SYSTEM_ROOT:
		return gnutls_x509_trust_list_add_trust_mem(list,
		    factory_der(factory, root), NULL, GNUTLS_X509_FMT_DER,
		    flags, verify);
	default:
		*(void **)&real = dlsym(RTLD_NEXT, __func__);
		return real(list, flags, verify);
	}
}

/*
 * What the system says at the second call of a kind: of read(2) that the file
 * has ended, or that something is wrong, and so of readdir(3). By other names
 * in C, since libc's prototypes have attributes of their own.
 */
enum {
	NOTHING_FAILS,
	FILE_ENDS,
	FILE_FAILS,
	FOLDER_FAILS,
	LIST_IS_FULL
};
static int fault, calls;
ssize_t fake_read(int fd, void *buf, size_t len) __asm__("read");
struct dirent *fake_readdir(DIR *dir) __asm__("readdir");
struct dirent *fake_readdir64(DIR *dir) __asm__("readdir64");

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

static struct dirent *
next_entry(const char *name, DIR *dir)
{
	struct dirent *(*real)(DIR *), *entry;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	entry = real(dir);
	if (fault == FOLDER_FAILS && entry == NULL)
		errno = EIO;
	return entry;
}

struct dirent *
fake_readdir(DIR *dir)
{
	return next_entry("readdir", dir);
}

struct dirent *
fake_readdir64(DIR *dir)
{
	return next_entry("readdir64", dir);
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
setup(void)
{
	system_store = SYSTEM_REAL;
	fault = NOTHING_FAILS;
	calls = 0;
	context = NULL;
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
}

static void
teardown(void)
{
	smtptls_context_free(context);
}

static void
assert_stats(size_t x509, size_t ca, size_t crl)
{
	struct smtptls_cert_store_stats stats;

	ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
	ck_assert_uint_eq(stats.x509, x509);
	ck_assert_uint_eq(stats.x509_ca, ca);
	ck_assert_uint_eq(stats.crl, crl);
}

static void
assert_error(int r, const char *sentence)
{
	ck_assert_int_eq(r, SMTPTLS_E_INVALID);
	ck_assert_str_eq(smtptls_context_error(context), sentence);
	assert_stats(0, 0, 0);
}

/* `<path><rest>`, for comparing sentences. */
static const char *
with_path(const char *path, const char *rest)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%s%s", path, rest);
	return text;
}

static const char *
pem(const struct cert *cert)
{
	return factory_pem(factory, cert, NULL, NULL);
}

static const char *
path_of(const char *dir, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A directory of its own for a test. */
static const char *
make_dir(const char *name)
{
	static char dir[256];

	snprintf(dir, sizeof(dir), "%s/%s", factory_dir(factory), name);
	ck_assert_ok(mkdir(dir, 0700));
	return dir;
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	FILE *f = fopen(path_of(dir, name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_ok(fclose(f));
}

/* Files and memory that are good. */

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

/* What is refused. */

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
	const char *fifo = path_of(factory_dir(factory), "fifo");

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

/* Directories. */

START_TEST(a_directory_gives_the_files_that_look_like_certificates)
{
	const char *dir = make_dir("mixed");

	write_file(dir, "a.pem", pem(root));
	write_file(dir, "B.CRT", pem(between));
	write_file(dir, "c.cer", pem(leaf));
	write_file(dir, "0a1B2c3d.0", pem(root));
	write_file(dir, "README", "not a certificate");
	write_file(dir, "0a1b2c3d.r0", "a revocation list, by its name");
	write_file(dir, "0a1b2c3.0", "one digit too few");
	write_file(dir, "0a1b2c3d.00", "one digit too many");
	write_file(dir, ".pem", "a name that is a suffix");
	ck_assert_ok(symlink("/nonexistent", path_of(dir, "link")));
	ck_assert_ok(mkfifo(path_of(dir, "fifo"), 0600));
	ck_assert_ok(mkdir(path_of(dir, "directory.pem"), 0700));
	ck_assert_ok(smtptls_context_load_verify_dir(context, dir));
	assert_stats(3, 2, 0);
}
END_TEST

START_TEST(hashed_names_alone_are_enough)
{
	const char *dir = make_dir("hashed");

	write_file(dir, "0a1b2c3d.0", pem(root));
	write_file(dir, "0a1b2c3d.1", pem(between));
	ck_assert_ok(smtptls_context_load_verify_dir(context, dir));
	assert_stats(2, 2, 0);
}
END_TEST

static const struct {
	const char *name;
	const char *sentence;
} bad_entries[] = {
	{ "garbage.pem", "/garbage.pem: no certificate in it" },
	{ "empty.crt", "/empty.crt: empty" },
	{ "dangling.pem", "/dangling.pem: No such file or directory" },
	{ "loop.pem", "/loop.pem: Too many levels of symbolic links" },
	{ "fifo.cer", "/fifo.cer: not a regular file" },
};

START_TEST(one_bad_file_refuses_the_whole_directory)
{
	const char *dir = make_dir(bad_entries[_i].name);
	const char *name = bad_entries[_i].name;

	write_file(dir, "good.pem", pem(root));
	if (strncmp(name, "garbage", 7) == 0)
		write_file(dir, name, "garbage");
	else if (strncmp(name, "empty", 5) == 0)
		write_file(dir, name, "");
	else if (strncmp(name, "dangling", 8) == 0)
		ck_assert_ok(symlink("/nonexistent", path_of(dir, name)));
	else if (strncmp(name, "loop", 4) == 0)
		ck_assert_ok(symlink(name, path_of(dir, name)));
	else
		ck_assert_ok(mkfifo(path_of(dir, name), 0600));
	assert_error(smtptls_context_load_verify_dir(context, dir),
	    with_path(dir, bad_entries[_i].sentence));
}
END_TEST

START_TEST(a_directory_that_is_not_read_to_its_end_is_refused)
{
	const char *dir = make_dir("failing");

	write_file(dir, "good.pem", pem(root));
	fault = FOLDER_FAILS;
	assert_error(smtptls_context_load_verify_dir(context, dir),
	    with_path(dir, ": Input/output error"));
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

START_TEST(a_directory_without_certificates_is_refused)
{
	const char *dir = make_dir("none");
	const char *file;

	write_file(dir, "README", "nothing here");
	assert_error(smtptls_context_load_verify_dir(context, dir),
	    with_path(dir, ": no certificate in it"));

	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new(SMTPTLS_SERVER_AUTH, &context));
	file = factory_file(factory, "file.pem", pem(root));
	assert_error(smtptls_context_load_verify_dir(context, file),
	    with_path(file, ": Not a directory"));
}
END_TEST

/* Several sources, and the system's. */

START_TEST(sources_add_up_and_duplicates_count_once)
{
	const char *dir = make_dir("sum");

	write_file(dir, "a.pem", pem(between));
	write_file(dir, "b.pem", pem(root));
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new_default(SMTPTLS_SERVER_AUTH,
	    factory_file(factory, "sum.pem", pem(root)), dir, pem(leaf),
	    strlen(pem(leaf)), &context));
	assert_stats(3, 2, 0);
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(root), strlen(pem(root))));
	assert_stats(3, 2, 0);
}
END_TEST

START_TEST(each_given_source_must_be_good)
{
	const char *good = factory_file(factory, "good.pem", pem(root));

	smtptls_context_free(context);
	if (_i == 0)
		ck_assert_int_eq(smtptls_context_new_default(
				     SMTPTLS_SERVER_AUTH, "/nonexistent", NULL,
				     pem(root), strlen(pem(root)), &context),
		    SMTPTLS_E_INVALID);
	else if (_i == 1)
		ck_assert_int_eq(
		    smtptls_context_new_default(SMTPTLS_SERVER_AUTH, good,
			"/nonexistent", NULL, 0, &context),
		    SMTPTLS_E_INVALID);
	else if (_i == 2) /* and not the system's instead */
		ck_assert_int_eq(
		    smtptls_context_new_default(
			SMTPTLS_SERVER_AUTH, NULL, NULL, NULL, 5, &context),
		    SMTPTLS_E_INVALID);
	else
		ck_assert_int_eq(
		    smtptls_context_new_default(SMTPTLS_SERVER_AUTH,
			_i == 3 ? good : NULL, NULL, "", 0, &context),
		    SMTPTLS_E_INVALID);
	ck_assert_str_ne(smtptls_context_error(context), "");
}
END_TEST

START_TEST(the_system_is_trusted_where_no_source_is_given)
{
	system_store = SYSTEM_ROOT;
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_SERVER_AUTH, NULL, NULL, NULL, 0, &context));
	assert_stats(1, 1, 0);
	/* And it adds up with others, and with itself. */
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(between), strlen(pem(between))));
	ck_assert_ok(smtptls_context_load_default_certs(context));
	assert_stats(2, 2, 0);
}
END_TEST

START_TEST(the_system_is_not_trusted_where_a_source_is_given)
{
	system_store = SYSTEM_ROOT;
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new_default(SMTPTLS_SERVER_AUTH, NULL,
	    NULL, pem(leaf), strlen(pem(leaf)), &context));
	assert_stats(1, 0, 0);
}
END_TEST

START_TEST(a_server_context_trusts_nobody_by_itself)
{
	system_store = SYSTEM_ROOT;
	smtptls_context_free(context);
	ck_assert_ok(smtptls_context_new_default(
	    SMTPTLS_CLIENT_AUTH, NULL, NULL, NULL, 0, &context));
	assert_stats(0, 0, 0);
}
END_TEST

START_TEST(a_system_that_trusts_nobody_is_an_error)
{
	system_store = _i == 0 ? SYSTEM_EMPTY : SYSTEM_UNKNOWN;
	smtptls_context_free(context);
	ck_assert_int_eq(smtptls_context_new_default(SMTPTLS_SERVER_AUTH, NULL,
			     NULL, NULL, 0, &context),
	    SMTPTLS_E_INVALID);
	ck_assert_ptr_nonnull(strstr(smtptls_context_error(context),
	    _i == 0 ? "no CA of the system can be used: "
		    : "the system's CAs: "));
}
END_TEST

START_TEST(the_real_system_loads_or_says_that_it_is_empty)
{
	if (smtptls_context_load_default_certs(context) == SMTPTLS_OK) {
		struct smtptls_cert_store_stats stats;

		ck_assert_ok(smtptls_context_cert_store_stats(context, &stats));
		ck_assert_uint_gt(stats.x509, 0);
	} else {
		ck_assert_ptr_nonnull(
		    strstr(smtptls_context_error(context), "the system"));
	}
}
END_TEST

/* Reading them back. */

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

/* How GnuTLS treats anchors: what tls/trust.h says. */

static unsigned int
verify(const struct cert *a, const struct cert *b)
{
	gnutls_x509_crt_t chain[2] = { a->crt, b != NULL ? b->crt : NULL };
	unsigned int status = ~0U;

	ck_assert_ok(gnutls_x509_trust_list_verify_crt2(context->trust.list,
	    chain, b != NULL ? 2 : 1, NULL, 0, 0, &status, NULL));
	return status;
}

static void
trust(const struct cert *cert)
{
	context->trust.is_eager = true;
	ck_assert_ok(smtptls_context_load_verify_mem(
	    context, pem(cert), strlen(pem(cert))));
}

START_TEST(a_root_is_an_anchor_for_a_whole_chain_only)
{
	trust(root);
	ck_assert_uint_eq(verify(leaf, between), 0);
	ck_assert_uint_ne(verify(leaf, NULL) & GNUTLS_CERT_SIGNER_NOT_FOUND, 0);
}
END_TEST

START_TEST(a_ca_in_between_is_an_anchor)
{
	trust(between);
	ck_assert_uint_eq(verify(leaf, between), 0);
	ck_assert_uint_eq(verify(leaf, NULL), 0);
	ck_assert_uint_ne(verify(between, root), ~0U);
}
END_TEST

START_TEST(a_leaf_is_an_anchor_for_itself_and_signs_nothing)
{
	const struct cert *other = factory_server(
	    factory, leaf, "DNS:other.example.org");
	const struct cert *sibling = factory_server(
	    factory, between, "DNS:mx.example.org");

	trust(leaf);
	ck_assert_uint_eq(verify(leaf, NULL), 0);
	/* What the server sends besides hides it. */
	ck_assert_uint_ne(
	    verify(leaf, between) & GNUTLS_CERT_SIGNER_NOT_FOUND, 0);
	ck_assert_uint_ne(verify(other, NULL), 0);
	ck_assert_uint_ne(verify(other, leaf), 0);
	ck_assert_uint_ne(verify(sibling, NULL), 0);
	ck_assert_uint_ne(verify(sibling, between), 0);
}
END_TEST

START_TEST(a_self_signed_leaf_is_an_anchor_for_itself)
{
	const struct cert *self = CERT(
	    factory, NULL, .names = "DNS:mx.example.org");
	const struct cert *namesake = CERT(
	    factory, NULL, .names = "DNS:mx.example.org");
	const struct cert *below = CERT(factory, self, .cn = "below");

	trust(self);
	ck_assert_uint_eq(verify(self, NULL), 0);
	ck_assert_uint_ne(verify(namesake, NULL), 0);
	ck_assert_uint_ne(verify(below, NULL), 0);
	ck_assert_uint_ne(verify(below, self), 0);
}
END_TEST

START_TEST(an_old_anchor_signs_only_where_that_is_allowed)
{
	const struct cert *old = CERT(
	    factory, NULL, .cn = "Old", .version_1 = true);
	const struct cert *below = factory_server(
	    factory, old, "DNS:mx.example.org");
	gnutls_x509_crt_t chain[1] = { below->crt };
	unsigned int status = 0;

	trust(old);
	ck_assert_uint_eq(verify(below, NULL), 0);
	ck_assert_ok(gnutls_x509_trust_list_verify_crt2(context->trust.list,
	    chain, 1, NULL, 0, GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT,
	    &status, NULL));
	ck_assert_uint_ne(status, 0);
}
END_TEST

START_TEST(an_expired_ca_loads_and_verifies_nothing)
{
	const struct cert *old = CERT(factory, NULL, .cn = "Old Root",
	    .ca = true, .not_before = -2 * FACTORY_DAY,
	    .not_after = -FACTORY_DAY);
	const struct cert *below = factory_server(
	    factory, old, "DNS:mx.example.org");

	trust(old);
	assert_stats(1, 1, 0);
	ck_assert_uint_ne(verify(below, NULL) & GNUTLS_CERT_EXPIRED, 0);
	ck_assert_uint_ne(verify(old, NULL) & GNUTLS_CERT_EXPIRED, 0);
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

static void
add_good(Suite *suite)
{
	TCase *tc = tcase_create("good");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_file_may_hold_several_certificates_and_comments);
	tcase_add_test(tc, line_ends_of_other_systems_are_fine);
	tcase_add_test(tc, the_old_label_of_a_certificate_is_known);
	tcase_add_test(tc, memory_may_hold_der_one_after_another);
	tcase_add_test(tc, a_file_may_hold_der);
	tcase_add_test(tc, sources_add_up_and_duplicates_count_once);
	tcase_add_test(tc, the_cas_come_back_in_der_and_leafs_do_not);
	tcase_add_test(tc, an_empty_store_has_nothing_to_read_back);
	tcase_add_test(
	    tc, a_self_signed_certificate_of_version_1_counts_as_a_ca);
	tcase_add_test(tc, thousands_of_certificates_load_in_a_moment);
	suite_add_tcase(suite, tc);
}

static void
add_bad(Suite *suite)
{
	TCase *tc = tcase_create("bad");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
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
	tcase_add_loop_test(tc, each_given_source_must_be_good, 0, 5);
	suite_add_tcase(suite, tc);
}

static void
add_directories(Suite *suite)
{
	TCase *tc = tcase_create("directories");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
	    tc, a_directory_gives_the_files_that_look_like_certificates);
	tcase_add_test(tc, hashed_names_alone_are_enough);
	tcase_add_loop_test(tc, one_bad_file_refuses_the_whole_directory, 0,
	    COUNT(bad_entries));
	tcase_add_test(tc, a_directory_that_is_not_read_to_its_end_is_refused);
	tcase_add_test(tc, certificates_that_gnutls_does_not_take_are_an_error);
	tcase_add_test(tc, a_directory_without_certificates_is_refused);
	suite_add_tcase(suite, tc);
}

static void
add_system_and_anchors(Suite *suite)
{
	TCase *tc = tcase_create("system and anchors");

	tcase_add_unchecked_fixture(tc, make_certificates, free_certificates);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_system_is_trusted_where_no_source_is_given);
	tcase_add_test(tc, the_system_is_not_trusted_where_a_source_is_given);
	tcase_add_test(tc, a_server_context_trusts_nobody_by_itself);
	tcase_add_loop_test(tc, a_system_that_trusts_nobody_is_an_error, 0, 2);
	tcase_add_test(tc, the_real_system_loads_or_says_that_it_is_empty);
	tcase_add_test(tc, a_root_is_an_anchor_for_a_whole_chain_only);
	tcase_add_test(tc, a_ca_in_between_is_an_anchor);
	tcase_add_test(tc, a_leaf_is_an_anchor_for_itself_and_signs_nothing);
	tcase_add_test(tc, a_self_signed_leaf_is_an_anchor_for_itself);
	tcase_add_test(tc, an_old_anchor_signs_only_where_that_is_allowed);
	tcase_add_test(tc, an_expired_ca_loads_and_verifies_nothing);
	suite_add_tcase(suite, tc);
}

int
main(void)
{
	Suite *suite = suite_create("trust");

	add_good(suite);
	add_bad(suite);
	add_directories(suite);
	add_system_and_anchors(suite);
	return run_suite(suite);
}
