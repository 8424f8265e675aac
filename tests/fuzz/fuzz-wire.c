/* SPDX-License-Identifier: MIT */
/* What another user hands over to the submit helper, and what it answers. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "submit/wire.h"

#define MAX (1 << 20)

struct request {
	struct submit_decoder decoder;
	struct stls_buf content;
	int status;
	size_t used;
};

static void
decode(struct request *out, const uint8_t *data, size_t len, uint32_t *state)
{
	struct stls_err err = { 0 };
	struct submit_piece piece;
	size_t n;
	uint8_t *copy;

	submit_decoder_init(&out->decoder);
	stls_buf_init(&out->content, MAX);
	out->status = 0;
	out->used = 0;
	while (out->status == 0 && out->used < len &&
	    out->decoder.state != SUBMIT_AT_END) {
		n = len - out->used;
		if (state != NULL)
			n = fuzz_piece(state, n);
		copy = fuzz_copy(data + out->used, n);
		out->status = submit_decode(
		    &err, &out->decoder, copy, n, &piece);
		if (out->status == 0) {
			FUZZ_CHECK(piece.used > 0 && piece.used <= n);
			FUZZ_CHECK(stls_buf_append(&out->content, piece.content,
				       piece.content_len) == 0);
			out->used += piece.used;
		} else {
			FUZZ_CHECK(fuzz_is_sentence(err.text));
		}
		free(copy);
	}
}

static void
done(struct request *request)
{
	submit_decoder_done(&request->decoder);
	stls_buf_done(&request->content);
}

/* Said again it is octet for octet what came. */
static void
check_again(const struct request *request, const uint8_t *data)
{
	size_t count = request->decoder.argument_count;
	char **arguments = calloc(count + 1, sizeof(arguments[0]));
	struct stls_buf out;
	struct stls_err err;

	stls_buf_init(&out, MAX);
	submit_decoder_get_arguments(&request->decoder, arguments);
	FUZZ_CHECK(submit_append_arguments(
		       &err, &out, count, (const char *const *)arguments) == 0);
	FUZZ_CHECK(stls_buf_len(&out) <= request->used);
	FUZZ_CHECK(memcmp(stls_buf_data(&out), data, stls_buf_len(&out)) == 0);
	stls_buf_done(&out);
	free(arguments);
}

static void
check_answer(const uint8_t *data, size_t size)
{
	unsigned char out[SUBMIT_ANSWER_LEN];
	struct stls_err err = { 0 };
	size_t len;
	int status;

	if (size < SUBMIT_ANSWER_LEN)
		return;
	if (submit_parse_answer(&err, data, &status, &len) != 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		return;
	}
	FUZZ_CHECK(len <= SUBMIT_TEXT_LEN_MAX);
	submit_format_answer(out, status, len);
	FUZZ_CHECK(memcmp(out, data, SUBMIT_ANSWER_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint32_t state = fuzz_take(&input);
	struct request whole, pieces;

	check_answer(input.data, input.len);
	decode(&whole, input.data, input.len, NULL);
	decode(&pieces, input.data, input.len, &state);
	FUZZ_CHECK(whole.status == pieces.status);
	if (whole.status == 0) {
		FUZZ_CHECK(whole.decoder.state == pieces.decoder.state);
		FUZZ_CHECK(whole.used == pieces.used);
		FUZZ_CHECK(stls_buf_len(&whole.content) ==
		    stls_buf_len(&pieces.content));
		FUZZ_CHECK(memcmp(stls_buf_data(&whole.content),
			       stls_buf_data(&pieces.content),
			       stls_buf_len(&whole.content)) == 0);
	}
	if (whole.status == 0 && whole.decoder.state == SUBMIT_AT_END)
		check_again(&whole, input.data);
	done(&whole);
	done(&pieces);
	return 0;
}
