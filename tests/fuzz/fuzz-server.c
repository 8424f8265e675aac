/* SPDX-License-Identifier: MIT */
/* The server of -bs: what a program may say to it. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <smtptls/status.h>

#include "serve/server.h"
#include "smtp/reply.h"

#define MAX (1 << 22)

/* What came out of it. */
struct talk {
	struct smtp_server server;
	struct stls_buf replies, text;
	size_t messages;
	bool is_closed;
};

static void
take_output(struct talk *talk)
{
	FUZZ_CHECK(
	    stls_buf_append(&talk->replies, stls_buf_data(&talk->server.out),
		stls_buf_len(&talk->server.out)) == 0);
	stls_buf_consume(&talk->server.out, stls_buf_len(&talk->server.out));
}

static void
check_envelope(const struct smtp_server *server)
{
	size_t i;

	FUZZ_CHECK(server->sender != NULL && server->recipients.count > 0);
	FUZZ_CHECK(fuzz_is_printable(server->sender, strlen(server->sender)));
	for (i = 0; i < server->recipients.count; i++)
		FUZZ_CHECK(
		    fuzz_is_sentence(server->recipients.items[i].mailbox));
}

/* Give one piece, to its end. */
static void
give(struct talk *talk, const char *piece, size_t len)
{
	struct smtp_server *server = &talk->server;
	enum smtp_server_event event = SMTP_SERVER_TEXT;
	size_t at = 0, used;

	while (event != SMTP_SERVER_CLOSED &&
	    (at < len || event != SMTP_SERVER_WANTS_INPUT)) {
		event = smtp_server_next(server, piece + at, len - at, &used);
		FUZZ_CHECK(used <= len - at);
		if (event == SMTP_SERVER_BEGINS)
			check_envelope(server);
		if (event == SMTP_SERVER_TEXT)
			FUZZ_CHECK(stls_buf_append(&talk->text, server->text,
				       server->text_len) == 0);
		if (event == SMTP_SERVER_COMPLETE && talk->messages++ % 2 == 0)
			smtp_server_answer(server, 250, "2.0.0", "taken");
		else if (event == SMTP_SERVER_COMPLETE)
			smtp_server_answer(
			    server, 554, "", "no\nnot \x01 this");
		at += used;
		take_output(talk);
	}
	talk->is_closed = event == SMTP_SERVER_CLOSED;
}

static void
converse(struct talk *talk, const char *text, size_t len, unsigned int flags,
    uint32_t *state)
{
	size_t n;
	char *piece;

	memset(talk, 0, sizeof(*talk));
	stls_buf_init(&talk->replies, MAX);
	stls_buf_init(&talk->text, MAX);
	smtp_server_init(&talk->server, "mx.example.org");
	if (fuzz_flag(flags, 0))
		talk->server.sender_domain = talk->server.recipient_domain =
		    "example.org";
	take_output(talk);
	for (; len > 0 && !talk->is_closed; text += n, len -= n) {
		n = state != NULL ? fuzz_piece(state, len) : len;
		piece = fuzz_copy(text, n);
		give(talk, piece, n);
		free(piece);
	}
}

static void
done(struct talk *talk)
{
	smtp_server_done(&talk->server);
	stls_buf_done(&talk->replies);
	stls_buf_done(&talk->text);
}

/* Our own client can read all that it says. */
static void
check_replies(const struct talk *talk)
{
	const char *text = (const char *)stls_buf_data(&talk->replies);
	size_t len = stls_buf_len(&talk->replies);
	struct stls_reply_parser parser = { 0 };
	struct stls_reply reply;
	struct stls_err err;

	while (len > 0) {
		FUZZ_CHECK(stls_reply_parse(&err, &parser, text, len, &reply) ==
		    SMTPTLS_OK);
		FUZZ_CHECK(reply.is_plain);
		text += reply.len;
		len -= reply.len;
	}
}

/* Only CRLF ends a line, dots that were doubled are single. */
static void
check_text(const struct talk *talk)
{
	const char *text = (const char *)stls_buf_data(&talk->text);
	size_t len = stls_buf_len(&talk->text), i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			FUZZ_CHECK(i > 0 && text[i - 1] == '\r');
		if (text[i] == '\r' && i + 1 < len)
			FUZZ_CHECK(text[i + 1] == '\n');
	}
}

static bool
is_same(const struct stls_buf *a, const struct stls_buf *b)
{
	return stls_buf_len(a) == stls_buf_len(b) &&
	    memcmp(stls_buf_data(a), stls_buf_data(b), stls_buf_len(a)) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int flags = fuzz_take(&input);
	uint32_t state = fuzz_take(&input);
	struct talk whole, pieces;

	converse(&whole, (const char *)input.data, input.len, flags, NULL);
	converse(&pieces, (const char *)input.data, input.len, flags, &state);
	check_replies(&whole);
	check_replies(&pieces);
	check_text(&whole);
	check_text(&pieces);
	/* What follows a DATA that was refused is seen if it is there. */
	if (!whole.server.was_refused && !pieces.server.was_refused) {
		FUZZ_CHECK(is_same(&whole.replies, &pieces.replies));
		FUZZ_CHECK(is_same(&whole.text, &pieces.text));
		FUZZ_CHECK(whole.messages == pieces.messages);
		FUZZ_CHECK(whole.is_closed == pieces.is_closed);
	}
	done(&whole);
	done(&pieces);
	return 0;
}
