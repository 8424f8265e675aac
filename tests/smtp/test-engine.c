/* SPDX-License-Identifier: MIT */
/* usage: test-smtp-engine FOLDER-OF-TRANSCRIPTS */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <smtptls/status.h>

#include "smtp/conversation.h"
#include "smtp/engine.h"

/* What is longer is not cut at every byte, but at so many places. */
#define LONG 1024
#define LONG_SPLITS 200

static const char *folder;
static struct dirent **files;
static int file_count;

static int
is_transcript(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && strcmp(dot, ".txt") == 0;
}

static bool
play(const struct transcript *transcript, size_t part, int kind, size_t n)
{
	struct manner manner = { .n = n };

	manner.kind = kind;
	return conversation_play(transcript, &transcript->parts[part], &manner);
}

static void
play_cut(const struct transcript *transcript, size_t part)
{
	size_t len = transcript->parts[part].server_len, at;
	size_t stride = len > LONG ? len / LONG_SPLITS : 1;

	for (at = 1; at < len; at += stride * test_step())
		play(transcript, part, SPLIT, at);
}

START_TEST(a_conversation_goes_as_it_is_written_however_it_is_cut)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);
	size_t part;

	for (part = 0; part < transcript->part_count; part++) {
		play(transcript, part, WHOLE, 0);
		play(transcript, part, BY_BYTE, 0);
		play_cut(transcript, part);
	}
	transcript_free(transcript);
}
END_TEST

START_TEST(without_memory_nothing_is_claimed_that_is_not_so)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);
	size_t part, n;

	for (part = 0; part < transcript->part_count; part++) {
		n = 1;
		while (play(transcript, part, FAULT, n))
			n += test_step();
		ck_assert_uint_gt(n, 1);
	}
	transcript_free(transcript);
}
END_TEST

static bool
may_send(enum stls_step step, void *arg)
{
	(void)step;
	(void)arg;
	return true;
}

static struct stls_engine engine;
static struct stls_err why_closed;

static void
setup(void)
{
	const struct stls_engine_config config = {
		.insecure_no_tls = true,
		.may_send = may_send,
		.err = &why_closed,
	};

	stls_engine_init(&engine, &config);
}

static void
teardown(void)
{
	stls_engine_done(&engine);
}

static const char *const bad_names[] = {
	"a.example.org\r\nMAIL FROM:<>",
	"a.example.org\n",
	"\xc3\xa4.example.org",
	"a\x7f.example.org",
};

START_TEST(a_name_that_no_command_may_have_is_refused_at_once)
{
	size_t len;

	ck_assert_int_eq(
	    stls_engine_start(&engine, bad_names[_i]), SMTPTLS_E_INVALID);
	ck_assert_int_eq(engine.err->code, SMTPTLS_E_INVALID);
	stls_engine_output(&engine, &len);
	ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(more_than_can_be_a_reply_is_refused_in_one_piece_too)
{
	static char much[1 << 20];

	memset(much, '2', sizeof(much));
	ck_assert_ok(stls_engine_start(&engine, "a.example.org"));
	stls_engine_receive(&engine, much, sizeof(much));
	ck_assert_int_eq(stls_engine_event(&engine), STLS_CLOSED);
	ck_assert_int_eq(engine.err->code, SMTPTLS_E_LIMIT);
	ck_assert_str_eq(engine.err->text, "the server sends too much");
}
END_TEST

static void
send_all(void)
{
	size_t len;

	stls_engine_output(&engine, &len);
	stls_engine_sent(&engine, len);
}

static void
receive(const char *text)
{
	stls_engine_receive(&engine, text, strlen(text));
}

static void
check_last(int code, const char *text)
{
	ck_assert_int_eq(engine.last.code, code);
	ck_assert_str_eq(stls_engine_last_text(&engine), text);
}

START_TEST(last_of_the_replies_that_come_together_is_told)
{
	ck_assert_ok(stls_engine_start(&engine, "a.example.org"));
	receive("220 hello\r\n");
	check_last(220, "hello");
	send_all();
	receive("250-a\r\n250 PIPELINING\r\n");
	stls_engine_rset(&engine);
	stls_engine_noop(&engine);
	send_all();
	receive("250 forgotten\r\n250 no");
	check_last(250, "forgotten");
	receive("thing\r\n");
	check_last(250, "nothing");

	stls_engine_rset(&engine);
	stls_engine_noop(&engine);
	send_all();
	receive("250 forgotten\r\n252 2.0.0 nothing\r\n");
	check_last(252, "nothing");
	ck_assert_str_eq(engine.last.enhanced, "2.0.0");

	/* What is behind the one that ends it nobody looks at. */
	stls_engine_rset(&engine);
	stls_engine_noop(&engine);
	send_all();
	receive("250 forgotten\r\n421 bye\r\n250 more\r\n");
	ck_assert_int_eq(stls_engine_event(&engine), STLS_CLOSED);
	check_last(421, "bye");
}
END_TEST

START_TEST(a_closed_engine_hands_out_nothing)
{
	struct stls_err err;
	size_t len;

	ck_assert_ok(stls_engine_start(&engine, "a.example.org"));
	stls_engine_receive(&engine, "220 a\r\n", 7);
	stls_engine_output(&engine, &len);
	ck_assert_uint_eq(len, strlen("EHLO a.example.org\r\n"));
	stls_err_set(&err, SMTPTLS_E_IO, "lost");
	stls_engine_fail(&engine, &err);
	ck_assert(!stls_engine_has_output(&engine));
	stls_engine_output(&engine, &len);
	ck_assert_uint_eq(len, 0);

	/* The first reason stays. */
	stls_err_set(&err, SMTPTLS_E_TIMEOUT, "late");
	stls_engine_fail(&engine, &err);
	ck_assert_str_eq(engine.err->text, "lost");
}
END_TEST

/* A message that goes by BDAT, empty, for which three replies are expected. */
static void
submit_empty(struct stls_transaction *txn)
{
	txn->size_is_known = txn->is_exact = txn->is_7bit = true;
	ck_assert_ok(stls_transaction_set_sender(txn, "a@b", 3, false));
	ck_assert_ok(stls_transaction_add_recipient(txn, "c@d", 3, false));
	ck_assert_ok(stls_engine_submit(&engine, txn));
}

/* Send until an answer is waited for. */
static void
send_on(void)
{
	for (;;) {
		switch (stls_engine_event(&engine)) {
		case STLS_NEED_BODY:
			stls_engine_body_end(&engine);
			break;
		case STLS_BEFORE_END_OF_DATA:
			stls_engine_end_of_data(&engine);
			break;
		case STLS_HAVE_OUTPUT:
			send_all();
			break;
		default:
			return;
		}
	}
}

/* As a server that says nothing would have them pile up. */
START_TEST(a_window_has_a_limit_of_replies)
{
	static struct stls_transaction txns[1000];
	struct stls_err err;
	size_t i;

	engine.config.at_once = true;
	engine.config.window = 1000;
	ck_assert_ok(stls_engine_start(&engine, "a.example.org"));
	receive("220 a\r\n");
	send_all();
	receive("250-a\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
	for (i = 0; i < 1000; i++)
		submit_empty(&txns[i]);
	send_on();
	/* RFC 3030 section 2: MAIL, RCPT and BDAT of the last one. */
	ck_assert_uint_ge(engine.expected.len, 2048);
	ck_assert_uint_lt(engine.expected.len, 2048 + 3);
	stls_err_set(&err, SMTPTLS_E_IO, "lost");
	stls_engine_lose(&engine, &err);
	for (i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(stls_engine_take_done(&engine));
	for (i = 0; i < 1000; i++)
		stls_transaction_done(&txns[i]);
}
END_TEST

static void
add_calls(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc,
	    a_name_that_no_command_may_have_is_refused_at_once, 0,
	    COUNT(bad_names));
	tcase_add_test(
	    tc, more_than_can_be_a_reply_is_refused_in_one_piece_too);
	tcase_add_test(tc, last_of_the_replies_that_come_together_is_told);
	tcase_add_test(tc, a_closed_engine_hands_out_nothing);
	tcase_add_test(tc, a_window_has_a_limit_of_replies);
}

static void
add_transcripts(TCase *tc)
{
	tcase_add_loop_test(tc,
	    a_conversation_goes_as_it_is_written_however_it_is_cut, 0,
	    file_count);
	tcase_add_loop_test(tc,
	    without_memory_nothing_is_claimed_that_is_not_so, 0, file_count);
}

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("engine");
	TCase *transcripts = tcase_create("transcripts");
	TCase *calls = tcase_create("calls");
	int result;

	folder = argc > 1 ? argv[1] : "tests/transcripts";
	file_count = scandir(folder, &files, is_transcript, alphasort);
	if (file_count <= 0) {
		fprintf(stderr, "no transcripts in %s\n", folder);
		return EXIT_FAILURE;
	}
	add_transcripts(transcripts);
	suite_add_tcase(suite, transcripts);
	add_calls(calls);
	suite_add_tcase(suite, calls);
	result = run_suite(suite);
	while (file_count > 0)
		free(files[--file_count]);
	free(files);
	return result;
}
