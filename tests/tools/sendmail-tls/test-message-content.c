/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "message/content.h"

/* The file systems at hand may all do without names, as others cannot. */
static bool refuse_unnamed;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

static bool
is_refused(int flags)
{
	return refuse_unnamed && (flags & O_TMPFILE) == O_TMPFILE;
}

int
__wrap_open(const char *path, int flags, ...)
{
	if (!is_refused(flags))
		return __real_open(path, flags, 0600);
	errno = EOPNOTSUPP;
	return -1;
}

#ifdef HAS_OPEN64
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

int
__wrap_open64(const char *path, int flags, ...)
{
	if (!is_refused(flags))
		return __real_open64(path, flags, 0600);
	errno = EOPNOTSUPP;
	return -1;
}
#endif

static char
octet(uint64_t at)
{
	return (char)('a' + at * 7 % 23);
}

/* Append octets up to a size, in pieces. */
static void
fill(struct content *content, const char *folder, uint64_t size, size_t piece)
{
	struct stls_err err = { 0 };
	char buf[100000];
	size_t i, n;

	ck_assert_uint_le(piece, sizeof(buf));
	while (content_size(content) < size) {
		n = size - content_size(content) < piece
		    ? (size_t)(size - content_size(content))
		    : piece;
		for (i = 0; i < n; i++)
			buf[i] = octet(content_size(content) + i);
		ck_assert_ok(content_append(&err, content, folder, buf, n));
	}
}

/* Read it to its end, with reads of this size. */
static void
check(struct content *content, uint64_t size, size_t cap)
{
	char buf[100000];
	uint64_t at = 0, wrong = 0;
	size_t len, i;

	for (;;) {
		len = SIZE_MAX;
		ck_assert_ok(content_read(content, buf, cap, &len));
		if (len == 0)
			break;
		ck_assert_uint_le(len, cap);
		for (i = 0; i < len; i++)
			wrong += buf[i] != octet(at + i);
		at += len;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(at, size);
	ck_assert_uint_eq(content_size(content), size);
}

static const struct {
	uint64_t size;
	bool is_in_file;
} sizes[] = {
	{ 0, false },
	{ 1, false },
	{ 100000, false },
	{ CONTENT_MEMORY_MAX, false },
	{ CONTENT_MEMORY_MAX + 1, true },
	{ 3 * CONTENT_MEMORY_MAX + 5, true },
};

START_TEST(what_was_put_in_comes_out)
{
	struct content content = { 0 };

	fill(&content, NULL, sizes[_i].size, 65536);
	ck_assert_int_eq(content.is_in_file, sizes[_i].is_in_file);
	check(&content, sizes[_i].size, 16384);
	content_rewind(&content);
	check(&content, sizes[_i].size, 99999);
	content_done(&content);
}
END_TEST

START_TEST(a_file_has_no_name_and_no_rights_for_others)
{
	char folder[] = "/tmp/test-message-content-XXXXXX";
	struct content content = { 0 };
	struct stat st;

	refuse_unnamed = _i == 1;
	ck_assert_ptr_nonnull(mkdtemp(folder));
	fill(&content, folder, CONTENT_MEMORY_MAX + 1, 100000);
	ck_assert(content.is_in_file);
	ck_assert_ok(fstat(content.fd, &st));
	ck_assert_uint_eq(st.st_nlink, 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_ne(fcntl(content.fd, F_GETFD) & FD_CLOEXEC, 0);
	/* An empty folder can be removed. */
	ck_assert_ok(rmdir(folder));
	check(&content, CONTENT_MEMORY_MAX + 1, 100000);
	content_done(&content);
}
END_TEST

START_TEST(without_the_folder_another_one_will_do)
{
	struct content content = { 0 };

	fill(&content, "/no/such/folder", CONTENT_MEMORY_MAX + 1, 100000);
	check(&content, CONTENT_MEMORY_MAX + 1, 100000);
	content_done(&content);
}
END_TEST

START_TEST(a_full_disk_is_something_to_try_again)
{
	const struct rlimit limit = { 2000000, RLIM_INFINITY };
	struct content content = { 0 };
	struct stls_err err = { 0 };
	static char piece[CONTENT_MEMORY_MAX];

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_ok(setrlimit(RLIMIT_FSIZE, &limit));
	ck_assert_ok(
	    content_append(&err, &content, NULL, piece, sizeof(piece)));
	ck_assert_int_eq(
	    content_append(&err, &content, NULL, piece, sizeof(piece)),
	    EX_TEMPFAIL);
	ck_assert_str_eq(err.text,
	    "the file that holds the message cannot be written: File too "
	    "large");
	content_done(&content);
}
END_TEST

START_TEST(lack_of_memory_is_an_error_of_its_own)
{
	struct content content = { 0 };
	struct stls_err err = { 0 };

	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    content_append(&err, &content, NULL, "text", 4), EX_OSERR);
	stls_alloc_fail_at(0);
	content_done(&content);
}
END_TEST

START_TEST(a_part_of_a_file_is_a_content)
{
	struct content file = { 0 }, content = { 0 };
	size_t len;
	char c;

	file.is_in_file = true;
	file.fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ck_assert_int_ge(file.fd, 0);
	fill(&file, NULL, 300, 100);
	content_borrow(&content, file.fd, 23, 46);
	check(&content, 46, 10);
	content_rewind(&content);
	check(&content, 46, 100);

	/* One that has become shorter is no content that is shorter. */
	content_rewind(&content);
	ck_assert_ok(ftruncate(file.fd, 23));
	ck_assert_int_eq(content_read(&content, &c, 1, &len), EX_TEMPFAIL);
	ck_assert_int_eq(errno, EIO);
	content_done(&content);
	ck_assert_int_ge(fcntl(file.fd, F_GETFD), 0);
	content_done(&file);
}
END_TEST

/* Let the library have a part of a file; what its setters say. */
static int
give_part(uint64_t size, bool is_cut)
{
	struct smtptls_message *message = NULL;
	struct content file = { 0 }, content = { 0 };
	int r;

	file.is_in_file = true;
	file.fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ck_assert_int_ge(file.fd, 0);
	fill(&file, NULL, 23 + size, 100000);
	if (is_cut)
		ck_assert_ok(ftruncate(file.fd, (off_t)(22 + size)));
	content_borrow(&content, file.fd, 23, size);
	ck_assert_ok(smtptls_message_new(&message));
	r = content_give(&content, message);
	if (r == 0 && content.data == NULL)
		check(&content, size, 1000);
	smtptls_message_free(message);
	content_done(&content);
	content_done(&file);
	return r;
}

START_TEST(a_part_of_a_file_is_given_or_refused_as_a_whole)
{
	ck_assert_ok(give_part(sizes[_i].size, false));
	if (sizes[_i].size > 0)
		ck_assert_int_eq(
		    give_part(sizes[_i].size, true), SMTPTLS_E_INVALID);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message-content");
	TCase *tc = tcase_create("message-content");

	tcase_add_loop_test(tc, what_was_put_in_comes_out, 0, COUNT(sizes));
	tcase_add_loop_test(
	    tc, a_file_has_no_name_and_no_rights_for_others, 0, 2);
	tcase_add_test(tc, without_the_folder_another_one_will_do);
	tcase_add_test(tc, a_full_disk_is_something_to_try_again);
	tcase_add_test(tc, lack_of_memory_is_an_error_of_its_own);
	tcase_add_test(tc, a_part_of_a_file_is_a_content);
	tcase_add_loop_test(tc, a_part_of_a_file_is_given_or_refused_as_a_whole,
	    0, COUNT(sizes));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
