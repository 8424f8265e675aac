/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <smtptls/status.h>

#include "base/alloc.h"
#include "content.h"
#include "freed.h"

/* More than one read takes, and no multiple of anything. */
#define FILE_LEN 1048577

static unsigned char text[FILE_LEN];
static char path[64];
static int fd;
static struct stls_err err;

/*
 * fstat(2) that fails with this errno where it is not 0, in both its names; by
 * other names in C, since libc's prototypes have attributes of their own.
 */
static int fstat_fails;
int fake_fstat(int fd_, void *st) __asm__("fstat");
int fake_fstat64(int fd_, void *st) __asm__("fstat64");

static int
fail_or_call(const char *name, int fd_, void *st)
{
	int (*real)(int, void *);

	errno = fstat_fails;
	if (fstat_fails != 0)
		return -1;
	*(void **)&real = dlsym(RTLD_NEXT, name);
	return real(fd_, st);
}

int
fake_fstat(int fd_, void *st)
{
	return fail_or_call("fstat", fd_, st);
}

int
fake_fstat64(int fd_, void *st)
{
	return fail_or_call("fstat64", fd_, st);
}

static void
setup(void)
{
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)('a' + i % 23);
	snprintf(path, sizeof(path), "/tmp/smtptls-content-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, sizeof(text)), sizeof(text));
}

static void
teardown(void)
{
	stls_alloc_fail_at(0);
	close(fd);
	unlink(path);
}

/* libc's, which the library calls by one of two names. */
static int reads;

ssize_t fake_pread(int from, void *buf, size_t len, long offset) __asm__(
    "pread");
ssize_t fake_pread64(int from, void *buf, size_t len, long offset) __asm__(
    "pread64");

ssize_t
fake_pread(int from, void *buf, size_t len, long offset)
{
	reads++;
	ck_assert_int_eq(lseek(from, offset, SEEK_SET), offset);
	return read(from, buf, len);
}

ssize_t
fake_pread64(int from, void *buf, size_t len, long offset)
{
	return fake_pread(from, buf, len, offset);
}

/* Read to the end, which is reported once more when asked once more. */
static void
assert_gives(struct stls_content *content, const void *wanted, size_t len)
{
	const char *data;
	size_t have = 0, n;

	do {
		ck_assert_ok(stls_content_read(content, &err, &data, &n));
		ck_assert_uint_le(n, STLS_DATA_CHUNK_MAX);
		ck_assert_uint_le(n, len - have);
		ck_assert_int_eq(
		    memcmp(data, (const char *)wanted + have, n), 0);
		have += n;
	} while (n > 0);
	ck_assert_uint_eq(have, len);
	ck_assert_ptr_null(content->buffer);
	ck_assert_ok(stls_content_read(content, &err, &data, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_null(content->buffer);
}

static struct stls_content
file_content(size_t offset)
{
	struct stls_content content;

	ck_assert_int_eq(lseek(fd, (off_t)offset, SEEK_SET), (off_t)offset);
	ck_assert_ok(stls_content_init_fd(&content, &err, fd));
	return content;
}

static size_t freed_texts;

static void
look_for_text(const void *block, size_t size)
{
	freed_texts += memmem(block, size, text, 23) != NULL;
}

START_TEST(what_was_read_is_wiped)
{
	struct stls_content content = file_content(0);

	freed_tell(look_for_text);
	assert_gives(&content, text, sizeof(text));
	freed_tell(NULL);
	ck_assert_uint_eq(freed_texts, 0);
}
END_TEST

START_TEST(a_file_is_read_in_large_pieces_and_given_in_small_ones)
{
	struct stls_content content = file_content(0);
	struct stls_data_facts facts;
	bool known;

	reads = 0;
	ck_assert_ok(stls_content_look(&content, &err, &facts, &known));
	ck_assert(known);
	ck_assert_uint_eq(facts.size, sizeof(text) + 2);
	ck_assert_ptr_null(content.buffer);
	/* Four for a MiB, one for what is above it, one for the end. */
	ck_assert_int_eq(reads, 6);
	assert_gives(&content, text, sizeof(text));
	ck_assert_int_eq(reads, 6 + 6 + 1);
}
END_TEST

START_TEST(a_file_is_read_from_where_it_stood)
{
	static const size_t offsets[] = { 1, 16383, 262144, FILE_LEN - 1,
		FILE_LEN };
	struct stls_content content = file_content(offsets[_i]);

	assert_gives(&content, text + offsets[_i], FILE_LEN - offsets[_i]);
	ck_assert_ok(stls_content_rewind(&content, &err));
	assert_gives(&content, text + offsets[_i], FILE_LEN - offsets[_i]);
}
END_TEST

/* Offset and length of a part. */
static const size_t ranges[][2] = {
	{ 0, FILE_LEN },
	{ 0, 0 },
	{ FILE_LEN, 0 },
	{ 1, 1 },
	{ 46, 16384 },
	{ 100, 262144 },
	{ 100, 262145 },
	{ 5, FILE_LEN - 5 },
};

START_TEST(a_part_of_a_file_is_that_part)
{
	size_t offset = ranges[_i][0], len = ranges[_i][1];
	struct stls_content content;
	struct stls_data_facts facts;
	bool known;

	ck_assert_ok(stls_content_init_range(&content, &err, fd, offset, len));
	ck_assert_ok(stls_content_look(&content, &err, &facts, &known));
	ck_assert(known);
	assert_gives(&content, text + offset, len);
	ck_assert_ok(stls_content_rewind(&content, &err));
	assert_gives(&content, text + offset, len);
}
END_TEST

START_TEST(a_part_that_is_not_there_is_refused)
{
	struct stls_content content;
	int ends[2];

	ck_assert_int_eq(
	    stls_content_init_range(&content, &err, fd, 0, FILE_LEN + 1),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    stls_content_init_range(&content, &err, fd, FILE_LEN + 1, 0),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    stls_content_init_range(&content, &err, fd, 1, UINT64_MAX),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(
	    stls_content_init_range(&content, &err, fd, UINT64_MAX, 2),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(stls_content_init_range(&content, &err, -1, 0, 0),
	    SMTPTLS_E_INVALID);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(stls_content_init_range(&content, &err, ends[0], 0, 0),
	    SMTPTLS_E_INVALID);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_file_that_became_shorter_is_no_end)
{
	struct stls_content content;
	const char *data;
	size_t n, have = 0;
	int r;

	ck_assert_ok(stls_content_init_range(&content, &err, fd, 0, FILE_LEN));
	ck_assert_int_eq(ftruncate(fd, FILE_LEN - 1), 0);
	do {
		r = stls_content_read(&content, &err, &data, &n);
		have += r == SMTPTLS_OK ? n : 0;
	} while (r == SMTPTLS_OK && n > 0);
	ck_assert_int_eq(r, SMTPTLS_E_SOURCE);
	ck_assert_uint_eq(have, FILE_LEN - 1);
	stls_content_release(&content);
}
END_TEST

START_TEST(a_rewind_in_the_middle_starts_anew)
{
	struct stls_content content = file_content(0);
	const char *data;
	size_t n;
	int i;

	for (i = 0; i < 20; i++)
		ck_assert_ok(stls_content_read(&content, &err, &data, &n));
	ck_assert_ptr_nonnull(content.buffer);
	ck_assert_ok(stls_content_rewind(&content, &err));
	ck_assert_ptr_null(content.buffer);
	assert_gives(&content, text, sizeof(text));
}
END_TEST

START_TEST(what_is_given_up_is_given_back)
{
	struct stls_content content = file_content(0);
	const char *data;
	size_t n;

	ck_assert_ok(stls_content_read(&content, &err, &data, &n));
	stls_content_release(&content);
	ck_assert_ptr_null(content.buffer);
	stls_content_release(&content);
	ck_assert_ok(stls_content_rewind(&content, &err));
	assert_gives(&content, text, sizeof(text));
}
END_TEST

START_TEST(a_file_that_changes_is_read_as_it_is)
{
	struct stls_content content = file_content(0);
	const char *data;
	size_t n, have = 0;

	ck_assert_ok(stls_content_read(&content, &err, &data, &n));
	ck_assert_ok(ftruncate(fd, 300000));
	while (n > 0) {
		have += n;
		ck_assert_ok(stls_content_read(&content, &err, &data, &n));
	}
	ck_assert_uint_eq(have, 300000);

	ck_assert_ok(ftruncate(fd, 10));
	content = file_content(0);
	ck_assert_ok(stls_content_read(&content, &err, &data, &n));
	ck_assert_uint_eq(n, 10);
	ck_assert_int_eq(pwrite(fd, text, sizeof(text), 0), sizeof(text));
	have = n;
	while (n > 0) {
		ck_assert_ok(stls_content_read(&content, &err, &data, &n));
		have += n;
	}
	ck_assert_uint_eq(have, sizeof(text));
}
END_TEST

START_TEST(memory_is_lent_without_a_copy)
{
	struct stls_content content = { .kind = STLS_CONTENT_MEM,
		.data = (const char *)text,
		.len = sizeof(text) };
	const char *data;
	size_t n, have = 0;

	stls_alloc_fail_at(1);
	do {
		ck_assert_ok(stls_content_read(&content, &err, &data, &n));
		if (n > 0)
			ck_assert_ptr_eq(data, (const char *)text + have);
		have += n;
	} while (n > 0);
	ck_assert_uint_eq(have, sizeof(text));
	ck_assert(!stls_alloc_has_failed());
}
END_TEST

START_TEST(a_pipe_gives_what_it_has)
{
	struct stls_content content;
	const char *data;
	size_t n;
	int fds[2];

	ck_assert_ok(pipe(fds));
	ck_assert_ok(stls_content_init_fd(&content, &err, fds[0]));
	ck_assert_int_eq(
	    stls_content_read(&content, &err, &data, &n), SMTPTLS_AGAIN);
	ck_assert_int_eq(stls_content_poll_fd(&content), fds[0]);
	ck_assert_int_eq(write(fds[1], text, 40000), 40000);
	ck_assert_ok(stls_content_read(&content, &err, &data, &n));
	ck_assert_uint_eq(n, STLS_DATA_CHUNK_MAX);
	close(fds[1]);
	assert_gives(&content, text + n, 40000 - n);
	ck_assert_int_eq(stls_content_rewind(&content, &err), SMTPTLS_E_SOURCE);
	close(fds[0]);
}
END_TEST

START_TEST(lack_of_memory_loses_nothing)
{
	struct stls_content content = file_content(0);
	struct stls_data_facts facts;
	const char *data;
	size_t n;
	bool known;

	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    stls_content_look(&content, &err, &facts, &known), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(1);
	ck_assert_int_eq(
	    stls_content_read(&content, &err, &data, &n), SMTPTLS_E_NOMEM);
	stls_alloc_fail_at(0);
	assert_gives(&content, text, sizeof(text));
}
END_TEST

/* Only what is no descriptor is for ever. */
START_TEST(a_file_that_cannot_be_looked_at_may_be_later)
{
	struct stls_content content;

	ck_assert_int_eq(
	    stls_content_init_fd(&content, &err, -1), SMTPTLS_E_INVALID);
	ck_assert_int_eq(stls_content_init_range(&content, &err, -1, 0, 1),
	    SMTPTLS_E_INVALID);
	fstat_fails = EIO;
	ck_assert_int_eq(
	    stls_content_init_fd(&content, &err, fd), SMTPTLS_E_SOURCE);
	ck_assert_int_eq(stls_content_init_range(&content, &err, fd, 0, 1),
	    SMTPTLS_E_SOURCE);
	fstat_fails = 0;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("content");
	TCase *tc = tcase_create("content");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_read_is_wiped);
	tcase_add_test(
	    tc, a_file_is_read_in_large_pieces_and_given_in_small_ones);
	tcase_add_loop_test(tc, a_file_is_read_from_where_it_stood, 0, 5);
	tcase_add_loop_test(
	    tc, a_part_of_a_file_is_that_part, 0, COUNT(ranges));
	tcase_add_test(tc, a_part_that_is_not_there_is_refused);
	tcase_add_test(tc, a_file_that_became_shorter_is_no_end);
	tcase_add_test(tc, a_file_that_cannot_be_looked_at_may_be_later);
	tcase_add_test(tc, a_rewind_in_the_middle_starts_anew);
	tcase_add_test(tc, what_is_given_up_is_given_back);
	tcase_add_test(tc, a_file_that_changes_is_read_as_it_is);
	tcase_add_test(tc, memory_is_lent_without_a_copy);
	tcase_add_test(tc, a_pipe_gives_what_it_has);
	tcase_add_test(tc, lack_of_memory_loses_nothing);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
