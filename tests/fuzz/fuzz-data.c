/* SPDX-License-Identifier: MIT */
/* Content on its way to DATA and BDAT: line ends and dots. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "smtp/data.h"
#include "smtp/wire-form.h"

#define GROWTH(len) (2 * (len) + 16)

/* What a server does with the lines it gets; -1: they do not end well. */
static long
undo_dots(char *out, const char *wire, size_t len)
{
	size_t at = 0, n = 0, line;
	const char *end;

	while (at < len) {
		end = memmem(wire + at, len - at, "\r\n", 2);
		if (end == NULL)
			return -1;
		line = (size_t)(end - wire) + 2 - at;
		if (line == 3 && wire[at] == '.')
			return at + 3 == len ? (long)n : -1;
		if (wire[at] == '.') {
			at++;
			line--;
		}
		memcpy(out + n, wire + at, line);
		n += line;
		at += line;
	}
	return -1;
}

static int
write_in_pieces(struct stls_err *err, const struct stls_data *how,
    const char *text, size_t len, uint32_t *state, struct stls_buf *out)
{
	struct stls_data data = *how;
	size_t n;
	char *piece;
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK && len > 0) {
		n = state != NULL ? fuzz_piece(state, len) : len;
		if (n > STLS_DATA_CHUNK_MAX)
			n = STLS_DATA_CHUNK_MAX;
		piece = fuzz_copy(text, n);
		r = stls_data_write(err, &data, piece, n, out);
		free(piece);
		text += n;
		len -= n;
	}
	return r == SMTPTLS_OK ? stls_data_end(err, &data, out) : r;
}

static void
check_wire(const struct stls_data *how, const char *text, size_t len,
    const struct stls_buf *out)
{
	char *wanted = malloc(GROWTH(len)), *back = malloc(GROWTH(len));
	const char *wire = (const char *)stls_buf_data(out);
	size_t wanted_len = wire_form(wanted, text, len);
	long n = (long)stls_buf_len(out);

	if (!how->is_chunk)
		n = undo_dots(back, wire, stls_buf_len(out));
	else
		memcpy(back, wire, stls_buf_len(out));
	FUZZ_CHECK(n == (long)wanted_len);
	FUZZ_CHECK(memcmp(back, wanted, wanted_len) == 0);
	FUZZ_CHECK(memchr(wire, '\0', stls_buf_len(out)) == NULL);
	free(back);
	free(wanted);
}

/* What is known before is what turns out. */
static void
check_facts(const struct stls_data *how, const char *text, size_t len,
    uint32_t state, int r, const struct stls_err *err)
{
	struct stls_data_look whole = { 0 }, pieces = { 0 };
	char *out = malloc(GROWTH(len));
	struct stls_err known = { 0 };
	size_t at, n;

	stls_data_look(&whole, text, len);
	stls_data_look_end(&whole);
	for (at = 0; at < len; at += n) {
		n = fuzz_piece(&state, len - at);
		stls_data_look(&pieces, text + at, n);
	}
	stls_data_look_end(&pieces);
	FUZZ_CHECK(whole.facts.size == pieces.facts.size);
	FUZZ_CHECK(whole.facts.has_8bit == pieces.facts.has_8bit);
	FUZZ_CHECK(whole.facts.nul_at == pieces.facts.nul_at);
	FUZZ_CHECK(
	    whole.facts.bad_line_ending_at == pieces.facts.bad_line_ending_at);
	FUZZ_CHECK(whole.facts.size == wire_form(out, text, len));
	free(out);
	if (r == SMTPTLS_E_UNSUPPORTED) {
		FUZZ_CHECK(how->refuse_8bit && whole.facts.has_8bit);
		return;
	}
	if (r == SMTPTLS_OK)
		FUZZ_CHECK(!how->refuse_8bit || !whole.facts.has_8bit);
	FUZZ_CHECK(stls_data_check(
		       &known, &whole.facts, how->reject_line_endings) == r);
	if (r < 0)
		FUZZ_CHECK(strcmp(known.text, err->text) == 0);
}

/* A text many times over stands at every place of a vector. */
static char *
repeat(const struct fuzz_input *input, size_t times, size_t *out_len)
{
	char *text = malloc(input->len * times + 1);
	size_t i;

	for (i = 0; i < times; i++)
		memcpy(text + i * input->len, input->data, input->len);
	*out_len = input->len * times;
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	uint32_t state = fuzz_take(&input), first = state;
	struct stls_data how = {
		.reject_line_endings = fuzz_flag(flags, 0),
		.refuse_8bit = fuzz_flag(flags, 1),
		.is_chunk = fuzz_flag(flags, 2),
	};
	size_t len;
	char *text = repeat(&input, 1 + (flags >> 3), &len);
	struct stls_err err = { 0 }, other = { 0 };
	struct stls_buf whole, pieces;
	int r;

	stls_buf_init(&whole, 1 << 20);
	stls_buf_init(&pieces, 1 << 20);
	r = write_in_pieces(&err, &how, text, len, NULL, &whole);
	FUZZ_CHECK(
	    write_in_pieces(&other, &how, text, len, &state, &pieces) == r);
	if (r == SMTPTLS_OK) {
		FUZZ_CHECK(stls_buf_len(&whole) == stls_buf_len(&pieces));
		FUZZ_CHECK(memcmp(stls_buf_data(&whole), stls_buf_data(&pieces),
			       stls_buf_len(&whole)) == 0);
		check_wire(&how, text, len, &whole);
	} else {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		FUZZ_CHECK(strcmp(err.text, other.text) == 0);
	}
	check_facts(&how, text, len, first, r, &err);
	stls_buf_done(&pieces);
	stls_buf_done(&whole);
	free(text);
	return 0;
}
