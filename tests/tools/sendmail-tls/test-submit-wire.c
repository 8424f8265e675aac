/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>
#include <sysexits.h>

#include "submit/wire.h"

static const char *const words[] = { "-f", "", "-t", "--", "a@b", "c d@e" };
static const char text[] = "Subject: x\n\nbody\0with\nnul\n";

static void
append(struct stls_buf *out, const void *data, size_t len)
{
	ck_assert_ok(stls_buf_append(out, data, len));
}

static void
append_number(struct stls_buf *out, uint32_t number)
{
	unsigned char octets[SUBMIT_NUMBER_LEN];

	submit_format_number(octets, number);
	append(out, octets, sizeof(octets));
}

static void
append_chunk(struct stls_buf *out, const char *data, size_t len)
{
	append_number(out, (uint32_t)len);
	append(out, data, len);
}

static void
make_request(struct stls_buf *out)
{
	struct stls_err err = { 0 };

	stls_buf_init(out, SIZE_MAX / 2);
	ck_assert_ok(submit_append_arguments(&err, out, COUNT(words), words));
	append_chunk(out, text, 5);
	append_chunk(out, text + 5, sizeof(text) - 5);
	append_number(out, 0);
}

/* Decode it in steps of some octets, as they come from a socket. */
static int
decode(struct submit_decoder *decoder, const struct stls_buf *in, size_t step,
    struct stls_buf *out_content)
{
	const unsigned char *data = stls_buf_data(in);
	size_t len = stls_buf_len(in), done = 0, n;
	struct submit_piece piece;
	struct stls_err err = { 0 };
	int r;

	stls_buf_init(out_content, SIZE_MAX / 2);
	submit_decoder_init(decoder);
	while (done < len && decoder->state != SUBMIT_AT_END) {
		n = len - done < step ? len - done : step;
		r = submit_decode(&err, decoder, data + done, n, &piece);
		if (r != 0) {
			ck_assert_int_eq(err.code, r);
			ck_assert_str_ne(err.text, "");
			return r;
		}
		ck_assert_uint_le(piece.used, n);
		append(out_content, piece.content, piece.content_len);
		done += piece.used;
	}
	return 0;
}

START_TEST(a_request_arrives_in_pieces_of_any_size)
{
	struct stls_buf request, content;
	struct submit_decoder decoder;
	char *argv[COUNT(words)];
	size_t i;

	make_request(&request);
	append(&request, "what is behind the end is not looked at", 39);
	ck_assert_ok(decode(&decoder, &request, (size_t)_i, &content));
	ck_assert_int_eq(decoder.state, SUBMIT_AT_END);
	ck_assert_uint_eq(decoder.argument_count, COUNT(words));
	submit_decoder_get_arguments(&decoder, argv);
	for (i = 0; i < COUNT(words); i++)
		ck_assert_str_eq(argv[i], words[i]);
	ck_assert_uint_eq(stls_buf_len(&content), sizeof(text));
	ck_assert_mem_eq(stls_buf_data(&content), text, sizeof(text));
	submit_decoder_done(&decoder);
	stls_buf_done(&content);
	stls_buf_done(&request);
}
END_TEST

START_TEST(a_request_that_is_cut_anywhere_has_no_end)
{
	struct stls_buf request, content;
	struct submit_decoder decoder;
	size_t len;

	make_request(&request);
	for (len = stls_buf_len(&request); len-- > 0;) {
		stls_buf_truncate(&request, len);
		ck_assert_ok(decode(&decoder, &request, 7, &content));
		ck_assert_int_ne(decoder.state, SUBMIT_AT_END);
		submit_decoder_done(&decoder);
		stls_buf_done(&content);
	}
	stls_buf_done(&request);
}
END_TEST

START_TEST(no_arguments_and_no_content_is_a_request)
{
	struct stls_buf request, content;
	struct submit_decoder decoder;
	struct stls_err err = { 0 };

	stls_buf_init(&request, SIZE_MAX / 2);
	ck_assert_ok(submit_append_arguments(&err, &request, 0, NULL));
	append_number(&request, 0);
	ck_assert_ok(decode(&decoder, &request, 100, &content));
	ck_assert_int_eq(decoder.state, SUBMIT_AT_END);
	submit_decoder_done(&decoder);
	stls_buf_done(&content);
	stls_buf_done(&request);
}
END_TEST

/* What stands behind the magic, and is more than there may be. */
static const struct {
	const char *octets;
	size_t len;
} refused[] = {
	{ "\xff\xff", 2 },		       /* arguments */
	{ "\0\1\xff\xff\xff\xff", 6 },	       /* length of one */
	{ "\0\1\0\x10\0\0", 6 },	       /* and its NUL */
	{ "\0\1\0\0\0\3a\0b", 9 },	       /* a NUL */
	{ "\0\0\0\1\0\1", 6 },		       /* a chunk */
	{ "\0\0\xff\xff\xff\xff", 6 },	       /* likewise */
	{ "\0\2\0\0\0\1a\0\x0f\xff\xff", 11 }, /* the sum */
};

START_TEST(what_passes_a_limit_is_refused_before_it_is_read)
{
	struct stls_buf request, content;
	struct submit_decoder decoder;

	stls_buf_init(&request, SIZE_MAX / 2);
	append(&request, SUBMIT_MAGIC, SUBMIT_MAGIC_LEN);
	append(&request, refused[_i].octets, refused[_i].len);
	ck_assert_int_eq(decode(&decoder, &request, 3, &content), EX_PROTOCOL);
	submit_decoder_done(&decoder);
	stls_buf_done(&content);
	stls_buf_done(&request);
}
END_TEST

START_TEST(another_version_is_refused)
{
	struct stls_buf request, content;
	struct submit_decoder decoder;

	stls_buf_init(&request, SIZE_MAX / 2);
	append(&request, "smtptls\2", SUBMIT_MAGIC_LEN);
	ck_assert_int_eq(
	    decode(&decoder, &request, 100, &content), EX_PROTOCOL);
	submit_decoder_done(&decoder);
	stls_buf_done(&content);
	stls_buf_done(&request);
}
END_TEST

/* A simple generator is enough: what counts is that it is the same again. */
static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

START_TEST(octets_that_are_changed_do_no_harm)
{
	struct stls_buf request, content;
	struct submit_decoder decoder;
	uint32_t state = 1;
	size_t i, place;

	for (i = 0; i < test_rounds(5000); i++) {
		make_request(&request);
		place = next_random(&state) % stls_buf_len(&request);
		request.data[request.head + place] = (unsigned char)next_random(
		    &state);
		decode(&decoder, &request, 1 + i % 50, &content);
		submit_decoder_done(&decoder);
		stls_buf_done(&content);
		stls_buf_done(&request);
	}
}
END_TEST

START_TEST(too_many_arguments_are_not_written)
{
	static const char *many[SUBMIT_ARGUMENT_COUNT_MAX + 1];
	struct stls_buf out;
	struct stls_err err = { 0 };
	size_t i;

	for (i = 0; i < COUNT(many); i++)
		many[i] = "x";
	stls_buf_init(&out, SIZE_MAX / 2);
	ck_assert_int_eq(
	    submit_append_arguments(&err, &out, COUNT(many), many), EX_USAGE);
	ck_assert_ok(
	    submit_append_arguments(&err, &out, COUNT(many) - 1, many));
	stls_buf_done(&out);
}
END_TEST

START_TEST(arguments_that_are_too_long_are_not_written)
{
	static char one[SUBMIT_ARGUMENTS_LEN_MAX + 1];
	const char *argument = one;
	struct stls_buf out;
	struct stls_err err = { 0 };

	memset(one, 'x', sizeof(one) - 1);
	stls_buf_init(&out, SIZE_MAX / 2);
	ck_assert_int_eq(
	    submit_append_arguments(&err, &out, 1, &argument), EX_USAGE);
	argument = one + 1;
	ck_assert_ok(submit_append_arguments(&err, &out, 1, &argument));
	stls_buf_done(&out);
}
END_TEST

static const int statuses[] = { 0, 64, 69, 75, 78 };

START_TEST(an_answer_is_read_as_it_was_written)
{
	unsigned char answer[SUBMIT_ANSWER_LEN];
	struct stls_err err = { 0 };
	int status = -1;
	size_t len = 0;

	submit_format_answer(answer, statuses[_i], 1234);
	ck_assert_ok(submit_parse_answer(&err, answer, &status, &len));
	ck_assert_int_eq(status, statuses[_i]);
	ck_assert_uint_eq(len, 1234);
}
END_TEST

static const struct {
	int status;
	size_t len;
	char magic;
} no_answers[] = {
	{ 1, 0, 's' },
	{ 63, 0, 's' },
	{ 79, 0, 's' },
	{ 255, 0, 's' },
	{ 0, SUBMIT_TEXT_LEN_MAX + 1, 's' },
	{ 0, 0xffffffff, 's' },
	{ 0, 0, 'S' },
};

START_TEST(nothing_else_is_an_answer)
{
	unsigned char answer[SUBMIT_ANSWER_LEN];
	struct stls_err err = { 0 };
	int status = -1;
	size_t len = 5;

	submit_format_answer(answer, no_answers[_i].status, no_answers[_i].len);
	answer[0] = (unsigned char)no_answers[_i].magic;
	ck_assert_int_eq(
	    submit_parse_answer(&err, answer, &status, &len), EX_PROTOCOL);
	ck_assert_int_eq(status, -1);
	ck_assert_uint_eq(len, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("submit-wire");
	TCase *tc = tcase_create("submit-wire");

	tcase_add_loop_test(tc, a_request_arrives_in_pieces_of_any_size, 1, 40);
	tcase_add_test(tc, a_request_that_is_cut_anywhere_has_no_end);
	tcase_add_test(tc, no_arguments_and_no_content_is_a_request);
	tcase_add_loop_test(tc,
	    what_passes_a_limit_is_refused_before_it_is_read, 0,
	    COUNT(refused));
	tcase_add_test(tc, another_version_is_refused);
	tcase_add_test(tc, octets_that_are_changed_do_no_harm);
	tcase_add_test(tc, too_many_arguments_are_not_written);
	tcase_add_test(tc, arguments_that_are_too_long_are_not_written);
	tcase_add_loop_test(
	    tc, an_answer_is_read_as_it_was_written, 0, COUNT(statuses));
	tcase_add_loop_test(
	    tc, nothing_else_is_an_answer, 0, COUNT(no_answers));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
