/* SPDX-License-Identifier: MIT */
/* A file of the spool, read while a run writes it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spool/dir.h"
#include "test.h"

static struct stls_err err;

/* What happens once somebody has asked for the size of the file. */
static void (*behind_size)(void);

static void
size_was_asked(void)
{
	void (*call)(void) = behind_size;

	behind_size = NULL;
	if (call != NULL)
		call();
}

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

int
__wrap_fstat(int fd, struct stat *st)
{
	int r = __real_fstat(fd, st);

	size_was_asked();
	return r;
}

#ifdef HAS_FSTAT64
int __real_fstat64(int fd, void *st);
int __wrap_fstat64(int fd, void *st);

int
__wrap_fstat64(int fd, void *st)
{
	int r = __real_fstat64(fd, st);

	size_was_asked();
	return r;
}
#endif

static char place[] = "/tmp/spool-load-XXXXXX";
static struct spool spool;
static struct spool_file writer, reader;
static const char content[] = "Subject: x\r\n\r\nbody\r\n";

static void
make_records(struct stls_buf *records)
{
	struct spool_message message = { .arrived = 1795000000,
		.account = (char *)"",
		.sender = (char *)"a@example.org" };

	stls_buf_init(records, 1 << 20);
	ck_assert_ok(
	    spool_message_add_recipient(&err, &message, "b@example.org"));
	ck_assert_ok(spool_file_append_envelope(&err, records, &message));
	message.account = message.sender = NULL;
	spool_message_done(&message);
}

/* A message in a spool, open to who sends it and to who looks at it. */
static void
set_up(void)
{
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };
	CLEANUP(spool_new_done) struct spool_new new_file = { .fd = -1 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	char path[64], id[SPOOL_ID_LEN + 1];

	ck_assert_ptr_nonnull(mkdtemp(place));
	snprintf(path, sizeof(path), "%s/spool", place);
	ck_assert_ok(spool_open(&err, path, &spool));
	make_records(&records);
	ck_assert_ok(
	    spool_new_begin(&err, &spool, sizeof(content) - 1, &new_file));
	ck_assert_ok(
	    spool_new_write(&err, &new_file, content, sizeof(content) - 1));
	ck_assert_ok(spool_new_commit(&err, &new_file, &records, id));
	ck_assert_ok(spool_file_lock(&err, &spool, id, &writer));
	ck_assert_ok(spool_file_load(&err, &writer, &message));
	ck_assert_ok(spool_file_open(&err, &spool, id, &reader));
}

static void
tear_down(void)
{
	char path[64];

	ck_assert_ok(spool_file_remove(&err, &writer));
	spool_file_close(&writer);
	spool_file_close(&reader);
	unlinkat(spool.dir, "queue", AT_REMOVEDIR);
	unlinkat(spool.dir, "dead", AT_REMOVEDIR);
	spool_close(&spool);
	snprintf(path, sizeof(path), "%s/spool", place);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(place), 0);
}

/* As the hook does, which reserves a place. */
static void
note_doubt(void)
{
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };

	stls_buf_init(&records, 1 << 20);
	ck_assert_ok(spool_file_append_doubt(&err, &records, 11));
	ck_assert_ok(spool_file_append(&err, &writer, &records, 10000, true));
}

/* As a run does with the outcome, which gives the rest of it back. */
static void
note_outcome(void)
{
	CLEANUP(stls_buf_done) struct stls_buf records = { 0 };

	stls_buf_init(&records, 1 << 20);
	ck_assert_ok(spool_file_append_state(
	    &err, &records, 0, SPOOL_ACCEPTED, 12, NULL));
	ck_assert_ok(spool_file_append(&err, &writer, &records, 0, true));
}

static void
cut_the_content(void)
{
	ck_assert_int_eq(ftruncate(writer.fd, SPOOL_FILE_HEAD_LEN + 3), 0);
}

START_TEST(a_file_that_becomes_shorter_by_what_was_reserved_is_whole)
{
	CLEANUP(spool_message_done) struct spool_message message = { 0 };

	set_up();
	note_doubt();
	behind_size = note_outcome;
	ck_assert_ok(spool_file_load(&err, &reader, &message));
	ck_assert(behind_size == NULL);
	ck_assert_int_eq(message.recipients[0].state, SPOOL_ACCEPTED);
	ck_assert_int_eq(reader.size, writer.size);
	ck_assert_int_eq(reader.end, writer.end);
	tear_down();
}
END_TEST

START_TEST(a_file_that_becomes_shorter_than_its_content_is_broken)
{
	CLEANUP(spool_message_done) struct spool_message message = { 0 };

	set_up();
	behind_size = cut_the_content;
	ck_assert_int_eq(spool_file_load(&err, &reader, &message), EX_DATAERR);
	ck_assert(behind_size == NULL);
	tear_down();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spool-load");
	TCase *tc = tcase_create("spool-load");

	tcase_add_test(
	    tc, a_file_that_becomes_shorter_by_what_was_reserved_is_whole);
	tcase_add_test(
	    tc, a_file_that_becomes_shorter_than_its_content_is_broken);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
