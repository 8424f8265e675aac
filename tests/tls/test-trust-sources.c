/* SPDX-License-Identifier: MIT */
/* A trust store from a directory, from the system, and from several sources. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "trust-world.h"

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
 * Whether the directory has an error at its end. By other names in C, since
 * libc's prototypes have attributes of their own.
 */
static bool directory_fails;
struct dirent *fake_readdir(DIR *dir) __asm__("readdir");
struct dirent *fake_readdir64(DIR *dir) __asm__("readdir64");

static struct dirent *
next_entry(const char *name, DIR *dir)
{
	struct dirent *(*real)(DIR *), *entry;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	entry = real(dir);
	if (directory_fails && entry == NULL)
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

static void
setup(void)
{
	system_store = SYSTEM_REAL;
	directory_fails = false;
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
	directory_fails = true;
	assert_error(smtptls_context_load_verify_dir(context, dir),
	    with_path(dir, ": Input/output error"));
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

/* --- several sources, and the system's --- */

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

int
main(void)
{
	Suite *suite = suite_create("trust-sources");
	TCase *tc = trust_case(suite, "sources", setup);

	tcase_add_test(tc, sources_add_up_and_duplicates_count_once);
	tcase_add_loop_test(tc, each_given_source_must_be_good, 0, 5);
	tcase_add_test(
	    tc, a_directory_gives_the_files_that_look_like_certificates);
	tcase_add_test(tc, hashed_names_alone_are_enough);
	tcase_add_loop_test(tc, one_bad_file_refuses_the_whole_directory, 0,
	    COUNT(bad_entries));
	tcase_add_test(tc, a_directory_that_is_not_read_to_its_end_is_refused);
	tcase_add_test(tc, a_directory_without_certificates_is_refused);
	tcase_add_test(tc, the_system_is_trusted_where_no_source_is_given);
	tcase_add_test(tc, the_system_is_not_trusted_where_a_source_is_given);
	tcase_add_test(tc, a_server_context_trusts_nobody_by_itself);
	tcase_add_loop_test(tc, a_system_that_trusts_nobody_is_an_error, 0, 2);
	tcase_add_test(tc, the_real_system_loads_or_says_that_it_is_empty);
	return run_suite(suite);
}
