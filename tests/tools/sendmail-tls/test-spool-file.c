/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "spool/file.h"
#include "spool/id.h"
#include "spool/record.h"
#include "test.h"

static struct stls_err err;

/* A message of two recipients, as records behind a content. */
static void
make(struct stls_buf *buf)
{
	struct spool_message message = { .arrived = 1795000000,
		.account = (char *)"work",
		.sender = (char *)"a@example.org" };

	stls_buf_init(buf, 1 << 20);
	ck_assert_ok(stls_buf_append_str(buf, "\n"));
	ck_assert_ok(spool_message_add_option(&err, &message, "envid", "x y"));
	ck_assert_ok(spool_message_add_recipient(
	    &err, &message, "\"b c>\"@example.org"));
	ck_assert_ok(
	    spool_message_add_recipient(&err, &message, "d@example.net"));
	ck_assert_ok(spool_file_append_envelope(&err, buf, &message));
	message.account = message.sender = NULL;
	spool_message_done(&message);
}

static int
parse(const struct stls_buf *buf, struct spool_message *message, size_t *used)
{
	memset(message, 0, sizeof(*message));
	stls_err_clear(&err);
	return spool_file_parse(&err, (const char *)stls_buf_data(buf),
	    stls_buf_len(buf), message, used);
}

START_TEST(an_envelope_comes_back_as_it_was)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	size_t used = 0;

	make(&buf);
	ck_assert_ok(parse(&buf, &message, &used));
	ck_assert_uint_eq(used, stls_buf_len(&buf));
	ck_assert_int_eq(message.arrived, 1795000000);
	ck_assert_str_eq(message.account, "work");
	ck_assert_str_eq(message.sender, "a@example.org");
	ck_assert_str_eq(spool_message_option(&message, "envid"), "x y");
	ck_assert_ptr_null(spool_message_option(&message, "ret"));
	ck_assert_uint_eq(message.recipient_count, 2);
	ck_assert_str_eq(message.recipients[0].address, "\"b c>\"@example.org");
	ck_assert_uint_eq(spool_message_count(&message, SPOOL_WAITING), 2);
	ck_assert_uint_eq(message.attempts, 0);
}
END_TEST

START_TEST(what_was_appended_changes_the_state)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	struct spool_attempt attempt = { .when = 20,
		.next = 30,
		.age_s = 7,
		.status = EX_TEMPFAIL,
		.text = (char *)"451 not now" };
	size_t used;

	make(&buf);
	ck_assert_ok(spool_file_append_state(
	    &err, &buf, 0, SPOOL_ACCEPTED, 10, "250 2.0.0 ok"));
	ck_assert_ok(spool_file_append_doubt(&err, &buf, 11));
	ck_assert_ok(spool_file_append_attempt(&err, &buf, &attempt));
	ck_assert_ok(parse(&buf, &message, &used));
	ck_assert_int_eq(message.recipients[0].state, SPOOL_ACCEPTED);
	ck_assert_str_eq(message.recipients[0].reply, "250 2.0.0 ok");
	/* What is done stays done, whatever becomes doubtful. */
	ck_assert_int_eq(message.recipients[1].state, SPOOL_IN_DOUBT);
	ck_assert_int_eq(message.recipients[1].since, 11);
	ck_assert_uint_eq(message.attempts, 1);
	ck_assert_int_eq(message.last.when, 20);
	ck_assert_int_eq(message.last.next, 30);
	ck_assert_int_eq(message.last.age_s, 7);
	ck_assert_int_eq(message.last.status, EX_TEMPFAIL);
	ck_assert_str_eq(message.last.text, "451 not now");
}
END_TEST

START_TEST(a_reply_cannot_write_a_record)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	char reply[] = "550 no\n12345678 state 1 accepted 1\r\n\x1b[2J\x7f";
	char *longest = malloc(100000);
	size_t used, lines = 0, i;

	memset(longest, 'x', 99999);
	longest[99999] = '\0';
	make(&buf);
	ck_assert_ok(
	    spool_file_append_state(&err, &buf, 0, SPOOL_REFUSED, 10, reply));
	ck_assert_ok(
	    spool_file_append_state(&err, &buf, 1, SPOOL_WAITING, 10, longest));
	free(longest);
	ck_assert_ok(parse(&buf, &message, &used));
	ck_assert_int_eq(message.recipients[1].state, SPOOL_WAITING);
	ck_assert_ptr_null(strchr(message.recipients[0].reply, '\n'));
	ck_assert_ptr_null(strchr(message.recipients[0].reply, '\x1b'));
	for (i = 0; i < stls_buf_len(&buf); i++)
		lines += stls_buf_data(&buf)[i] == '\n';
	ck_assert_uint_eq(lines, 1 + 7 + 2);
}
END_TEST

START_TEST(what_has_a_line_end_in_it_is_no_address)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };

	stls_buf_init(&buf, 1 << 20);
	message.sender = strdup("a@example.org");
	ck_assert_ok(spool_message_add_recipient(
	    &err, &message, "b@example.org>\nx <c@example.org"));
	ck_assert_int_eq(
	    spool_file_append_envelope(&err, &buf, &message), EX_DATAERR);
}
END_TEST

START_TEST(a_tail_that_is_torn_is_dropped_wherever_it_is_cut)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	size_t envelope, full, cut, used = 0;

	make(&buf);
	envelope = stls_buf_len(&buf);
	ck_assert_ok(spool_file_append_state(
	    &err, &buf, 1, SPOOL_ACCEPTED, 10, "250 ok"));
	full = stls_buf_len(&buf);
	for (cut = full - 1; cut >= envelope; cut--) {
		stls_buf_truncate(&buf, cut);
		ck_assert_ok(parse(&buf, &message, &used));
		ck_assert_uint_eq(used, envelope);
		ck_assert_int_eq(message.recipients[1].state, SPOOL_WAITING);
		spool_message_done(&message);
	}
	/* An envelope was synced before it had a name: it is never torn. */
	for (; cut > 0; cut--) {
		stls_buf_truncate(&buf, cut);
		ck_assert_int_eq(parse(&buf, &message, &used), EX_DATAERR);
		spool_message_done(&message);
	}
}
END_TEST

/* What a file system may leave of blocks that were not written. */
static const char *const tails[] = { "        ", "\n", "\n\n\n", "garbage",
	"garbage\nand more\n", "00000000 state 0 accepted 1\n" };

START_TEST(a_tail_of_something_else_is_dropped)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	size_t good, used = 0;

	make(&buf);
	good = stls_buf_len(&buf);
	ck_assert_ok(stls_buf_append_str(&buf, tails[_i]));
	ck_assert_ok(stls_buf_append(&buf, "\0\0\0\n\0", 5));
	ck_assert_ok(parse(&buf, &message, &used));
	ck_assert_uint_eq(used, good);
	ck_assert_uint_eq(spool_message_count(&message, SPOOL_WAITING), 2);
}
END_TEST

START_TEST(a_bad_record_in_the_middle_is_no_tail)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	size_t used;

	make(&buf);
	ck_assert_ok(stls_buf_append_str(&buf, tails[_i]));
	ck_assert_ok(stls_buf_append_str(&buf, "\n"));
	ck_assert_ok(spool_file_append_state(
	    &err, &buf, 1, SPOOL_ACCEPTED, 10, "250 ok"));
	ck_assert_int_eq(parse(&buf, &message, &used), EX_DATAERR);
	ck_assert_ptr_nonnull(strstr(err.text, "damaged"));
}
END_TEST

START_TEST(any_octet_that_changes_is_noticed)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	size_t len, i, used;
	unsigned char *data;

	make(&buf);
	len = stls_buf_len(&buf);
	data = buf.data + buf.head;
	for (i = 0; i < len; i++) {
		data[i] ^= 1;
		ck_assert_int_eq(parse(&buf, &message, &used), EX_DATAERR);
		data[i] ^= 1;
		spool_message_done(&message);
	}
}
END_TEST

/* Records that are well written and make no sense. */
static const char *const senseless[] = {
	"state 2 accepted 1",
	"state -1 accepted 1",
	"state 0 lost 1",
	"state 0 accepted",
	"state 0 accepted x",
	"doubt",
	"doubt 1 2",
	"tried 1 2 3",
	"tried 1 2 -3 75 x",
	"tried 1 2 3 999 x",
	"tried 99999999999999999999 2 3 75 x",
	"arrived 1",
	"account other",
	"sender <b@example.org>",
	"recipients 3",
	"recipient <e@example.org>",
	"option a b",
	"unknown 1",
	" ",
};

START_TEST(a_record_that_makes_no_sense_breaks_the_file)
{
	CLEANUP(stls_buf_done) struct stls_buf buf = { 0 };
	CLEANUP(spool_message_done) struct spool_message message = { 0 };
	const char *text = senseless[_i];
	char sum[10];
	size_t used;

	make(&buf);
	snprintf(sum, sizeof(sum), "%08x ",
	    (unsigned int)spool_record_sum(text, strlen(text)));
	ck_assert_ok(stls_buf_append_str(&buf, sum));
	ck_assert_ok(stls_buf_append_str(&buf, text));
	ck_assert_ok(stls_buf_append_str(&buf, "\n"));
	ck_assert_int_eq(parse(&buf, &message, &used), EX_DATAERR);
	ck_assert_str_ne(err.text, "");
}
END_TEST

START_TEST(the_first_line_has_its_length_and_no_other)
{
	char head[SPOOL_FILE_HEAD_LEN + 1];
	uint64_t len = 1;

	spool_file_format_head(12345678901234, head);
	ck_assert_uint_eq(strlen(head), SPOOL_FILE_HEAD_LEN);
	ck_assert_ok(
	    spool_file_parse_head(&err, head, SPOOL_FILE_HEAD_LEN, &len));
	ck_assert_uint_eq(len, 12345678901234);
	ck_assert_int_eq(
	    spool_file_parse_head(&err, head, SPOOL_FILE_HEAD_LEN - 1, &len),
	    EX_DATAERR);
	head[14] = '2';
	ck_assert_int_eq(
	    spool_file_parse_head(&err, head, SPOOL_FILE_HEAD_LEN, &len),
	    EX_DATAERR);
	head[14] = '1';
	memset(head + 16, '9', 20);
	ck_assert_int_eq(
	    spool_file_parse_head(&err, head, SPOOL_FILE_HEAD_LEN, &len),
	    EX_DATAERR);
	memcpy(head + 16, "-0000000000000000001", 20);
	ck_assert_int_eq(
	    spool_file_parse_head(&err, head, SPOOL_FILE_HEAD_LEN, &len),
	    EX_DATAERR);
}
END_TEST

START_TEST(ids_are_names_that_sort_by_time_and_cannot_be_guessed)
{
	char ids[200][SPOOL_ID_LEN + 1];
	size_t i, k;

	for (i = 0; i < 200; i++) {
		ck_assert_ok(spool_id_make(&err, ids[i]));
		ck_assert(spool_id_is_valid(ids[i]));
		for (k = 0; k < i; k++) {
			ck_assert_int_le(strncmp(ids[k], ids[i], 11), 0);
			ck_assert_str_ne(ids[k] + 12, ids[i] + 12);
		}
	}
	ck_assert(!spool_id_is_valid(""));
	ck_assert(!spool_id_is_valid(".."));
	ck_assert(!spool_id_is_valid("../../../../../../../../../etc"));
	ids[0][5] = '/';
	ck_assert(!spool_id_is_valid(ids[0]));
	ids[1][20] = '/';
	ck_assert(!spool_id_is_valid(ids[1]));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spool-file");
	TCase *tc = tcase_create("spool-file");

	tcase_add_test(tc, an_envelope_comes_back_as_it_was);
	tcase_add_test(tc, what_was_appended_changes_the_state);
	tcase_add_test(tc, a_reply_cannot_write_a_record);
	tcase_add_test(tc, what_has_a_line_end_in_it_is_no_address);
	tcase_add_test(tc, a_tail_that_is_torn_is_dropped_wherever_it_is_cut);
	tcase_add_loop_test(
	    tc, a_tail_of_something_else_is_dropped, 0, COUNT(tails));
	tcase_add_loop_test(
	    tc, a_bad_record_in_the_middle_is_no_tail, 0, COUNT(tails));
	tcase_add_test(tc, any_octet_that_changes_is_noticed);
	tcase_add_loop_test(tc, a_record_that_makes_no_sense_breaks_the_file, 0,
	    COUNT(senseless));
	tcase_add_test(tc, the_first_line_has_its_length_and_no_other);
	tcase_add_test(
	    tc, ids_are_names_that_sort_by_time_and_cannot_be_guessed);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
