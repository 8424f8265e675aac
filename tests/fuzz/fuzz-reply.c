/* SPDX-License-Identifier: MIT */
/* Replies: any octets of a server, in any pieces. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "smtp/reply.h"

/* What one reply is by RFC 5321 section 4.2.1, looked at in the simple way. */
static void
check_lines(const struct stls_reply *reply)
{
	const char *at = reply->lines, *end = reply->lines + reply->len, *next;
	bool is_last = false;

	FUZZ_CHECK(reply->len <= STLS_REPLY_BYTES_MAX);
	FUZZ_CHECK(reply->code >= 200 && reply->code <= 599);
	for (; at < end; at = next) {
		FUZZ_CHECK(!is_last);
		next = memmem(at, (size_t)(end - at), "\r\n", 2);
		FUZZ_CHECK(next != NULL && next - at >= 3);
		FUZZ_CHECK(next - at + 2 <= STLS_REPLY_LINE_MAX);
		FUZZ_CHECK(memchr(at, '\r', (size_t)(next - at)) == NULL);
		FUZZ_CHECK(memchr(at, '\n', (size_t)(next - at)) == NULL);
		FUZZ_CHECK(memchr(at, '\0', (size_t)(next - at)) == NULL);
		FUZZ_CHECK(
		    (at[0] - '0') * 100 + (at[1] - '0') * 10 + at[2] - '0' ==
		    reply->code);
		is_last = at[3] != '-';
		FUZZ_CHECK(at[3] == '-' || at[3] == ' ' || next - at == 3);
		next += 2;
	}
	FUZZ_CHECK(is_last);
}

static void
check_text(const struct stls_reply *reply)
{
	static const size_t caps[] = { 1, 2, 5, 40, STLS_REPLY_BYTES_MAX };
	size_t i, len, offset = 0, lines = 0;
	const char *text;
	char *out;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		out = malloc(caps[i]);
		FUZZ_CHECK(stls_reply_text(reply, out, caps[i]) == out);
		FUZZ_CHECK(strlen(out) < caps[i]);
		FUZZ_CHECK(fuzz_is_printable(out, strlen(out)));
		free(out);
	}
	while (stls_reply_next_line(reply, &offset, &text, &len)) {
		FUZZ_CHECK(text >= reply->lines);
		FUZZ_CHECK(text + len + 2 <= reply->lines + reply->len);
		if (reply->is_plain)
			FUZZ_CHECK(fuzz_is_printable(text, len));
		lines++;
	}
	FUZZ_CHECK(lines >= 1 && lines <= STLS_REPLY_LINES_MAX);
	FUZZ_CHECK(strlen(reply->enhanced) < STLS_ENHANCED_CAP);
	if (reply->enhanced[0] != '\0')
		FUZZ_CHECK(reply->enhanced[0] == reply->lines[0]);
}

/* Whether or not it is known that all of it is printable. */
static void
check_same_text(const struct stls_reply *reply, const struct stls_reply *other)
{
	char a[300], b[300];

	stls_reply_text(reply, a, sizeof(a));
	stls_reply_text(other, b, sizeof(b));
	FUZZ_CHECK(strcmp(a, b) == 0);
}

/* The same octets, piece by piece: in memory of its own each time. */
static int
parse_in_pieces(const char *data, size_t len, uint32_t state,
    struct stls_reply *out_reply, char **out_copy)
{
	struct stls_reply_parser parser = { 0 };
	struct stls_err err = { 0 };
	size_t have = 0;
	int r = SMTPTLS_AGAIN;

	*out_copy = NULL;
	while (r == SMTPTLS_AGAIN && have < len) {
		have += fuzz_piece(&state, len - have);
		free(*out_copy);
		*out_copy = fuzz_copy(data, have);
		r = stls_reply_parse(&err, &parser, *out_copy, have, out_reply);
		if (r < 0)
			FUZZ_CHECK(fuzz_is_sentence(err.text));
	}
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint32_t state = fuzz_take(&input);
	const char *text = (const char *)input.data;
	struct stls_reply reply, other;
	struct stls_err err = { 0 };
	char *copy;
	int r = SMTPTLS_OK;

	while (r == SMTPTLS_OK && input.len > 0) {
		struct stls_reply_parser parser = { 0 };

		r = stls_reply_parse(&err, &parser, text, input.len, &reply);
		FUZZ_CHECK(parse_in_pieces(
			       text, input.len, state, &other, &copy) == r);
		if (r == SMTPTLS_OK) {
			FUZZ_CHECK(reply.len <= input.len);
			check_lines(&reply);
			check_text(&reply);
			FUZZ_CHECK(reply.code == other.code);
			FUZZ_CHECK(reply.len == other.len);
			check_same_text(&reply, &other);
			FUZZ_CHECK(reply.text_len == other.text_len);
			FUZZ_CHECK(reply.text - reply.lines ==
			    other.text - other.lines);
			FUZZ_CHECK(strcmp(reply.enhanced, other.enhanced) == 0);
			text += reply.len;
			input.len -= reply.len;
		}
		free(copy);
	}
	return 0;
}
